""" "Is it a copy?": any portrait of the Overview beside the training pictures nearest to it."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from torch import Tensor

from demos.page.examples import example
from demos.page.handlers import App, once
from demos.page.image_io import png_data_url, webp_data_url
from demos.page.panel import Page, Panel
from demos.page.picture_files import in_data_url, prepare_colour
from demos.page.runs import run_state
from demos.tabs.overview.texts import FAMILIES, MEMORIZATION, MEMORIZATION_SOURCE, PORTRAITS
from demos.widgets.attribute_picker import JUDGE
from demos.widgets.card import read
from gen_core.data.splits import AVATARS
from gen_core.evaluation.memorization import (
    CANDIDATES,
    CLEARLY,
    FRESH,
    Neighbour,
    Yardstick,
    candidates,
    measured,
)
from gen_core.knobs import KnobError, text
from gen_core.progress import Progress
from gen_core.sampling import Noise, final, pixels

HERE = Path(__file__).parent
NAME = "overview-copies"
SHOWN = 5
"""Training pictures beside the one that is asked about."""
KEPT_FAMILY, KEPT_SEED = next(family for family in FAMILIES if family.id == "gan"), 0
"""Whose picture is the example."""
HEADLINES = {
    "new": "Not a copy: the most similar training picture differs by {own}; {fresh}.",
    "near": "Probably not a copy: the most similar training picture differs by {own}, a little "
    "less than for any new portrait; {fresh}.",
    "copy": "A copy, or nearly one: a training picture differs by only {own}; {fresh}.",
}


@once
def fresh_portraits(app: App) -> Generator[Progress, None, tuple[Yardstick, str]]:
    """What is normal, and when that was measured: before, or now."""
    if before := example(NAME):
        return Yardstick(before.value["fresh"]), before.note
    found = []
    for difference in measured(app.model(JUDGE), FRESH):
        found.append(difference)
        yield Progress("Measuring new portraits", len(found), len(FRESH), "portraits")
    return Yardstick(found), f"measured on {app.device_title}"


def asked(picked: Any) -> tuple[Tensor, str]:
    """What the page sends, {"picture": PNG data URL, "who": "GAN, seed 3"}, as the picture
    (1, 3, 64, 64) and its name. Raises KnobError."""
    if not isinstance(picked, dict) or not picked.get("picture"):
        raise KnobError("picture: press one of the portraits first")
    who = text("who", picked.get("who", "your picture"), 80)
    return prepare_colour(in_data_url(picked["picture"], "picture"), "picture"), who


def compare(app: App, picked: Any) -> Iterator[Progress | dict[str, Any]]:
    """Looks for the nearest training pictures; the last thing it yields is the card's value."""
    x, who = asked(picked)
    judge = app.model(JUDGE)
    found: list[Neighbour] = []
    for neighbour in candidates(judge, x):
        found.append(neighbour)
        yield Progress("Drawing training pictures again", len(found), CANDIDATES, "pictures")
    yardstick, note = yield from fresh_portraits(app)
    found.sort(key=lambda neighbour: neighbour.difference)
    yield value(app, x, who, found, yardstick, note)


def value(
    app: App, x: Tensor, who: str, found: list[Neighbour], yardstick: Yardstick, note: str
) -> dict[str, Any]:
    """What memorization.js shows. found: all candidates, the nearest first."""
    own = found[0].difference
    said = (
        f"{len(yardstick.fresh)} new portraits, never used for training, differ by "
        f"{percent(yardstick.least)} to {percent(max(yardstick.fresh))} from theirs"
    )
    verdict = yardstick.says(own)
    return {
        "who": who,
        "picture": webp_data_url(pixels(x)[0]),
        "nearest": [
            {
                "picture": webp_data_url(neighbour.picture.permute(1, 2, 0).numpy()),
                "number": neighbour.index,
                "difference": percent(neighbour.difference),
            }
            for neighbour in found[:SHOWN]
        ],
        "verdict": verdict,
        "headline": HEADLINES[verdict].format(own=percent(own), fresh=said),
        "own": own,
        "fresh": list(yardstick.fresh),
        "limit": yardstick.limit,
        "about": "Difference: the mean over all pixels and colours; 0% is the same picture, 100% "
        f"black against white. Only the {CANDIDATES} of {len(AVATARS['train']):,} training "
        "pictures that our own classifier finds most similar are compared. Below "
        f"{percent(yardstick.limit)} it counts as a copy: that is {1 - CLEARLY:.0%} less than for "
        f"any new portrait. New portraits: {note}. {MEMORIZATION_SOURCE}",
        "provenance": f"{who} · {app.device_title}",
        "live": True,
    }


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def screen(**shared: Any) -> gr.HTML:
    """The card of an answer."""
    return gr.HTML(
        html_template=read("card/card.html"),
        css_template=read("card/card.css", HERE / "memorization.css"),
        js_on_load=read("card/card.js", HERE / "memorization.js"),
        apply_default_css=False,
        kind="copies",
        **shared,
    )


class MemorizationPanel(Panel):
    """The card below the rows whose portraits can be pressed."""

    def layout(self, page: Page) -> None:
        page.state = run_state(self.name)
        page.outputs = self.screens(page)
        picked = gr.HTML(
            value=None,
            html_template="<i></i>",
            js_on_load=read("card/card.js", HERE / "memorization_pick.js"),
            apply_default_css=False,
            elem_classes=["ov-picked"],
        )
        page.inputs = {"picked": picked}

    def triggers(self, page: Page) -> dict[str, Callable]:
        return {"": page.inputs["picked"].pick}

    def kept(self, app: App) -> dict[str, Any]:
        """A picture of the kept rows."""
        model = app.model(KEPT_FAMILY.model(PORTRAITS.id))
        x = final(model.sample(Noise([KEPT_SEED]), **model.published))
        who = f"{KEPT_FAMILY.title}, seed {KEPT_SEED}"
        return {"picked": {"picture": png_data_url(pixels(x)[0]), "who": who}}


PANEL = MemorizationPanel(
    tab="overview",
    id="copies",
    title="Is it a copy?",
    text=MEMORIZATION,
    run=compare,
    screen=screen,
    shows="The nearest training pictures",
    empty="Press one of the portraits above.",
    models=(KEPT_FAMILY.model(PORTRAITS.id), JUDGE),
    generates=False,
    seeds=(KEPT_SEED,),
)
