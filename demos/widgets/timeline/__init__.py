"""The timeline: all frames of a generation go to the browser once, then play and scrub there.

`Timeline(elem_id=...)` is the component; what a handler returns for it is made by `timeline_value`
(the frames of a sampler) or `timeline_from_images` (any pictures: a walk through latent space,
the forward process, snapshots of a training run). Both return plain JSON.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
import numpy as np
from torch import Tensor

from demos.page.figures import pixels, png_data_url
from demos.widgets.card import card
from demos.widgets.timeline.gif import MAX_PIXELS, MAX_SIDE, encode_gif
from gen_core.family import Frame

OUT_SPAN = 3.0
"""What a network says of noise is about N(0, 1): shown from -3 (black) to 3 (white)."""

Shown = str | Callable[[Frame], Tensor | None]
Lane = tuple[str, Shown] | tuple[str, Shown, float]
Clock = str | Callable[[Frame], str]


def Timeline(
    *,
    elem_id: str,
    label: str = "Timeline",
    value: dict[str, Any] | None = None,
    empty: str = "Press the button to fill the timeline.",
    **options: Any,
) -> gr.HTML:
    """A gr.HTML that plays what `timeline_value` and `timeline_from_images` return.

    `label` names the widget to screen readers, `empty` is what it says before the first frames;
    `options` go to gr.HTML (visible, scale, elem_classes, ...).
    """
    return card(
        "timeline",
        elem_id=elem_id,
        label=label,
        value=value,
        empty=empty,
        scripts=(
            "timeline/icons.js",
            "timeline/charts.js",
            "timeline/export.js",
            "timeline/words.js",
            "timeline/parts.js",
        ),
        styles=("timeline/charts.css", "timeline/words.css", "timeline/parts.css"),
        server_functions=[encode_gif],
        **options,
    )


def timeline_value(
    frames: Sequence[Frame],
    lanes: Sequence[Lane] = (("State", "x"),),
    *,
    columns: int | None = None,
    clock: Clock = "t",
    ms_per_step: float | None = None,
    provenance: str = "",
    live: bool = True,
    name: str = "timeline",
    **extras: Any,
) -> dict[str, Any]:
    """The frames of one generation, as the timeline's value.

    Args:
        frames: what `gen_core.family.record` returns; images (B, 1 or 3, H, W).
        lanes: (title, "x" | "x0" | "out") or (title, attribute, span): values from -span (black)
            to span (white); span is 1 unless told, 3 for "out". The last frame has neither x0 nor
            out: there its x0 is the sample itself, and its out stays empty. A function in the
            attribute's place makes the lane's pictures of each frame.
        clock: the family's clock, a name such as "t" (shown as "t = 0.35") or a function of Frame.
        columns, ms_per_step, provenance, live, name and `extras`: see `timeline_from_images`;
            live frames play once by themselves unless autoplay=False.

    Raises ValueError when there are no frames or a lane holds no pictures.
    """
    if not frames:
        raise ValueError("a timeline needs at least one frame")
    extras.setdefault("autoplay", live)
    return timeline_from_images(
        {lane[0]: _lane_pictures(frames, *lane[1:]) for lane in lanes},
        [clock(f) if callable(clock) else f"{clock} = {_short(f.level)}" for f in frames],
        steps=[frame.step for frame in frames],
        total=frames[-1].total,
        columns=columns,
        ms_per_step=ms_per_step,
        provenance=provenance,
        live=live,
        name=name,
        **extras,
    )


def _short(level: float) -> str:
    return f"{level:.0f}" if abs(level) >= 100 else f"{level:.3g}"


def _lane_pictures(
    frames: Sequence[Frame],
    attribute: Shown,
    span: float | None = None,
) -> list[np.ndarray | None]:
    if callable(attribute):
        made = [attribute(frame) for frame in frames]
        return [None if tensor is None else pixels(tensor / (span or 1)) for tensor in made]
    if attribute not in ("x", "x0", "out"):
        raise ValueError(f"lane attribute {attribute!r}: choose one of x, x0, out")
    scale = span or (OUT_SPAN if attribute == "out" else 1.0)
    tensors: list[Tensor | None] = [getattr(frame, attribute) for frame in frames]
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
    step_word: str = "step",
    columns: int | None = None,
    ms_per_step: float | None = None,
    provenance: str = "",
    live: bool = True,
    name: str = "timeline",
    alt: str = "",
    curves: Sequence[dict[str, Any]] = (),
    bars: Sequence[dict[str, Any]] = (),
    notes: Sequence[str] = (),
    words: dict[str, Any] | None = None,
    parts: Sequence[dict[str, Any]] = (),
    start: int | None = None,
    autoplay: bool = False,
    still: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Pictures over time, as the timeline's value. N frames, one entry of `levels` each.

    Args:
        lanes: title -> N pictures, each uint8 (B, H, W) or (B, H, W, 3) as `pixels` gives them;
            None leaves that lane empty in that frame. Lanes may differ in B, H and W.
        levels: the clock of every frame, ready to read: "t = 0.35".
        steps, total: the number shown for every frame, and the last of all; 0 .. N - 1 by itself.
        step_word: what a step is called: "step", "training step", "picture".
        columns: samples in a row; a square grid by itself.
        ms_per_step: measured, shown beside the step.
        provenance: where the frames come from: "cpu, 412 ms", or "computed before on a cpu".
        live: True marks the provenance as live, False as computed before.
        name: the start of the downloaded files' names.
        alt: what the pictures show, for those who do not see them.
        curves: charts under the lanes, each {"title", "x_label", "y_label"?, "log_x"?, "log_y"?,
            "series": [{"name", "points": [[x, y], ...]}], "at": [x of every frame]}.
        bars: charts under a lane, each {"lane": its title, "title", "labels", "values": N lists,
            "threshold"?, "summary"?: N texts, "percent"?: values are shares}.
        notes: a text for every frame.
        words: what `timeline_words.words_value` returns.
        parts: what `timeline_parts.parts_value` returns: the lanes stand in them.
        start: the frame shown first; the last by itself.
        autoplay: play once by itself when the value arrives, unless the visitor wants less motion.
        still: title -> pictures of one moment: lanes before the others in which nothing moves.

    Raises ValueError when lengths, shapes or numbers do not fit together.
    """
    count = len(levels)
    if not count or not lanes:
        raise ValueError("a timeline needs at least one frame and one lane")
    steps = list(range(count)) if steps is None else [int(step) for step in steps]
    start = count - 1 if start is None else start
    if not 0 <= start < count:
        raise ValueError(f"start={start}: choose a whole number from 0 to {count - 1}")
    _check_lengths(count, steps=steps, notes=notes or levels)
    _check_charts(levels, lanes, curves, bars)
    standing = {title: [images] * count for title, images in (still or {}).items()}
    return _plain(
        {
            "lanes": [
                _lane(title, images, count, columns) | {"still": title in standing}
                for title, images in (standing | dict(lanes)).items()
            ],
            "levels": [str(level) for level in levels],
            "steps": steps,
            "total": steps[-1] if total is None else total,
            "step_word": step_word,
            "ms_per_step": ms_per_step,
            "provenance": provenance,
            "live": live,
            "name": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "timeline",
            "alt": alt,
            "curves": list(curves),
            "bars": list(bars),
            "notes": list(notes),
            "words": words,
            "parts": list(parts),
            "start": start,
            "autoplay": autoplay,
        }
    )


def _check_charts(
    levels: Sequence[str], lanes: Mapping[str, Any], curves: Sequence[dict], bars: Sequence[dict]
) -> None:
    count = len(levels)
    for curve in curves:
        _check_lengths(count, **{f"curve {curve['title']!r}: at": curve["at"]})
    for bar in bars:
        if bar["lane"] not in lanes:
            raise ValueError(f"bars under {bar['lane']!r}: the lanes are {', '.join(lanes)}")
        _check_lengths(count, values=bar["values"], summary=bar.get("summary") or levels)


def _check_lengths(count: int, **lists: Sequence[Any]) -> None:
    for what, values in lists.items():
        if len(values) != count:
            raise ValueError(f"{what} has {len(values)} entries for {count} frames")


def _lane(
    title: str, images: Sequence[np.ndarray | None], count: int, columns: int | None
) -> dict[str, Any]:
    """One sprite sheet: frame k of sample b lies at (left, top) = (b * width, k * height)."""
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
            f"lane {title!r}: pictures are uint8, 0 to 255; see demos.page.figures.pixels"
        )
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
    return {
        "title": title,
        "sheet": png_data_url(sheet),
        "width": width,
        "height": height,
        "samples": samples,
        "columns": min(columns or math.ceil(math.sqrt(samples)), samples),
        "present": [image is not None for image in images],
    }


def _plain(value: Any) -> Any:
    """NumPy numbers as Python's own; raises ValueError on NaN, which JSON cannot carry."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} in a timeline: numbers must be finite")
    return value
