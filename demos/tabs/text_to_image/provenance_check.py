"""The panel Was it made here?: what a picture's metadata says, and whether it carries our mark."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from demos.page.examples import Keep
from demos.page.handlers import App
from demos.page.image_input import TYPES, Upload, path_of, upload_label
from demos.page.image_io import day, values_to_json
from demos.page.panel import Page, Panel
from demos.page.picture_files import grey_picture
from demos.page.script import script
from demos.tabs.text_to_image import tries
from demos.tabs.text_to_image.generate import ID
from demos.tabs.text_to_image.texts import CAUTION, HONESTY, PROVENANCE
from demos.widgets.verdict import Reason, Verdict, VerdictValue
from gen_core.provenance import metadata, traces, watermark

TITLE, NAME = "Was it made here?", f"{ID}-made-here"
BUTTON = "Check"
GENERATED = (metadata.GENERATED, "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
SOURCES = {
    metadata.GENERATED: "made by a generative model",
    "compositeWithTrainedAlgorithmicMedia": "put together, in part by a generative model",
    "digitalCapture": "taken with a camera",
}
"""What IPTC's words mean, of those that are met most."""


def checked(upload: Any) -> VerdictValue:
    """What is found of an uploaded picture. Raises KnobError for anything but a picture file."""
    picture = grey_picture(path_of(upload))
    said, score = metadata.read_metadata(picture.info), round(watermark.score(picture), 4)
    found, (width, height) = score > watermark.threshold(), picture.info["size"]
    known = ("model", *metadata.recorded_knobs(), "comment")
    facts = {name.replace("_", " "): text for name, text in said.items() if name in known}
    others = [] if "program" in said else traces.whose(picture.info)
    return VerdictValue(
        headline=headline(said, found),
        reasons=[
            Reason("Metadata", says_metadata(said, others)),
            Reason("Invisible mark", mark(score)),
        ],
        found=found,
        facts=facts,
        score=score,
        threshold=watermark.threshold(),
        caution=CAUTION,
        provenance=f"{width} × {height} pixels, deleted within the hour",
    )


def headline(said: Mapping[str, str], found: bool) -> str:
    """The answer in one sentence."""
    if found and "program" in said:
        return "Made here: its metadata says so, and it carries the mark."
    if found:
        return "Made here, according to the mark; its metadata does not say so."
    if "program" in said:
        return "Perhaps made here: its metadata says so, but the mark was not found."
    if said.get("source") in GENERATED:
        return "Generated, according to its metadata, but nothing shows that it was made here."
    return "No sign that it was made here."


def says_metadata(said: Mapping[str, str], others: Sequence[str] = ()) -> str:
    """What the file says of itself. others: whose the rest of it looks to be."""
    source = said.get("source")
    means = f" ({SOURCES[source]})" if source in SOURCES else ""
    kind = f" It names its source as {source}{means}." if source else ""
    if "program" in said:
        return f"Written by {metadata.PROGRAM}.{kind}"
    rest = f" It holds {'; '.join(others)}. Anybody can write such data." if others else ""
    if source or rest or "comment" in said:
        return f"Nothing from {metadata.PROGRAM}.{kind}{rest}"
    return (
        "It says nothing about how it was made. Most sites drop metadata from what they are sent."
    )


def mark(score: float) -> str:
    """Whether the mark is there, and how sure that is."""
    known = watermark.measured()
    limit, highest, count = (known[k] for k in ("threshold", "highest_unmarked", "unmarked"))
    if score <= limit:
        return f"Not found: the score is {score:.3f}, and it counts as found above {limit:.3f}."
    said = f"Found: the score is {score:.3f}, and {limit:.3f} would have been enough."
    if score > highest:
        return f"{said} The highest of {count:,} pictures without the mark was {highest:.3f}."
    return f"{said} But {known['false_alarms']:.1%} of pictures without the mark come that far too."


def rates() -> str:
    """The measured rates as a Markdown table."""
    known = watermark.measured()
    moved = 255 / 10 ** (known["psnr"]["mean"] / 20)  # what the decibels mean
    rows = [f"| {name} | {share:.1%} |" for name, share in known["found"].items()]
    photographs = f", windows of {known['photographs']} photographs among them"
    others = photographs if known["photographs"] else ""
    whose = "of the model" if known["by_model"] else "such as the model was trained on"
    return "\n".join(
        [
            "### How often the mark is found",
            "",
            "| What happened to the picture | Mark found |",
            "| --- | ---: |",
            *rows,
            "",
            f"Measured on {day(known['date'])} with {known['pictures']} marked pictures {whose}, "
            f"and {known['unmarked']:,} without the mark{others}: {known['false_alarms']:.1%} of "
            f"these are mistaken for marked. The mark moves a pixel by {moved:.1f} of 255 levels "
            f"(root mean square; PSNR {known['psnr']['mean']:g} dB).",
        ]
    )


def code(knobs: Mapping[str, Any]) -> str:
    """The lines that look at a picture."""
    return script(
        'picture = grey_picture("picture.png")  # your picture, saved under this name',
        "print(metadata.read_metadata(picture.info))",
        'print(watermark.score(picture), "found above", watermark.threshold())',
    )


def below(app: App) -> None:
    """What the marks are for, and how well they hold."""
    with gr.Row():
        for words in (HONESTY, rates()):
            with gr.Column(min_width=320):
                gr.Markdown(words, elem_classes=["aside"])


class ProvenancePanel(Panel):
    """It takes a picture file and nothing else; the example is the first one to try."""

    def controls(self, page: Page) -> None:
        page.inputs = {"upload": Upload(label=upload_label(), file_types=TYPES, height=150)}
        super().controls(page)

    def finished(self, app: App) -> Any:
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(tries.saved(app))
            file.flush()
            uploaded = {"path": file.name, "meta": {"_type": "gradio.FileData"}}
            return values_to_json(checked(uploaded))

    def keep(self) -> Keep:
        return replace(tries.KEEP, name=self.name, make=self.finished)

    def keeps(self) -> list[Keep]:
        return [*super().keeps(), tries.KEEP]


PANEL = ProvenancePanel(
    tab=ID,
    id="made-here",
    title=TITLE,
    button=BUTTON,
    text=PROVENANCE,
    run=lambda app, upload: iter([checked(upload)]),
    code=code,
    calls=watermark.score,
    screen=Verdict,
    shows="What is found of the picture",
    empty=f"Choose a picture and press {BUTTON}.",
    beneath=lambda app, knobs: tries.offered(),
    below=below,
)
