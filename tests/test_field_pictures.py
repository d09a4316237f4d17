"""Pictures that people bring"""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from conftest import ROOT
from demos.page.file_kinds import STARTS
from demos.page.image_input import path_of
from demos.page.image_io import PREFIX
from demos.page.picture_files import (
    grey_picture,
    in_data_url,
    prepare,
    prepare_colour,
    prepare_mask,
)
from gen_core.knobs import KnobError
from odd_pictures import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    boxes,
    chunk,
    exif,
    item,
    png,
    saved,
)

LEVEL = 2 / 255
"""Of what is in [-1, 1]."""
NO_KEY = b"\x00\x07"
"""A grey that nothing in the picture has."""


def scaled(levels: np.ndarray, depth: int) -> np.ndarray:
    """Levels of 255 with as many bits as asked for."""
    return (levels.astype(np.int64) * (2**depth - 1) + 127) // 255


def in_channels(levels: np.ndarray, colour: int, most: int) -> np.ndarray:
    """A grey picture as PNG has it in another colour type, opaque."""
    opaque = np.full_like(levels, most)
    channels = {RGB: [levels] * 3, GREY_ALPHA: [levels, opaque], RGBA: [levels] * 3 + [opaque]}
    return np.stack(channels[colour], -1) if colour in channels else levels


def as_url(file: io.BytesIO) -> str:
    return PREFIX + base64.b64encode(file.getvalue()).decode()


# --- depth and colour -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, NO_KEY], ids=["", "with a transparent value"])
@pytest.mark.parametrize("colour", [GREY, RGB, GREY_ALPHA, RGBA])
def test_a_png_of_16_bits(colour: int, key: bytes | None):
    """It is the same picture as with 8 bits, within two levels."""
    levels = scaled(item(), 16)
    told = [chunk(b"tRNS", key * (3 if colour == RGB else 1))] if key and colour < 4 else []
    file = png(in_channels(levels, colour, 65535), colour, 16, before=told)
    usual = saved(Image.fromarray(item()))
    for read in (prepare, prepare_colour):
        assert (read(file) - read(usual)).abs().max() <= 2 * LEVEL
    off = np.asarray(grey_picture(file), int) - np.asarray(grey_picture(usual), int)
    assert abs(off).max() <= 2


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_png_of_few_or_many_bits(depth: int):
    """It is the same picture, as far as its levels go."""
    levels = scaled(np.where(item() > 127, 255, 0), depth)
    usual = saved(Image.fromarray(np.where(item() > 127, 255, 0).astype(np.uint8)))
    assert (prepare(png(levels, GREY, depth)) - prepare(usual)).abs().max() <= 2 * LEVEL


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colour", [GREY, RGB])
def test_a_png_that_calls_one_grey_transparent(depth: int, colour: int):
    """What has that grey, or that colour, is see-through; what is left is the item."""
    depth = max(depth, 8) if colour == RGB else depth
    ground, bright = 0, 2**depth - 1
    levels = np.where(item() > 60, bright, ground)
    key = ground.to_bytes(2, "big") * (3 if colour == RGB else 1)
    file = png(in_channels(levels, colour, bright), colour, depth, [chunk(b"tRNS", key)])
    on_black = saved(Image.fromarray(np.where(item() > 60, 255, 0).astype(np.uint8)))
    assert (prepare(file) - prepare(on_black)).abs().max() <= 2 * LEVEL


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_png_with_a_palette_of_which_one_colour_is_transparent(depth: int):
    """The item is what is not see-through, white as it is."""
    levels = (item() > 60).astype(int)
    told = [chunk(b"PLTE", b"\xff" * 6), chunk(b"tRNS", b"\0\xff")]
    x = prepare(png(levels, PALETTE, depth, told))
    assert x.max() == 1 and x[0, 0, 0, 0] == -1


@pytest.mark.parametrize("adobe", [True, False], ids=["for printing", "without a word on its inks"])
def test_a_jpeg_in_cmyk(adobe: bool):
    """It is seen as it would be printed."""
    grey = Image.fromarray(item()).convert("RGB").convert("CMYK")
    usual, file = (
        saved(Image.fromarray(item()), "JPEG", quality=95),
        saved(grey, "JPEG", quality=95),
    )
    if not adobe:
        data = file.getvalue()
        start = data.index(b"\xff\xee")
        file = io.BytesIO(data[:start] + data[start + 16 :])
    assert prepare(file).shape == (1, 1, 28, 28)
    if adobe:
        assert (prepare(file) - prepare(usual)).abs().mean() < 0.05


def wide_gamut() -> bytes:
    """A profile in which the colours of sRGB have other numbers: red and blue are exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = data.index(b"rXYZ"), data.index(b"bXYZ")
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_photo_with_a_colour_profile_of_its_own(kind: str):
    """Its colours are converted to those of screens (sRGB)."""
    picture = Image.new("RGB", (64, 64), (200, 20, 20))
    x = prepare_colour(saved(picture, kind, icc_profile=wide_gamut()))[0].mean((1, 2))
    assert x[2] > 0.3 and x[0] < -0.5  # it is blue


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 128, b"x" * 3000, "of another kind"])
def test_a_photo_with_a_profile_that_makes_no_sense(mode: str, profile: bytes | str):
    """It is read as if it had none."""
    image = Image.fromarray(item()).convert("RGB").convert(mode)
    if isinstance(profile, str):
        other = "LAB" if mode == "RGB" else "sRGB"
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(other)).tobytes()
    with_it, without = (saved(image, "JPEG", **o) for o in ({"icc_profile": profile}, {}))
    assert (prepare(with_it) - prepare(without)).abs().max() <= 2 * LEVEL


# --- lines ----------------------------------------------------------------------------------------


def line(*ends: int, side: int = 800, ground: int = 0, wide: int = 1) -> Image.Image:
    image = Image.new("L", (side, side), ground)
    ImageDraw.Draw(image).line(ends, 255 - ground, wide)
    return image


@pytest.mark.parametrize("ground", [0, 255])
@pytest.mark.parametrize("wide", [1, 3, 14])
@pytest.mark.parametrize(
    "ends", [(0, 400, 799, 400), (400, 0, 400, 799)], ids=["lying", "standing"]
)
def test_a_hairline(ends: tuple[int, ...], wide: int, ground: int):
    """It is a line one pixel wide."""
    x = prepare(saved(line(*ends, wide=wide, ground=ground)))[0, 0]
    rows = x if ends[1] == ends[3] else x.T
    bright = (rows > 0).float()
    assert bright.sum(1).tolist().count(28) == 1 and bright.sum() == 28


@pytest.mark.parametrize("ends", [(0, 0, 799, 799), (0, 799, 799, 400)])
def test_a_hairline_that_slants(ends: tuple[int, ...]):
    """It is a line from end to end, as bright as it was."""
    x = prepare(saved(line(*ends)))[0, 0]
    assert x.max() > 0.9 and (x > -0.5).any(0).all()


def test_drawing_a_hairline():
    """The pad's drawing is prepared like a file."""
    drawn = saved(line(20, 140, 260, 140, side=280))
    assert torch.equal(prepare(in_data_url(as_url(drawn), "drawing")), prepare(drawn))
    assert prepare(drawn).max() == 1


@pytest.mark.parametrize("size", [(3000, 1), (1, 3000), (1, 1), (2, 65000)])
def test_a_picture_of_one_row_or_column(size: tuple[int, int]):
    """It is shown in colour; in grey it may be all one."""
    image = Image.new("RGB", size, "white")
    assert prepare_colour(saved(image)).shape == (1, 3, 64, 64)
    with pytest.raises(KnobError, match="all one grey"):
        prepare(saved(image))


# --- what is see-through --------------------------------------------------------------------------


def alone(colour: tuple[int, int, int], mode: str = "RGBA") -> Image.Image:
    """A shirt cut out of its ground."""
    image = Image.new("RGBA", (200, 200), (*colour, 0))
    drawing = ImageDraw.Draw(image)
    drawing.polygon([(20, 60), (60, 20), (140, 20), (180, 60), (150, 90), (50, 90)], (*colour, 255))
    drawing.rectangle((60, 60, 140, 180), (*colour, 255))
    return image.convert(mode)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (240, 230, 40)])
def test_a_shirt_on_a_transparent_ground(colour: tuple[int, int, int], kind: str):
    """Whatever its colour, it is bright on black: what is not see-through is the thing."""
    options = {"GIF": {}, "PNG": {}}.get(kind, {"lossless": True} if kind == "WEBP" else {})
    x = prepare(saved(alone(colour), kind, **options))[0, 0]
    seen = prepare(saved(Image.fromarray(np.asarray(alone((0, 0, 0)))[..., 3])))[0, 0] > 0
    assert ((x > -0.1) == seen).float().mean() > 0.97
    assert x[0, 0] < -0.9


def test_a_white_shirt_on_a_transparent_ground_in_colour():
    """It lies on black, since it would not be seen on white."""
    x = prepare_colour(saved(alone((255, 255, 255))))
    assert x.min() == -1 and x.max() == 1
    assert prepare_colour(saved(alone((200, 30, 30))))[0, :, 0, 0].tolist() == [1, 1, 1]


def test_a_screenshot_with_transparent_corners():
    """Its ground counts as before: corners are too little to cut a thing out."""
    image = Image.fromarray(255 - item()).convert("RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    assert torch.equal(prepare(saved(image)), prepare(saved(Image.fromarray(255 - item()))))


def test_a_picture_that_is_transparent_all_over():
    """A sentence says so."""
    with pytest.raises(KnobError, match="all one grey, or see-through"):
        prepare(saved(Image.new("RGBA", (50, 50))))
    assert prepare_colour(saved(Image.new("RGBA", (50, 50)))).shape == (1, 3, 64, 64)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 40, 40)])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_mask_painted_on_a_transparent_ground(colour: tuple[int, int, int], mode: str):
    """It covers what is painted, and no more."""
    mask = prepare_mask(as_url(saved(alone(colour, mode))))
    assert mask is not None and 0.2 < mask.mean() < 0.6
    assert prepare_mask(as_url(saved(Image.new(mode, (64, 64))))) is None


# --- how the camera was held ----------------------------------------------------------------------

SHORT, LONG, RATIONAL, DOUBLE = 3, 4, 5, 12
TURNED = (0x112, SHORT, 1, b"\6\0\0\0")


BLOCKS = [
    exif((0x100, RATIONAL, 1, b"\x26\0\0\0"), TURNED, after=b"\1\0\0\0\1\0\0\0"),
    exif((0x100, RATIONAL, 1, b"\x26\0\0\0"), TURNED, after=bytes(8)),
    exif((0x112, RATIONAL, 1, b"\xff\xff\xff\0")),
    exif((0x112, SHORT, 9999, b"\x08\0\0\0")),
    exif((0x112, SHORT, 1, b"\x63\0\0\0")),
    exif((0x112, 99, 1, b"\6\0\0\0")),
    exif((0x112, DOUBLE, 1, b"\0\0\0\0")),
    exif((0x11A, RATIONAL, 1, b"\x1a\0\0\0"), (0x128, SHORT, 1, b"\2\0\0\0")),
    exif((0x8769, LONG, 1, b"\x08\0\0\0"), TURNED),
    exif(TURNED)[:20],
    b"Exif\0\0",
    b"Exif\0\0II*\0\xff\xff\xff\xff",
    b"Exif\0\0garbage",
    bytes(300),
]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_photo_with_an_odd_exif_block(block: bytes, kind: str):
    """It is read, turned or not."""
    picture = Image.fromarray(item()).convert("RGB")
    if kind == "PNG":
        file = png(np.asarray(picture), RGB, 8, [chunk(b"eXIf", block.removeprefix(b"Exif\0\0"))])
    elif kind == "AVIF":  # whose writer looks at what it is given
        sound = exif((0x128, SHORT, 1, b"\2\0\0\0"), after=bytes(len(block)))
        written = saved(picture, kind, exif=sound).getvalue()
        inside = block.removeprefix(b"Exif\0\0")
        start = written.index(b"II*\0")
        file = io.BytesIO(written[:start] + inside + written[start + len(inside) :])
    else:
        file = saved(picture, kind, exif=block)
    assert grey_picture(file).size in ((120, 90), (90, 120))
    assert prepare(file).max() > 0.5


@pytest.mark.parametrize("held", range(1, 9))
def test_a_photo_taken_with_the_camera_turned(held: int):
    """It stands upright, as photo programs show it."""
    turns = Image.Transpose
    undone = [None, turns.FLIP_LEFT_RIGHT, turns.ROTATE_180, turns.FLIP_TOP_BOTTOM]
    undone += [turns.TRANSPOSE, turns.ROTATE_90, turns.TRANSVERSE, turns.ROTATE_270]
    stored = Image.fromarray(item())
    if undone[held - 1] is not None:
        stored = stored.transpose(undone[held - 1])
    file = saved(stored, "PNG", exif=exif((0x112, SHORT, 1, bytes([held, 0, 0, 0]))))
    assert np.array_equal(np.asarray(grey_picture(file)), item())


# --- size -----------------------------------------------------------------------------------------

PEAK = """
import sys
from demos.page.picture_files import prepare, prepare_colour, grey_picture
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
before = peak()
for read in (prepare, prepare_colour, grey_picture):
    read(sys.argv[1])
print(peak() - before)
"""


def huge(path: Path, width: int, height: int, kind: str = "JPEG", **options) -> Path:
    """A bright disc on black, of so many pixels."""
    image = Image.new("RGB", (width, height))
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, width // 2, height // 2), "white")
    image.save(path, kind, **options)
    return path


def megabytes_to_read(path: Path) -> float:
    """Of memory, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr == ""
    return float(done.stdout)


def test_a_photo_of_fifty_megapixels(tmp_path: Path):
    """It is taken, and says how large it was."""
    path = huge(tmp_path / "phone.jpg", 8160, 6120)
    assert prepare(path).max() > 0.9
    assert grey_picture(path).info["size"] == (8160, 6120)


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it is read from there")
@pytest.mark.parametrize("options", [{}, {"subsampling": 0, "quality": 95}])
def test_a_photo_of_two_hundred_megapixels(options: dict, tmp_path: Path):
    """It is taken, in less than 300 MB of memory: a JPEG is made smaller while it is decoded."""
    assert megabytes_to_read(huge(tmp_path / "phone.jpg", 16320, 12240, **options)) < 300


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it is read from there")
@pytest.mark.parametrize(
    ("kind", "options", "most"),
    [("PNG", {"compress_level": 1}, 350), ("JPEG", {"progressive": True}, 350)],
)
def test_a_png_or_a_progressive_jpeg_of_fifty_megapixels(
    kind: str, options: dict, most: int, tmp_path: Path
):
    """It is taken."""
    assert megabytes_to_read(huge(tmp_path / "large", 8160, 6120, kind, **options)) < most


@pytest.mark.says(
    "that is 400 megapixels, and a PNG may have 1 to 50; make it smaller, for example"
)
def test_a_picture_that_would_fill_the_memory(says: str, monkeypatch: pytest.MonkeyPatch):
    bomb = png(np.zeros((4, 4)), GREY, 8, size=(20_000, 20_000))
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    for read in (prepare, prepare_colour, grey_picture):
        with pytest.raises(KnobError) as refused:
            read(bomb)
        assert says in str(refused.value) and "upload=20000 x 20000 pixels" in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "size", "options"),
    [
        ("JPEG", (16384, 12800), {}),
        ("JPEG", (8192, 8192), {"progressive": True}),
        ("WEBP", (8192, 8192), {"quality": 1, "method": 0}),
        ("GIF", (8192, 8192), {}),
        ("BMP", (8192, 8192), {}),
    ],
)
def test_a_picture_with_too_many_pixels(kind: str, size: tuple[int, int], options: dict):
    """A sentence gives its size, the most that is taken, and how to make it smaller."""
    file = saved(Image.new("1" if kind == "BMP" else "L", size), kind, **options)
    most = 50 if options or kind != "JPEG" else 200
    with pytest.raises(KnobError, match=rf"{size[0]} x {size[1]} pixels: .* 1 to {most}; make it"):
        prepare(file)


# --- files of other kinds -------------------------------------------------------------------------


@pytest.mark.says("It is HEIC, as iPhones and some other phones save photos")
@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1"])
def test_a_photo_in_heic(brand: bytes, says: str):
    with pytest.raises(KnobError) as refused:
        prepare(boxes(brand, b"mif1", b"heic"))
    assert says in str(refused.value) and "Settings > Camera > Formats" in str(refused.value)


def test_a_photo_in_avif():
    """It is read."""
    file = saved(Image.fromarray(item()).convert("RGB"), "AVIF", quality=95)
    usual = prepare(saved(Image.fromarray(item())))
    assert (prepare(file) - usual).abs().mean() < 0.05


def tiff(*tags: tuple[int, bytes], order: bytes = b"II") -> io.BytesIO:
    little = "little" if order == b"II" else "big"
    entries = [n.to_bytes(2, little) + (1).to_bytes(2, little) + v for n, v in tags]
    start = order + (42).to_bytes(2, little) + (8).to_bytes(4, little)
    return io.BytesIO(start + len(tags).to_bytes(2, little) + b"".join(entries) + bytes(40))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (io.BytesIO(b"II*\0\x10\0\0\0CR\x02\0" + bytes(60)), "raw photo"),
        (tiff((0xC612, b"\4\0\0\0\1\4\0\0")), "raw photo"),
        (tiff((0xC612, b"\0\0\0\4\1\4\0\0"), order=b"MM"), "raw photo"),
        (io.BytesIO(b"MM\0*\0\0\0\x08" + bytes(40) + b"NIKON CORPORATION"), "raw photo"),
        (boxes(b"crx ", b"isom"), "raw photo"),
        (saved(Image.fromarray(item()), "TIFF"), "TIFF"),
        (saved(Image.fromarray(item()), "PDF"), "PDF"),
        (io.BytesIO(b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>"), "SVG"),
        (io.BytesIO(b"<svg viewBox='0 0 1 1'></svg>"), "SVG"),
        (boxes(b"isom", b"mp42"), "a video"),
        (boxes(b"qt  "), "a video"),
        (io.BytesIO(b"\x1aE\xdf\xa3" + bytes(60)), "a video"),
        (io.BytesIO(b"RIFF\0\0\0\0AVI LIST" + bytes(60)), "a video"),
        (io.BytesIO(b"8BPS\0\1" + bytes(60)), "a Photoshop document"),
        (saved(Image.fromarray(item()), "JPEG2000"), "JPEG 2000"),
        (io.BytesIO(b"\xff\x0a" + bytes(60)), "JPEG XL"),
        (io.BytesIO(b"<!DOCTYPE html><html></html>"), "a web page"),
        (io.BytesIO(b"PK\x03\x04" + bytes(60)), "an archive or an office document"),
    ],
)
def test_a_file_that_is_no_picture_for_screens(file: io.BytesIO, said: str):
    """A sentence says what it is (raw photo, TIFF, PDF, SVG, video) and what to do."""
    with pytest.raises(
        KnobError, match=f"cannot be read as a picture here. It is (a )?{said}"
    ) as no:
        prepare(file)
    assert any(way in str(no.value) for way in ("choose", "export", "screenshot"))


@pytest.mark.says("choose a PNG, JPEG, WebP, GIF, AVIF or BMP file")
@pytest.mark.parametrize("data", [b"", b"no picture at all", bytes(5000), "Schön".encode("utf-16")])
def test_a_file_that_nobody_knows(data: bytes, says: str):
    with pytest.raises(KnobError) as refused:
        prepare(io.BytesIO(data))
    assert says in str(refused.value)


@pytest.mark.says("cannot be read as a picture: it is damaged, or only part of it arrived")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP"])
def test_half_of_a_picture(kind: str, says: str):
    noise = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind).getvalue()
    with pytest.raises(KnobError) as refused:
        prepare_colour(io.BytesIO(data[: len(data) // 2]))
    assert says in str(refused.value)


# --- what was uploaded long ago -------------------------------------------------------------------


@pytest.mark.says(
    "upload: the file was deleted, as all are after an hour at most: choose it once more"
)
def test_pressing_the_button_long_after_the_upload(says: str, tmp_path: Path):
    gone = {"path": str(tmp_path / "a.png"), "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(KnobError) as refused:
        path_of(gone)
    assert says == str(refused.value)


# --- any file at all ------------------------------------------------------------------------------

MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("L", "P", "RGB"),
    "AVIF": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
}


@st.composite
def pictures(draw: st.DrawFn) -> bytes:
    """A file of any kind, mode, size and metadata, which may be damaged."""
    kind = draw(st.sampled_from([*MODES]))
    mode = draw(st.sampled_from(MODES[kind]))
    width, height = draw(st.tuples(*[st.sampled_from([1, 2, 7, 29, 64, 130])] * 2))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    levels = rng.integers(0, 256, (height, width, 4), np.uint8) // draw(
        st.sampled_from([1, 9, 255])
    )
    if mode == "I;16":
        image = Image.fromarray(levels[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(levels, "RGBA").convert("RGB" if mode == "CMYK" else "RGBA")
        image = image.convert(mode)
    options = {}
    if kind not in ("GIF", "BMP") and draw(st.booleans()):
        profiles = [wide_gamut(), b"no profile at all", b""]
        options["icc_profile"] = draw(st.sampled_from(profiles))
    if kind in ("JPEG", "PNG", "WEBP") and draw(st.booleans()):
        options["exif"] = draw(st.sampled_from(BLOCKS) | st.binary(max_size=60))
    if kind == "JPEG":
        options["progressive"] = draw(st.booleans())
    data = bytearray(saved(image, kind, **options).getvalue())
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(data) - 1) | st.integers(0, min(len(data), 80) - 1))
        data[place] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)) | st.just(len(data)))])


def read_or_refused(read: Callable, *given: Any) -> Any:
    """What it gives; None where it refuses in a sentence that says what to do."""
    try:
        return read(*given)
    except KnobError as error:
        said = str(error)
    assert re.search(r"^(upload|mask).*(choose|export|screenshot|make it smaller|save)", said)
    return None


@given(data=pictures())
def test_any_picture_file_even_a_damaged_one(data: bytes, capfd: pytest.CaptureFixture[str]):
    """It is read, or a sentence says what to do: nothing else happens."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        grey = read_or_refused(prepare, io.BytesIO(data))
        colour = read_or_refused(prepare_colour, io.BytesIO(data))
        whole = read_or_refused(grey_picture, io.BytesIO(data))
        mask = read_or_refused(prepare_mask, as_url(io.BytesIO(data)))
    for x, shape in ((grey, (1, 1, 28, 28)), (colour, (1, 3, 64, 64)), (mask, (1, 1, 64, 64))):
        if x is not None:
            assert x.shape == shape and x.isfinite().all() and x.min() >= -1 and x.max() <= 1
    assert grey is None or grey.max() > -1
    assert mask is None or ({*mask.unique().tolist()} <= {0, 1} and mask.any())
    assert (colour is None) == (whole is None)
    assert whole is None or (whole.mode == "L" and min(whole.info["size"]) >= 1)
    assert not warned and capfd.readouterr() == ("", "")


@given(head=st.binary(max_size=200), start=st.sampled_from([*STARTS, b"RIFF", b"\0\0\0\x20ftyp"]))
def test_any_file_at_all(head: bytes, start: bytes):
    """A sentence says what it is, as far as its beginning tells."""
    assert read_or_refused(prepare, io.BytesIO(start + head)) is None
    assert read_or_refused(prepare, io.BytesIO(head)) is None
