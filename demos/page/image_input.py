"""Choosing a picture to work on: knobs, a pad to draw on and an upload, each shown when chosen.

A panel of clothing has a `PictureInput` among its knobs, which also offers the data set and what a
model samples:

    Panel(..., knobs=[partial(PictureInput, tab="diffusion", panel="forward"), Knob(...)])

and its run, a generator, is given it after the app, and asks
`pictures = yield from source.read(drawing, upload, settings)`. `Pictures` say themselves where they
come from. The data set itself does not travel with the project.
"""

import functools
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import torch
from gradio.data_classes import GradioRootModel
from gradio_client.utils import is_file_obj_with_meta
from torch import Tensor

from demos.page.cleaning import GONE
from demos.page.controls import FASHION, Knob, Knobs
from demos.page.decoding import MEGAPIXELS
from demos.page.handlers import App, message_of, watch
from demos.page.picture_files import in_data_url, prepare, prepare_colour
from demos.widgets.drawing import DrawingPad
from gen_core import available
from gen_core.data import ImageSet, MissingData, load_data
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import Meter, seeds_from

DATA, MODEL, DRAWING, UPLOAD = "Fashion-MNIST", "A model", "Drawing", "Upload"
AUTOREGRESSIVE = "Autoregressive"
NAMES = {
    "Flow matching": "flow-fashion",
    "Diffusion": "diffusion-fashion",
    "GAN": "gan-fashion",
    AUTOREGRESSIVE: "autoregressive-fashion",
}
"""The models that draw clothes, as a visitor reads them."""
MODELS = tuple(NAMES.values())
RANDOM = "A random code"
"""In place of a picture, where a code will do."""
DOWNLOAD = "31 MB"
SCRIPT = Path(__file__).parent / "upload_field.js"

TYPES = ["image", ".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".bmp"]
"""For the browser: with "image" alone telephones offer the album, and those that save photos as
HEIC convert them where JPEG is named and HEIC is not. upload_field.js lets other files through, for
it is the server that says what they are."""

Shown = Mapping[gr.components.Component | gr.Column, Callable[[str], bool]]
"""Parts of the page, and with which choices each is shown."""


@dataclass(frozen=True)
class Pictures:
    x: Tensor
    """(B, 1, 28, 28), for portraits and the text-to-image model (1, 3, 64, 64), in [-1, 1], on the
    CPU"""
    origin: str
    """Where they come from, ready to read: "Fashion-MNIST test set, not seen in training"."""
    names: tuple[str, ...]
    """What each one shows, "Sandal"; "" where nobody knows."""


class Source:
    """Several knobs, of which the first is the choice. Two on one panel need different prefixes."""

    drawing, upload = "A drawing", "An upload"
    """The choices with which visitors bring a picture of their own."""
    subject = "face"
    """What they draw."""
    colour = True
    prepare = staticmethod(prepare_colour)
    """Makes of its file what the models take."""
    column_width = 320

    def __init__(self, app: App, knobs: Sequence[Knob], prefix: str = "", which: str = "") -> None:
        """which: "First" or the like, which tells its controls from others of the panel."""
        self.app, self.knobs, self.prefix, self.which = app, list(knobs), prefix, which
        self.inputs: dict[str, gr.components.Component] = {}
        """What a run needs besides the knobs, by name: the drawing and the upload."""

    def build(self, knobs: Knobs) -> None:
        """Puts the controls on the page; only those of the choice are shown."""
        knobs.build(*(knob.name for knob in self.knobs))
        choice, *others = (knobs.built[knob.name] for knob in self.knobs)
        shown = dict(self.shown_with(*others))
        with gr.Column(min_width=self.column_width, elem_classes=["drawing-column"]) as column:
            self.above_pad()
            article = f"the {self.which.lower()}" if self.which else "a"
            drawing = DrawingPad(label=f"Draw {article} {self.subject}", colour=self.colour)
        upload = Upload(label=upload_label(self.which), file_types=TYPES, height=130)
        self.inputs = {f"{self.prefix}drawing": drawing, f"{self.prefix}upload": upload}
        shown[column] = lambda choice: choice == self.drawing
        shown[upload] = lambda choice: choice == self.upload
        for part, fits in shown.items():
            part.visible = fits(self.knobs[0].default)

        def follow(chosen: Any) -> list[Any]:
            return [gr.update(visible=fits(chosen)) for fits in shown.values()]

        choice.change(
            follow,
            choice,
            list(shown),
            queue=False,
            show_progress="hidden",
            api_visibility="private",
        )

    def shown_with(self, *knobs: gr.components.Component) -> Shown:
        """Which of the other knobs, and of what it puts below them, go with which choices."""
        return {}

    def above_pad(self) -> None:
        """Puts on the page what stands above the pad."""

    def values(self, settings: Mapping[str, Any]) -> list[Any]:
        """Those of its knobs, among the validated ones of the panel."""
        return [settings[knob.name] for knob in self.knobs]

    def brought(self, drawing: Any, upload: Any, settings: Mapping[str, Any]) -> Pictures | None:
        """The visitor's own picture, where that is the choice. Raises KnobError."""
        chosen = self.values(settings)[0]
        if chosen == self.drawing:
            x = self.prepare(in_data_url(drawing, "drawing"), "drawing")
            return Pictures(x, "your drawing", ("",))
        if chosen == self.upload:
            return Pictures(self.prepare(path_of(upload)), "your upload", ("",))
        return None

    def brought_code(self, name: str) -> list[str]:
        """Lines that open the visitor's own picture, saved as a file."""
        opened = f'{self.prepare.__name__}("picture.png")'
        return [f"{name} = {opened}  # your picture, saved under this name"]


def upload_label(which: str = "") -> str:
    """A field's label, with the limit that holds for every kind of picture file."""
    return f"{which or 'A'} picture, up to {MEGAPIXELS} megapixels"


def titled(which: str, label: str) -> str:
    """A control's label with the word that tells it from others: "First seed"."""
    return f"{which} {label[0].lower()}{label[1:]}" if which else label


class Anything(GradioRootModel):
    """Whatever came: `path_of` says what is wrong with it, in the words of this page."""

    root: Any


class Upload(gr.File):
    """gr.File that hands its value on unchecked. Gradio looks at its class for a new object,
    which it makes whenever an event updates this one; hence a property of the class."""

    is_template = True  # to the browser it is a gr.File

    data_model = property(lambda self: Anything, lambda self, kind: None)

    def api_info(self) -> dict[str, Any]:
        return gr.FileData.model_json_schema()


def path_of(upload: Any) -> str:
    """Where Gradio keeps the uploaded file. Raises KnobError for anything but such a file, and for
    one that was deleted meanwhile.

    Only what Gradio took for a file has been looked up among the uploads. A bare path has not:
    it would open any file of this machine.
    """
    upload = getattr(upload, "root", upload)
    if upload is None:
        raise KnobError("upload: choose a picture file first")
    if not is_file_obj_with_meta(upload):
        raise KnobError(f"upload={str(upload)[:40]!r}: takes one picture file")
    if not Path(upload["path"]).exists():
        raise KnobError(f"upload: {GONE}")
    return upload["path"]


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
) -> Generator[Progress, None, Pictures]:
    """`count` pictures that a model draws from the seeds on from `seed`; all classes in turn."""
    seeds = seeds_from(seed, count)
    labels = [i % len(FASHION) if label is None else label for i in range(count)]
    family = app.model(model)
    meter = Meter(family, seeds, label=labels, **family.published)
    title = next((title for title, name in NAMES.items() if name == model), model)
    x = yield from watch(meter, f"Drawing with {title}")
    names = tuple(FASHION[i] for i in labels)
    return Pictures(x, f"generated by a model ({title}), not real", names)


class PictureInput(Source):
    """Controls that choose pictures of clothing.

    other: a source of the panel's own, offered first; `read` does not know it.
    classes: False leaves out "All ten", where one picture is wanted.
    first: the choice at first; a model, for the data set is not everywhere.
    drawn_by: that model at first, as a visitor reads it; "": the first there is.
    """

    drawing, upload = DRAWING, UPLOAD
    subject, colour = "piece of clothing", False
    prepare = staticmethod(prepare)

    def __init__(
        self,
        app: App,
        tab: str,
        panel: str,
        *,
        title: str = "Picture from",
        prefix: str = "",
        which: str = "",
        other: str = "",
        label: str = FASHION[9],
        seed: int = 0,
        classes: bool = False,
        first: str = MODEL,
        drawn_by: str = "",
    ) -> None:
        self.name = f"{tab}_{panel}_{prefix}".rstrip("_")
        sources = ([other] if other else []) + [DATA, MODEL, DRAWING, UPLOAD]
        models = [title for title, name in NAMES.items() if name in available()] or [*NAMES]
        knobs = [
            Knob(f"{prefix}source", title, "choice", other or first, options=sources),
            Knob(f"{prefix}label", titled(which, "Class"), "label", label, all_classes=classes),
            Knob(
                f"{prefix}sampled_by",
                titled(which, "Model") if which else "Which model",
                "choice",
                drawn_by if drawn_by in models else models[0],
                options=[*NAMES],
                names=NAMES,
                advanced=True,
            ),
            Knob(f"{prefix}seed", titled(which, "Seed"), "seed", seed),
        ]
        super().__init__(app, knobs, prefix, which)

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
    ) -> Generator[Progress, None, Pictures]:
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

    def code(self, settings: Mapping[str, Any], count: int = 1, name: str = "x") -> list[str]:
        """Lines that make the same pictures, `name` (B, 1, 28, 28), for "Show the code"."""
        source, label, model, seed = self.values(settings)
        if source == DATA:
            every, some = "torch.arange(len(data))", f"(data.labels == {label}).nonzero()[:, 0]"
            return [
                'data = load_data("fashion", "test")',
                f"indices = {every if label is None else some}",
                f"places = torch.arange({seed}, {seed + count}) % len(indices)",
                f"{name} = data.pictures(indices[places])",
            ]
        if source == MODEL:
            labels = label if label is not None else [i % len(FASHION) for i in range(count)]
            return [
                f'other = load("{model}")',
                f"noise = Noise(range({seed}, {seed + count}))",
                f"{name} = final(other.sample(noise, label={labels}, **other.published))",
            ]
        return self.brought_code(name)

    def _fetch(self, progress: gr.Progress = gr.Progress(track_tqdm=True)) -> Any:  # noqa: B008
        """Gradio finds the progress bar by this default, and shows torchvision's own in it."""
        try:
            load_data("fashion", "test", self.app.data_root)
        except MissingData as error:
            raise gr.Error(message_of(error), print_exception=False) from error
        gr.Info("Fashion-MNIST is here now.")
        return gr.update(visible=False)
