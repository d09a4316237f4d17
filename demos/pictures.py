"""A real picture to work on: from the data set, drawn, uploaded, or sampled by a model.

A panel that needs one has a `PictureInput` among its knobs:

    Panel(..., knobs=[partial(PictureInput, tab="diffusion", panel="forward"), Knob(...)])

and its run, a generator, is given it after the app, and asks
`pictures = yield from source.read(drawing, upload, settings)`. `Pictures` say themselves where they
come from. No picture of a data set travels with the project.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import gradio as gr
import torch
from torch import Tensor

from demos.handlers import App, message_of
from demos.knobs import FASHION, Knob, Knobs, raw
from demos.picture_files import prepare, prepare_drawing
from demos.upload import Upload, path_of
from demos.widgets.drawing import DrawingPad
from demos.working import Working, watch
from gen_core import Noise, available
from gen_core.checks import KnobError
from gen_core.data import ImageSet, MissingData, load_data
from gen_core.measure import published
from gen_core.noise import MAX_SEED

__all__ = [
    "Lines", "PictureInput", "Pictures", "on_this_machine", "prepare", "real_pictures", "result_of",
    "sampled_pictures", "seeds_from",
]  # fmt: skip

DATA, MODEL, DRAWING, UPLOAD = "Fashion-MNIST", "A model", "Drawing", "Upload"
MODELS = ("flow-fashion", "diffusion-fashion", "gan-fashion")
DOWNLOAD = "31 MB"
T = TypeVar("T")


@dataclass(frozen=True)
class Pictures:
    x: Tensor
    """(B, 1, 28, 28), for the text-to-image model (1, 3, 64, 64), in [-1, 1], on the CPU"""
    origin: str
    """Where they come from, ready to read: "Fashion-MNIST test set, not seen in training"."""
    names: tuple[str, ...]
    """What each one shows, "Sandal"; "" where nobody knows."""


@dataclass(frozen=True)
class Lines:
    """Python to show to a visitor."""

    needs: list[tuple[str, str]]
    """What it imports, (module, name); the name is "" for the module itself."""
    body: list[str]


@functools.cache
def _test_set(root: str | None) -> ImageSet:
    return load_data("fashion", "test", root, download=False)


def on_this_machine(root: str | None = None) -> bool:
    """Whether Fashion-MNIST is here, without a download."""
    try:
        _test_set(root)
    except MissingData:
        return False
    return True


def real_pictures(
    seed: int, count: int, label: int | None = None, root: str | None = None
) -> Pictures:
    """`count` pictures of the test set, of one class or of all, from number `seed` of these on.

    Raises MissingData where the set is not on this machine.
    """
    data = _test_set(root)
    indices = torch.arange(len(data)) if label is None else (data.labels == label).nonzero()[:, 0]
    chosen = indices[(seed + torch.arange(count)) % len(indices)]
    names = tuple(data.classes[int(i)] for i in data.labels[chosen])
    return Pictures(data.pictures(chosen), "Fashion-MNIST test set, not seen in training", names)


def sampled_pictures(
    app: App, model: str, seed: int, count: int, label: int | None = None
) -> Generator[Working, None, Pictures]:
    """`count` pictures that a model draws from the seeds on from `seed`; all classes in turn."""
    seeds = seeds_from(seed, count)
    labels = [i % len(FASHION) if label is None else label for i in range(count)]
    family = app.model(model)
    frames = family.sample(Noise(seeds), label=labels, **published(family))
    recording = yield from watch(frames, keep=2, doing=f"Sampling with {model}")
    names = tuple(FASHION[i] for i in labels)
    return Pictures(recording.frames[-1].x, f"sampled by {model}, not real", names)


def result_of(run: Generator[Any, None, T]) -> T:
    """What a generator returns at its end, for those who need no progress on the way."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            return end.value


def seeds_from(seed: int, count: int) -> range:
    """`count` seeds in a row; raises KnobError where there are no more."""
    if seed + count - 1 > MAX_SEED:
        raise KnobError(f"seed={seed}: choose 0 to {MAX_SEED - count + 1}, so that all have one")
    return range(seed, seed + count)


class PictureInput:
    """Controls that choose pictures. Two on one panel need different prefixes.

    other: a source of the panel's own, offered first; `read` does not know it.
    classes: False leaves out "All ten", where one picture is wanted.
    """

    def __init__(
        self, app: App, tab: str, panel: str, *, title: str = "Picture from", prefix: str = "",
        other: str = "", label: str = FASHION[9], seed: int = 0, classes: bool = False,
    ) -> None:  # fmt: skip
        self.app, self.name, self.prefix = app, f"{tab}_{panel}_{prefix}".rstrip("_"), prefix
        first = DATA if on_this_machine(app.data_root) else MODEL
        sources = ([other] if other else []) + [DATA, MODEL, DRAWING, UPLOAD]
        models = [name for name in MODELS if name in available()] or [MODELS[0]]
        self.knobs = [
            Knob(f"{prefix}source", title, "choice", first, options=sources),
            Knob(f"{prefix}label", "Class", "label", label, all_classes=classes),
            Knob(f"{prefix}sampled_by", "Sampled by", "choice", models[0], options=MODELS,
                 advanced=True),
            Knob(f"{prefix}seed", "Seed", "seed", seed),
        ]  # fmt: skip
        self.inputs: dict[str, gr.components.Component] = {}
        """What a run needs besides the knobs, by name: the drawing and the upload."""

    def build(self, knobs: Knobs) -> None:
        """Puts the controls on the page; only those of the chosen source are shown."""
        source, label, model, seed = (knob.name for knob in self.knobs)
        start = self.knobs[0].default
        knobs.build(source, label, model, seed)
        knobs.built[model].visible = start == MODEL
        with gr.Column(visible=self._missing(start), elem_classes=["missing-data"]) as missing:
            gr.Markdown(
                "Fashion-MNIST is not on this machine. Download it once, or choose another source."
            )
            fetch = gr.Button(f"Download it ({DOWNLOAD})", size="sm")
        with gr.Column(visible=False, elem_classes=["drawing-column"]) as drawing_column:
            drawing = raw(DrawingPad(label="Draw a piece of clothing"))
        upload = Upload(label="A picture, up to 4096 pixels a side", visible=False, height=130)
        self.inputs = {f"{self.prefix}drawing": drawing, f"{self.prefix}upload": upload}
        parts = [knobs.built[name] for name in (label, model, seed)]
        knobs.built[source].change(
            self._shown, knobs.built[source], [*parts, drawing_column, upload, missing],
            queue=False, show_progress="hidden", api_name=False,
        )  # fmt: skip
        fetch.click(
            self._fetch, None, missing, api_name=f"{self.name}_download",
            concurrency_id="download", concurrency_limit=1,
        )  # fmt: skip

    def read(
        self, drawing: Any, upload: Any, settings: Mapping[str, Any], count: int = 1
    ) -> Generator[Working, None, Pictures]:
        """The chosen pictures: `count` of them from the data set or a model, else the one there is.

        A generator, for `yield from`: sampling takes its time, shows progress and can be stopped.
        Raises KnobError or MissingData with a message for the visitor.
        """
        source, label, model, seed = (settings[knob.name] for knob in self.knobs)
        if source == DRAWING:
            return Pictures(prepare_drawing(drawing), "your drawing", ("",))
        if source == UPLOAD:
            return Pictures(prepare(path_of(upload)), "your upload", ("",))
        if source == MODEL:
            return (yield from sampled_pictures(self.app, model, seed, count, label))
        return real_pictures(seed, count, label, self.app.data_root)

    def code(self, settings: Mapping[str, Any], count: int = 1, name: str = "x") -> Lines:
        """Lines that make the same pictures, `name` (B, 1, 28, 28), for "Show the code"."""
        source, label, model, seed = (settings[knob.name] for knob in self.knobs)
        if source == DATA:
            every, some = "torch.arange(len(data))", f"(data.labels == {label}).nonzero()[:, 0]"
            return Lines(
                [("torch", ""), ("gen_core.data", "load_data")],
                [
                    'data = load_data("fashion", "test")',
                    f"indices = {every if label is None else some}",
                    f"places = torch.arange({seed}, {seed + count}) % len(indices)",
                    f"{name} = data.pictures(indices[places])",
                ],
            )
        if source == MODEL:
            labels = label if label is not None else [i % len(FASHION) for i in range(count)]
            core = [("gen_core", part) for part in ("Noise", "final", "load")]
            return Lines(
                [*core, ("gen_core.measure", "published")],
                [
                    f'other = load("{model}")',
                    f"noise = Noise(range({seed}, {seed + count}))",
                    f"{name} = final(other.sample(noise, label={labels}, **published(other)))",
                ],
            )
        return Lines(
            [("demos.pictures", "prepare")],
            [f'{name} = prepare("picture.png")  # your picture, saved under this name'],
        )

    def _missing(self, source: str) -> bool:
        return source == DATA and not on_this_machine(self.app.data_root)

    def _shown(self, source: str) -> list[Any]:
        visible = (
            source in (DATA, MODEL),
            source == MODEL,
            source not in (DRAWING, UPLOAD),
            source == DRAWING,
            source == UPLOAD,
            self._missing(source),
        )
        return [gr.update(visible=shown) for shown in visible]

    def _fetch(self, progress: gr.Progress = gr.Progress(track_tqdm=True)) -> Any:  # noqa: B008
        """Gradio finds the progress bar by this default, and shows torchvision's own in it."""
        try:
            load_data("fashion", "test", self.app.data_root)
        except MissingData as error:
            raise gr.Error(message_of(error), print_exception=False) from error
        gr.Info("Fashion-MNIST is here now.")
        return gr.update(visible=False)
