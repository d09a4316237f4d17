"""Files in which people bring pictures: how large, of what kind, whole or not"""

from __future__ import annotations

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
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from conftest import ROOT
from demos.page.file_kinds import STARTS
from demos.page.image_input import path_of
from demos.page.picture_files import (
    grey_picture,
    prepare,
    prepare_colour,
    prepare_mask,
)
from gen_core.knobs import KnobError
from odd_pictures import (
    BLOCKS,
    GREY,
    as_url,
    boxes,
    item,
    png,
    saved,
    wide_gamut,
)

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


@pytest.mark.says("this JPEG is stored in 310 passes, and may be in 1 to 100")
def test_a_small_file_that_would_take_minutes(says: str, monkeypatch: pytest.MonkeyPatch):
    data = saved(Image.new("RGB", (64, 64)), "JPEG", progressive=True).getvalue()
    scans = data.count(b"\xff\xda")
    last = data[data.rindex(b"\xff\xda") : -2]
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(KnobError) as refused:
        prepare(io.BytesIO(data[:-2] + last * (310 - scans) + data[-2:]))
    assert says in str(refused.value)


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
