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
from typing import Any, TypeVar

import gradio as gr
import torch
from torch import Tensor

from demos.page.controls import FASHION, Knob
from demos.page.handlers import App, message_of
from demos.page.image_io import prepare, prepare_drawing
from demos.page.progress import Working, watch
from demos.page.source import Lines, Pictures, Shown, Source
from gen_core import Noise, available
from gen_core.checks import KnobError
from gen_core.data import ImageSet, MissingData, load_data
from gen_core.evaluation.cost import published
from gen_core.noise import MAX_SEED

__all__ = [
    "Lines",
    "PictureInput",
    "Pictures",
    "on_this_machine",
    "prepare",
    "real_pictures",
    "result_of",
    "sampled_pictures",
    "seeds_from",
]

DATA, MODEL, DRAWING, UPLOAD = "Fashion-MNIST", "A model", "Drawing", "Upload"
MODELS = ("flow-fashion", "diffusion-fashion", "gan-fashion")
DOWNLOAD = "31 MB"
T = TypeVar("T")


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


class PictureInput(Source):
    """Controls that choose pictures of clothing.

    other: a source of the panel's own, offered first; `read` does not know it.
    classes: False leaves out "All ten", where one picture is wanted.
    """

    drawing, upload = DRAWING, UPLOAD
    pad, colour = "Draw a piece of clothing", False

    def __init__(
        self,
        app: App,
        tab: str,
        panel: str,
        *,
        title: str = "Picture from",
        prefix: str = "",
        other: str = "",
        label: str = FASHION[9],
        seed: int = 0,
        classes: bool = False,
    ) -> None:
        self.name = f"{tab}_{panel}_{prefix}".rstrip("_")
        first = DATA if on_this_machine(app.data_root) else MODEL
        sources = ([other] if other else []) + [DATA, MODEL, DRAWING, UPLOAD]
        models = [name for name in MODELS if name in available()] or [MODELS[0]]
        knobs = [
            Knob(f"{prefix}source", title, "choice", first, options=sources),
            Knob(f"{prefix}label", "Class", "label", label, all_classes=classes),
            Knob(
                f"{prefix}sampled_by",
                "Sampled by",
                "choice",
                models[0],
                options=MODELS,
                advanced=True,
            ),
            Knob(f"{prefix}seed", "Seed", "seed", seed),
        ]
        super().__init__(app, knobs, prefix)

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        label, model, seed = knobs
        with gr.Column(elem_classes=["missing-data"]) as missing:
            gr.Markdown(
                "Fashion-MNIST is not on this machine. Download it once, or choose another source."
            )
            fetch = gr.Button(f"Download it ({DOWNLOAD})", size="sm")
        fetch.click(
            self._fetch,
            None,
            missing,
            api_name=f"{self.name}_download",
            concurrency_id="download",
            concurrency_limit=1,
        )
        return {
            label: lambda choice: choice in (DATA, MODEL),
            model: lambda choice: choice == MODEL,
            seed: lambda choice: choice not in (DRAWING, UPLOAD),
            missing: lambda choice: choice == DATA and not on_this_machine(self.app.data_root),
        }

    def read(
        self, drawing: Any, upload: Any, settings: Mapping[str, Any], count: int = 1
    ) -> Generator[Working, None, Pictures]:
        """The chosen pictures: `count` of them from the data set or a model, else the one there is.

        A generator, for `yield from`: sampling takes its time, shows progress and can be stopped.
        Raises KnobError or MissingData with a message for the visitor.
        """
        if own := self.brought(drawing, upload, settings):
            return own
        source, label, model, seed = self.values(settings)
        if source == MODEL:
            return (yield from sampled_pictures(self.app, model, seed, count, label))
        return real_pictures(seed, count, label, self.app.data_root)

    def code(self, settings: Mapping[str, Any], count: int = 1, name: str = "x") -> Lines:
        """Lines that make the same pictures, `name` (B, 1, 28, 28), for "Show the code"."""
        source, label, model, seed = self.values(settings)
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
                [*core, ("gen_core.evaluation.cost", "published")],
                [
                    f'other = load("{model}")',
                    f"noise = Noise(range({seed}, {seed + count}))",
                    f"{name} = final(other.sample(noise, label={labels}, **published(other)))",
                ],
            )
        return self.brought_code(name)

    def from_drawing(self, drawing: Any) -> Tensor:
        return prepare_drawing(drawing)

    def from_file(self, path: str) -> Tensor:
        return prepare(path)

    def brought_code(self, name: str) -> Lines:
        return Lines(
            [("demos.page.image_input", "prepare")],
            [f'{name} = prepare("picture.png")  # your picture, saved under this name'],
        )

    def _fetch(self, progress: gr.Progress = gr.Progress(track_tqdm=True)) -> Any:  # noqa: B008
        """Gradio finds the progress bar by this default, and shows torchvision's own in it."""
        try:
            load_data("fashion", "test", self.app.data_root)
        except MissingData as error:
            raise gr.Error(message_of(error), print_exception=False) from error
        gr.Info("Fashion-MNIST is here now.")
        return gr.update(visible=False)
