"""Pictures that people bring"""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageDraw

from demos.page.picture_files import (
    grey_picture,
    in_data_url,
    prepare,
    prepare_colour,
    prepare_mask,
)
from gen_core.knobs import KnobError
from odd_pictures import (
    BLOCKS,
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGBA,
    SHORT,
    as_url,
    chunk,
    exif,
    item,
    png,
    saved,
    wide_gamut,
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
