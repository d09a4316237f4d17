"""The timeline: all frames of a generation go to the browser once, then play and scrub there.

`Timeline(elem_id=...)` is the component; what a handler returns for it, a `TimelineValue`, is made
by `timeline_value` (the frames of a sampler) or `timeline_from_images` (any pictures: a walk
through latent space, the forward process, snapshots of a training run).
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from torch import Tensor

from demos.page.image_io import CardValue, Value, jpeg_data_url, png_data_url
from demos.widgets.card import card
from demos.widgets.card.export import MAX_PIXELS, MAX_SIDE
from gen_core.sampling import Frame, pixels

OUT_SPAN = 3.0
"""What a network says of noise is about N(0, 1): shown from -3 (black) to 3 (white)."""
BLUE, ORANGE = np.array([37, 99, 235]), np.array([217, 119, 6])
"""RGB of numbers below and above 0; 0 itself is white."""

LARGE, TOO_LARGE = 40_000, 120_000
"""Characters of a sheet's data URL from which on the frame shown first comes before it, and from
which on it is not sent exactly."""
JPEG_BYTES = 250_000
"""Of such a sheet, about: three of them, and what is exact, are a megabyte."""

PLAYER = ("timeline/icons.js", "timeline/player.js")
"""What a card that is gone through in time is built on; `timeline/player.css` is its style."""

Shown = str | Callable[[Frame], Tensor | None]
Lane = tuple[str, Shown] | tuple[str, Shown, float]
Clock = str | Callable[[Frame], str]


# --- the value ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet(Value):
    """A lane's pictures as one: frame k of sample b lies at (b * width, k * height).

    sheet: uint8 (frames * height, samples * width) or with a third axis for RGB
    width: pixels of one picture
    columns: samples in a row
    present: of every frame, whether there is anything in this lane
    still: whether nothing moves in it
    start: the frame shown first
    """

    title: str
    sheet: np.ndarray
    width: int
    height: int
    samples: int
    columns: int
    present: Sequence[bool]
    still: bool
    start: int

    def to_json(self) -> dict[str, Any]:
        """Of a large sheet the first frame to be shown also by itself, exact, and here before the
        others: "first". A very large sheet is a JPEG, for frames in motion."""
        told = super().to_json()
        if len(self.present) == 1:
            return told
        if len(told["sheet"]) > LARGE:
            top = self.start * self.height
            told["first"] = png_data_url(self.sheet[top : top + self.height])
        if len(told["sheet"]) > TOO_LARGE:
            told["sheet"] = jpeg_data_url(self.sheet, JPEG_BYTES)
        return told


@dataclass(frozen=True)
class Words(Value):
    """Where each word of a prompt was looked for.

    sheet: uint8 (frames * samples * side, words * side)
    lanes: titles of those that it lies over
    """

    words: Sequence[str]
    sheet: np.ndarray
    side: int
    lanes: Sequence[str]


@dataclass(frozen=True)
class Tokens(Value):
    """The pieces of a prompt, their numbers in the vocabulary, and their vectors as colours.

    sheet: uint8 (tokens, width, 3)
    """

    pieces: Sequence[str]
    ids: Sequence[int]
    sheet: np.ndarray


@dataclass(frozen=True)
class Part(Value):
    """One part of a machine, with lanes in it. It follows the timeline, open or closed.

    does: what goes in and what comes out: "13 tokens → 32 × 192 numbers"
    says: what it does, for those who open it
    lanes: titles; the first one stays in sight while the part is closed
    words: whether the words with their heat stand here
    """

    title: str
    does: str
    says: str
    lanes: Sequence[str] = ()
    words: bool = False
    tokens: Tokens | None = None


@dataclass(frozen=True)
class Offer(Value):
    """What a visitor may do next, under the pictures.

    says: what was seen in them; title: of the link; query: the address it leads to, "?tab=..."
    """

    says: str
    title: str
    query: str


@dataclass(frozen=True, kw_only=True)
class TimelineValue(CardValue):
    """Pictures over time, N frames. Raises ValueError when lengths do not fit together.

    levels: the clock of every frame, ready to read: "t = 0.35"
    steps: the number shown for every frame
    total: the last of all steps
    step_word: what a step is called: "step", "training step", "picture"
    ms_per_step: measured, shown beside the step
    provenance: where the frames come from: "cpu, 412 ms", or "computed before on a cpu"
    live: whether that was just now; False marks it as computed before
    name: the start of the downloaded files' names
    alt: what the pictures show, for those who do not see them
    curves: charts under the lanes, each {"title", "x_label", "y_label"?, "log_x"?, "log_y"?,
        "y_range"?: what its axis shows at least, "series": [{"name", "points": [[x, y], ...]}],
        "at": [x of every frame]}
    bars: charts under a lane, each {"lane": its title, "title", "labels", "values": N lists,
        "threshold"?, "summary"?: N texts, "percent"?: values are shares}
    notes: a text for every frame, or none at all
    parts: the lanes stand in them
    start: the frame shown first
    autoplay: play once by itself when the value arrives, unless the visitor wants less motion
    """

    lanes: Sequence[Sheet]
    levels: Sequence[str]
    steps: Sequence[int]
    total: int
    step_word: str = "step"
    ms_per_step: float | None = None
    provenance: str = ""
    live: bool = True
    name: str = "timeline"
    alt: str = ""
    curves: Sequence[Mapping[str, Any]] = ()
    bars: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()
    words: Words | None = None
    offer: Offer | None = None
    parts: Sequence[Part] = ()
    start: int
    autoplay: bool = False

    def __post_init__(self) -> None:
        count, titles = len(self.levels), [lane.title for lane in self.lanes]
        if not 0 <= self.start < count:
            raise ValueError(f"start={self.start}: choose a whole number from 0 to {count - 1}")
        _check_lengths(count, steps=self.steps, notes=self.notes or self.levels)
        for curve in self.curves:
            _check_lengths(count, **{f"curve {curve['title']!r}: at": curve["at"]})
        for bar in self.bars:
            if bar["lane"] not in titles:
                raise ValueError(f"bars under {bar['lane']!r}: the lanes are {', '.join(titles)}")
            summary = bar.get("summary") or self.levels
            _check_lengths(count, values=bar["values"], summary=summary)

    @property
    def finished(self) -> bool:
        """Whether the last step is among the frames."""
        return self.steps[-1] == self.total

    def last_pictures(self) -> np.ndarray:
        """uint8 (B, H, W, 3): what the first lane that moves shows in the last frame."""
        lane = next(lane for lane in self.lanes if not lane.still)
        row = lane.sheet[-lane.height :]
        if row.ndim == 2:
            row = row[..., None].repeat(3, axis=2)
        return row.reshape(lane.height, lane.samples, lane.width, 3).swapaxes(0, 1).copy()


def Timeline(
    *,
    elem_id: str,
    label: str = "Timeline",
    value: TimelineValue | dict[str, Any] | None = None,
    empty: str = "Press the button to fill the timeline.",
) -> gr.HTML:
    """A gr.HTML that plays a `TimelineValue`.

    `label` names the widget to screen readers, `empty` is what it says before the first frames.
    """
    return card(
        "timeline",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=[
            *PLAYER,
            *(f"timeline/{name}.js" for name in ("charts", "export", "words", "parts")),
        ],
        styles=[f"timeline/{name}.css" for name in ("charts", "words", "parts", "player")],
    )


# --- from frames, from pictures -------------------------------------------------------------------


def timeline_value(
    frames: Sequence[Frame],
    lanes: Sequence[Lane] = (("State", "x"),),
    *,
    clock: Clock = "t",
    live: bool = True,
    **shown: Any,
) -> TimelineValue:
    """The frames of one generation.

    Args:
        frames: what `gen_core.sampling.record` returns; images (B, 1 or 3, H, W).
        lanes: (title, "x" | "x0" | "out") or (title, attribute, span): values from -span (black)
            to span (white); span is 1 unless given, 3 for "out". The last frame has neither x0 nor
            out: there its x0 is the sample itself, and its out stays empty. A function in the
            attribute's place makes the lane's pictures of each frame.
        clock: the family's clock, a name such as "t" (shown as "t = 0.35") or a function of Frame.
        live, shown: see `timeline_from_images`; live frames play once by themselves unless
            autoplay=False.

    Raises ValueError when there are no frames or a lane holds no pictures.
    """
    if not frames:
        raise ValueError("a timeline needs at least one frame")
    return timeline_from_images(
        {lane[0]: _lane_pictures(frames, *lane[1:]) for lane in lanes},
        [clock(f) if callable(clock) else f"{clock} = {_short(f.level)}" for f in frames],
        steps=[frame.step for frame in frames],
        total=frames[-1].total,
        live=live,
        **{"autoplay": live} | shown,
    )


def _short(level: float) -> str:
    return f"{level:.0f}" if abs(level) >= 100 else f"{level:.3g}"


def _lane_pictures(
    frames: Sequence[Frame], attribute: Shown, span: float | None = None
) -> list[np.ndarray | None]:
    if callable(attribute):
        tensors, scale = [attribute(frame) for frame in frames], span or 1.0
    elif attribute not in ("x", "x0", "out"):
        raise ValueError(f"lane attribute {attribute!r}: choose one of x, x0, out")
    else:
        tensors = [getattr(frame, attribute) for frame in frames]
        scale = span or (OUT_SPAN if attribute == "out" else 1.0)
        if attribute == "x0" and tensors[-1] is None:
            tensors[-1] = frames[-1].x
        if tensors[0] is None:
            raise ValueError(f"lane attribute {attribute!r}: the frames carry none")
    return [None if tensor is None else pixels(tensor / scale) for tensor in tensors]


def timeline_from_images(
    lanes: Mapping[str, Sequence[np.ndarray | None]],
    levels: Sequence[str],
    *,
    steps: Sequence[int] | None = None,
    total: int | None = None,
    start: int | None = None,
    columns: int | None = None,
    still: Mapping[str, np.ndarray] | None = None,
    name: str = "timeline",
    **shown: Any,
) -> TimelineValue:
    """Pictures over time. N frames, one entry of `levels` each.

    Args:
        lanes: title -> N pictures, each uint8 (B, H, W) or (B, H, W, 3) as `pixels` gives them;
            None leaves that lane empty in that frame. Lanes may differ in B, H and W.
        steps, total: 0 .. N - 1 by themselves.
        start: the last frame by itself.
        columns: samples in a row; a square grid by itself.
        still: title -> pictures of one moment: lanes before the others in which nothing moves.
        shown: the other fields of `TimelineValue`.

    Raises ValueError when lengths, shapes or numbers do not fit together.
    """
    count = len(levels)
    if not count or not lanes:
        raise ValueError("a timeline needs at least one frame and one lane")
    standing = {title: [images] * count for title, images in (still or {}).items()}
    steps = [*range(count)] if steps is None else [int(step) for step in steps]
    start = count - 1 if start is None else start
    return TimelineValue(
        lanes=[
            _sheet(title, images, count, columns, title in standing, start)
            for title, images in (standing | dict(lanes)).items()
        ],
        levels=[str(level) for level in levels],
        steps=steps,
        total=steps[-1] if total is None else total,
        start=start,
        name=re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "timeline",
        **shown,
    )


def words_value(words: Sequence[str], heat: Sequence[Tensor], lanes: Sequence[str]) -> Words:
    """Heat over the lanes of these titles.

    heat: one tensor for each frame, (B, words, side, side), any scale from 0 up: every word of
    every picture is shown relative to its own largest value in the whole run.
    """
    levels = np.stack([maps.numpy() for maps in heat])  # (frames, B, words, side, side)
    frames, samples, count, side = levels.shape[:4]
    if count != len(words):
        raise ValueError(f"heat of {count} words for {len(words)} words")
    most = levels.max(axis=(0, 3, 4), keepdims=True)
    grey = (255 * levels / np.maximum(most, 1e-9)).round().astype(np.uint8)
    sheet = grey.transpose(0, 1, 3, 2, 4).reshape(frames * samples * side, count * side)
    return Words(words, sheet, side, lanes)


def tokens_value(pieces: Sequence[str], ids: Sequence[int], vectors: Tensor) -> Tokens:
    """Tokens, their numbers in the vocabulary, and their vectors (tokens, width)."""
    if not len(pieces) == len(ids) == len(vectors):
        raise ValueError(f"{len(pieces)} tokens, {len(ids)} numbers, {len(vectors)} vectors")
    values = vectors.float().cpu().numpy()
    most = max(np.quantile(np.abs(values), 0.99), 1e-9)  # a few outliers may not pale the rest
    strength = np.clip(np.abs(values) / most, 0, 1)[..., None]
    colour = np.where((values < 0)[..., None], BLUE, ORANGE)
    rows = (255 * (1 - strength) + colour * strength).round().astype(np.uint8)
    return Tokens(pieces, [int(i) for i in ids], rows)


def _check_lengths(count: int, **lists: Sequence[Any]) -> None:
    for what, values in lists.items():
        if len(values) != count:
            raise ValueError(f"{what} has {len(values)} entries for {count} frames")


def _sheet(
    title: str,
    images: Sequence[np.ndarray | None],
    count: int,
    columns: int | None,
    still: bool,
    start: int,
) -> Sheet:
    _check_lengths(count, **{f"lane {title!r}": images})
    shapes = {image.shape for image in images if image is not None}
    if len(shapes) != 1:
        raise ValueError(f"lane {title!r}: pictures of one shape are needed, got {sorted(shapes)}")
    shape = shapes.pop()
    if len(shape) not in (3, 4) or shape[3:] not in ((), (3,)) or 0 in shape:
        raise ValueError(
            f"lane {title!r}: pictures of shape {shape}: takes (B, H, W) or (B, H, W, 3)"
        )
    samples, height, width = shape[:3]
    size = (samples * width, count * height)
    if max(size) > MAX_SIDE or size[0] * size[1] > MAX_PIXELS:
        raise ValueError(
            f"lane {title!r}: {samples} samples in {count} frames of {width} x {height} pixels make"
            f" too large a sheet for browsers; record fewer frames or samples"
        )
    rows = [np.zeros(shape, np.uint8) if image is None else image for image in images]
    if any(row.dtype != np.uint8 for row in rows):
        raise ValueError(
            f"lane {title!r}: pictures are uint8, 0 to 255; see gen_core.sampling.pixels"
        )
    return Sheet(
        title,
        np.concatenate([np.concatenate(list(row), axis=1) for row in rows]),
        width,
        height,
        samples,
        min(columns or math.ceil(math.sqrt(samples)), samples),
        [image is not None for image in images],
        still,
        start,
    )
