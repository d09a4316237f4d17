"""What cards save: PNG and GIF files that say what made the pictures in them.

A PNG is what the page drew; a GIF is a timeline, made from the sprite sheets of its lanes.
"""

import base64
import binascii
import io
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

from demos.page.image_io import data_url
from gen_core.knobs import KnobError, text, whole
from gen_core.provenance.metadata import about, png
from gen_core.sampling import MAX_SEED

MAX_SIDE = 16_000
"""Pixels: the longest side of a picture that every current browser draws."""
MAX_PIXELS = 40_000_000
"""Pixels of a PNG, of all sprite sheets together, and of all frames of one GIF together."""
PAPER, INK, FAINT = "white", "#1f2937", "#6b7280"
MARGIN, LINE, LANE_WIDTH = 16, 22, 300
"""Pixels: around and between lanes, a line of text, how wide a lane is enlarged to be at most."""
LAST_FRAME_MS = 1500
PALETTE_PIXELS, PAPER_EVERY = 20_000, 50
"""Of each lane, and of its last frame once more, about how many pixels a GIF's colours are chosen
from; and every how many of the page around them."""
MAX_SETTINGS, MAX_TEXT = 60, 10_000
"""That made a picture, and the characters of each."""
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class _Lane:
    title: str
    sheet: Image.Image
    width: int
    height: int
    samples: int
    columns: int
    present: list[bool]

    def size(self, scale: int) -> tuple[int, int]:
        rows = -(-self.samples // self.columns)
        return (self.columns * (self.width + 1) - 1) * scale, (rows * (self.height + 1) - 1) * scale

    def frame(self, index: int, scale: int) -> Image.Image:
        """The grid of samples at one frame, in the sheet's mode, each pixel `scale` wide."""
        picture = Image.new(self.sheet.mode, self.size(scale), PAPER)
        top = index * self.height
        for i in range(self.samples if self.present[index] else 0):
            box = (i * self.width, top, (i + 1) * self.width, top + self.height)
            tile = self.sheet.crop(box).resize(
                (self.width * scale, self.height * scale), Image.Resampling.NEAREST
            )
            column, row = i % self.columns, i // self.columns
            picture.paste(
                tile, (column * (self.width + 1) * scale, row * (self.height + 1) * scale)
            )
        return picture


def export_file(request: Any) -> dict[str, str]:
    """{"file": data URL} of a PNG or a GIF that says what made the pictures in it, or {"error":
    message} for anything but what the page shows.

    request: {"made": the model and what it was asked for, as `made_by` says} with {"png": what the
    page drew, as a data URL}, or for a GIF {"lanes": as in a timeline's value, "captions": a text
    for every frame, "frame_ms"}.
    Called by the page itself, outside Gradio's queue: so it never raises, and runs one at a time.
    """
    try:
        if not isinstance(request, dict):
            raise KnobError("a file needs a PNG, or the lanes, captions and frame_ms of a timeline")
        said = _about(request.get("made"))
        with _one_at_a_time:  # pictures are large once they are decoded
            if "png" in request:
                picture = _opened(request["png"], "png", None, MAX_PIXELS).convert("RGB")
                return {"file": data_url(png(np.asarray(picture), said))}
            return {"file": _animation(*_checked(request), said.get("Description", ""))}
    except KnobError as error:
        return {"error": str(error)}


def _about(made: Any) -> dict[str, str]:
    """What the file says of itself, PNG keyword -> text; nothing where nothing is known."""
    if not isinstance(made, dict) or len(made) > MAX_SETTINGS:
        raise KnobError(f"made: takes a model and at most {MAX_SETTINGS} settings")
    if not made:
        return {}
    known = {name: text(str(name), str(value), MAX_TEXT) for name, value in made.items()}
    seeds = {n: whole(n, made[n], 0, MAX_SEED) for n in ("seed", "count") if n in made}
    return about(known.get("model", "unknown"), known | seeds)


def _checked(request: dict[str, Any]) -> tuple[list[_Lane], list[str], int]:
    captions = _texts("captions", request.get("captions"))
    whole("number of frames", len(captions), 1, 1000)
    frame_ms = whole("frame_ms", request.get("frame_ms"), 20, 5000)
    lanes = request.get("lanes")
    if not isinstance(lanes, list):
        raise KnobError("lanes: takes a list")
    whole("number of lanes", len(lanes), 1, 8)
    checked, room = [], MAX_PIXELS
    for lane in lanes:
        checked.append(_checked_lane(lane, len(captions), room))
        room -= math.prod(checked[-1].sheet.size)
    return checked, captions, frame_ms


def _texts(name: str, values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise KnobError(f"{name}: takes a list of texts")
    return [value[:120] for value in values]


def _checked_lane(lane: Any, frames: int, room: int) -> _Lane:
    if not isinstance(lane, dict):
        raise KnobError("a lane: takes title, sheet, width, height, samples, columns, present")
    (title,) = _texts("title", [lane.get("title")])
    width = whole("width", lane.get("width"), 1, MAX_SIDE)
    height = whole("height", lane.get("height"), 1, MAX_SIDE)
    samples = whole("samples", lane.get("samples"), 1, MAX_SIDE)
    columns = whole("columns", lane.get("columns"), 1, samples)
    present = lane.get("present")
    if not isinstance(present, list) or len(present) != frames:
        raise KnobError(f"present: takes {frames} entries, one for every frame")
    size = samples * width, frames * height
    sheet = _opened(lane.get("sheet"), "sheet", size, room, kinds=("PNG", "JPEG"))
    return _Lane(title, sheet, width, height, samples, columns, [bool(p) for p in present])


def _opened(
    url: Any, name: str, size: tuple[int, int] | None, room: int, kinds: Sequence[str] = ("PNG",)
) -> Image.Image:
    """A picture of one of these kinds in a data URL, grey or RGB. Before a pixel is decoded, its
    size is compared with the one that is needed, if any, and with `room`, the pixels that there may
    be."""
    named, right = " or ".join(kinds), [f"data:image/{kind.lower()};base64" for kind in kinds]
    head, _, data = url.partition(",") if isinstance(url, str) else ("", "", "")
    if head not in right:
        raise KnobError(f"{name}: takes a {named} as a data URL")
    try:
        image = Image.open(io.BytesIO(base64.b64decode(data, validate=True)), formats=kinds)
        if image.size != (size or image.size):
            raise KnobError(f"{name} of {image.size} pixels: {size} are needed")
        if max(image.size) > MAX_SIDE or math.prod(image.size) > room:
            across, down = image.size
            raise KnobError(f"a {name} of {across} x {down} pixels is too large for a file")
        return image.convert("L" if image.mode == "L" else "RGB")
    except KnobError:
        raise
    except (binascii.Error, UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise KnobError(f"{name}: not a {named} that can be read ({error})") from error
    except Image.DecompressionBombError as error:
        raise KnobError(f"{name}: too large for a file") from error


def _animation(lanes: list[_Lane], captions: list[str], frame_ms: int, comment: str) -> str:
    scale = max(1, min(LANE_WIDTH // lane.size(1)[0] for lane in lanes))
    while scale > 1 and math.prod(_page_size(lanes, scale)) * len(captions) > MAX_PIXELS:
        scale -= 1
    if math.prod(_page_size(lanes, scale)) * len(captions) > MAX_PIXELS:
        raise KnobError(f"{len(captions)} frames of this size are too many for a GIF")
    pages = _with_one_palette(
        [_page(lanes, i, caption, scale) for i, caption in enumerate(captions)], lanes
    )
    durations = [frame_ms] * (len(pages) - 1) + [max(frame_ms, LAST_FRAME_MS)]
    buffer = io.BytesIO()
    pages[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=pages[1:],
        duration=durations,
        loop=0,
        comment=comment.encode("utf-8", "replace"),
    )
    return data_url(buffer.getvalue(), "gif")


def _with_one_palette(pages: list[Image.Image], lanes: list[_Lane]) -> list[Image.Image]:
    """Frames in the same 256 colours, without dithering: what stands still is the same in all of
    them, while with palettes of their own it would shimmer."""
    if pages[0].mode == "L":
        return pages
    strips = [np.asarray(lane.sheet.convert("RGB")).reshape(-1, 3) for lane in lanes]
    strips += [
        strip[-lane.height * lane.sheet.width :] for strip, lane in zip(strips, lanes, strict=True)
    ]
    some = [strip[:: max(1, len(strip) // PALETTE_PIXELS)] for strip in strips]
    some.append(np.asarray(pages[-1]).reshape(-1, 3)[::PAPER_EVERY])
    colours = Image.fromarray(np.concatenate(some)[None])
    palette = colours.quantize(256, Image.Quantize.MEDIANCUT)
    return [page.quantize(palette=palette, dither=Image.Dither.NONE) for page in pages]


def _page_size(lanes: list[_Lane], scale: int) -> tuple[int, int]:
    sizes = [lane.size(scale) for lane in lanes]
    return (
        MARGIN + sum(max(width, 120) + MARGIN for width, _ in sizes),
        MARGIN + LINE + max(height for _, height in sizes) + LINE + MARGIN,
    )


def _page(lanes: list[_Lane], index: int, caption: str, scale: int) -> Image.Image:
    """One frame: every lane under its title, the caption below; grey where all pictures are."""
    mode = "L" if all(lane.sheet.mode == "L" for lane in lanes) else "RGB"
    page = Image.new(mode, _page_size(lanes, scale), PAPER)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(13)
    left = MARGIN
    for lane in lanes:
        draw.text((left, MARGIN - 4), lane.title, fill=INK, font=font)
        page.paste(lane.frame(index, scale), (left, MARGIN + LINE))
        left += max(lane.size(scale)[0], 120) + MARGIN
    draw.text((MARGIN, page.height - MARGIN - 14), caption, fill=FAINT, font=font)
    return page
