"""Decoding what visitors bring: any picture file with 8 bits a channel, in sRGB, upright.

Nothing that Pillow does with a damaged file gets out of here but a KnobError that says what to do.
"""

import io
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
    features,
)

from demos.page.file_kinds import CHOOSE, HEAD, SHARE, kind_of
from gen_core.knobs import KnobError
from gen_core.provenance import traces

MEGAPIXELS = 50
JPEG_MEGAPIXELS = 200
"""Of a baseline JPEG, which is reduced while it is decoded."""
MOST_SCANS = 100
"""Of a JPEG: each one costs as much time as a picture, and programs write ten or so."""
ENOUGH = 4_000_000
"""Pixels: a larger picture is reduced. What comes after looks at 512 a side, or far fewer."""
ROWS = 64
"""Of the reduced picture: so many are made at a time, for the sake of memory."""
PLUGINS = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
}
"""Pillow's own classes: `Image.open` would refuse a large picture by a limit of its own, and take
the second picture of a phone's JPEG for part of it."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the number that Exif has for how the camera was held."""
LYING = (5, 6, 7, 8)
"""Of these, those that exchange width and height."""
DAMAGED = "it is damaged, or only part of it arrived; choose it once more, or another"

Source = str | Path | IO[bytes] | None

_one = threading.Lock()
"""One picture at a time: a large one takes a few hundred megabytes, and warnings are switched off
for all threads."""


@dataclass(frozen=True)
class Decoded:
    image: Image.Image
    """RGB, or RGBA where something of it is see-through; reduced where it has more pixels than
    `ENOUGH`."""
    size: tuple[int, int]
    """Width and height in the file, upright."""
    info: dict[str, Any]
    """All that the file says besides, as `gen_core.provenance.traces.collect` gives it."""


def decode(source: Source, name: str = "upload") -> Decoded:
    """The first picture in a file; name: what messages call it.

    Raises KnobError for no file, one of another kind, a damaged one and one with too many pixels.
    """
    if source is None:
        raise KnobError(f"{name}: choose a picture file first")
    if not (isinstance(source, (str, Path)) or hasattr(source, "read")):
        raise KnobError(f"{name}={str(source)[:40]!r}: takes one picture file")
    kind = ""
    try:
        with _one, _silent(), _opened(source) as file:
            kind = kind_of(file.read(HEAD))
            if kind not in PLUGINS or (kind == "AVIF" and not features.check("avif")):
                raise KnobError(f"{name}: {_refused(kind)}")
            file.seek(0)
            return _decoded(kind, file, name)
    except (KnobError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise KnobError(f"{name}: there is no such file; choose one that exists") from error
    except Exception as error:  # a decoder answers a damaged file with an error of any kind
        article = f"this {kind}" if kind in PLUGINS else "this file"
        raise KnobError(f"{name}: {article} cannot be read as a picture: {DAMAGED}") from error


def _refused(kind: str) -> str:
    if kind in PLUGINS:
        return f"this is {kind}, which this machine has no decoder for: {SHARE}"
    if kind:
        return f"this file cannot be read as a picture here. It is {kind}"
    return f"this file cannot be read as a picture; {CHOOSE}"


@contextmanager
def _opened(source: str | Path | IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(source, (str, Path)):
        with open(source, "rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


@contextmanager
def _silent() -> Iterator[None]:
    """Without Pillow's warnings of odd metadata: nobody could do anything about them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b")
        yield


def _decoded(kind: str, file: IO[bytes], name: str) -> Decoded:
    image = _avif(file) if kind == "AVIF" else PLUGINS[kind](file)
    size = image.size
    _check_pixels(image, kind, name)
    if kind == "JPEG":
        _check_scans(file, name)
        halved = next((s for s in (1, 2, 4) if math.prod(size) <= ENOUGH * s * s), 8)
        image.draft(None, (max(1, size[0] // halved), max(1, size[1] // halved)))
    raw = image.tile[0].args if kind == "PNG" else ""
    image.load()
    small = _in_srgb(_reduced(_with_key(image, raw, file)), image.info.get("icc_profile"))
    held = _orientation(image)
    if held in TURNS:
        small = small.transpose(TURNS[held])
    if held in LYING:
        size = size[::-1]
    return Decoded(small, size, traces.collect(image, file))


def _check_pixels(image: Image.Image, kind: str, name: str) -> None:
    """Before a pixel is decoded."""
    reduced = kind == "JPEG" and not image.info.get("progressive") and _in_one_scan(image)
    most, pixels = JPEG_MEGAPIXELS if reduced else MEGAPIXELS, math.prod(image.size)
    if pixels > most * 1_000_000:
        width, height = image.size
        raise KnobError(
            f"{name}={width} x {height} pixels: that is {pixels / 1e6:,.0f} megapixels, and a "
            f"{kind} may have 1 to {most}; make it smaller, for example by sending it to yourself "
            "by mail as a medium-sized picture, or by a screenshot of it"
        )


def _check_scans(file: IO[bytes], name: str) -> None:
    """Nobody else's picture shall wait for one of a few bytes that takes minutes."""
    place = file.tell()
    file.seek(0)
    scans, before = 0, b""
    while block := file.read(1 << 20):  # a file may have a hundred megabytes
        scans, before = scans + (before + block).count(b"\xff\xda"), block[-1:]
    file.seek(place)
    if scans > MOST_SCANS:
        raise KnobError(
            f"{name}: this JPEG is stored in {scans} passes, and may be in 1 to {MOST_SCANS}; save "
            "it again with another program, or make a screenshot of it"
        )


def _reduced(image: Image.Image) -> Image.Image:
    """A loaded picture as L, CMYK, RGB or RGBA, by a whole number smaller if it is large."""
    times = math.ceil(math.sqrt(math.prod(image.size) / ENOUGH))
    if times <= 1:
        return _eight_bits(image)
    width, height = image.size
    strips, step = [], times * ROWS
    for top in range(0, height, step):
        strip = image.crop((0, top, width, min(top + step, height)))
        strips.append(_eight_bits(strip).reduce(times))
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for row, strip in enumerate(strips):
        whole.paste(strip, (0, row * ROWS))
    return whole


def _eight_bits(image: Image.Image) -> Image.Image:
    """Any mode as L, CMYK, RGB or RGBA; the colour that a file calls see-through becomes alpha."""
    key = image.info.get("transparency")
    if image.mode == "I;16":
        levels = np.asarray(image)
        grey = Image.fromarray((levels >> 8).astype(np.uint8))
        if not isinstance(key, int):
            return grey
        seen = Image.fromarray(np.where(levels == key, 0, 255).astype(np.uint8))
        return Image.merge("RGBA", (grey, grey, grey, seen))
    if image.mode in ("L", "RGB", "RGBA", "CMYK") and key is None:
        return image
    if key is not None or image.mode in ("P", "PA", "LA", "La", "RGBa"):
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _avif(file: IO[bytes]) -> AvifImagePlugin.AvifImageFile:
    """The only one of Pillow's decoders that a senseless Exif block stops: it is left out, then."""
    try:
        return AvifImagePlugin.AvifImageFile(file)
    except Exception:
        file.seek(0)
        return AvifImagePlugin.AvifImageFile(io.BytesIO(file.read().replace(b"Exif", b"none")))


def _with_key(image: Image.Image, raw: str, file: IO[bytes]) -> Image.Image:
    """A loaded PNG whose see-through grey or colour, if it has one, fits the levels that Pillow
    made of 2, 4 or 16 bits; raw: what Pillow calls the way they are stored."""
    key = image.info.get("transparency")
    if raw in ("L;2", "L;4") and key is not None:
        image.info["transparency"] = key * (85 if raw == "L;2" else 17)
    if raw != "RGB;16B" or key is None:
        return image
    file.seek(0)
    low = PngImagePlugin.PngImageFile(file)  # the bytes that are lost in 8 bits
    low.tile = [tile._replace(args="RGB;16L") for tile in low.tile]
    seen = np.empty(image.size[::-1], np.uint8)
    for top in range(0, image.height, ROWS):
        box = (0, top, image.width, min(top + ROWS, image.height))
        high_bytes, low_bytes = (np.asarray(part.crop(box)) for part in (image, low))
        off = (high_bytes != np.right_shift(key, 8)) | (low_bytes != np.bitwise_and(key, 255))
        seen[top : top + ROWS] = 255 * off.any(-1)
    whole = image.convert("RGB")
    whole.info.pop("transparency", None)
    whole.putalpha(Image.fromarray(seen))
    return whole


def _in_one_scan(image: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether all channels of a baseline JPEG come together: else its decoder holds all of them
    before the first pixel, as it does for a progressive one. Pillow has read to the first scan."""
    header = bytes([0xFF, 0xDA, 0, 6 + 2 * image.layers, image.layers])
    image.fp.seek(-(8 + 2 * image.layers), io.SEEK_CUR)  # to where the scan's header begins
    return image.fp.read(len(header)) == header


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA, as the colour profile wants it, where that one makes sense."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    if profile:
        with suppress(Exception):  # it is damaged, or of another kind of picture: as it is, then
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            colours = ImageCms.profileToProfile(colours, own, srgb, outputMode="RGB")
    colours = colours.convert("RGB")
    if alpha and alpha.getextrema()[0] < 255:
        colours.putalpha(alpha)
    return colours


def _orientation(image: Image.Image) -> int:
    """As Exif or XMP has it; 1, which is upright, where they make no sense."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # no metadata, however odd, may stop a picture that can be seen
        return 1
