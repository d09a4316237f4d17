"""Picture files as cameras, scanners and other programs write them, and as they break."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageCms

from demos.page.image_io import PREFIX

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
"""Colour types of PNG."""


def item(ground: int = 0, size: tuple[int, int] = (120, 90)) -> np.ndarray:
    """uint8 (H, W): a slanted bar and a disc, of several greys, on a ground."""
    y, x = np.mgrid[: size[1], : size[0]]
    levels = np.full(x.shape, ground, np.uint8)
    levels[(abs(x - y - 10) < 12) & (x > 20) & (x < 90)] = 180
    levels[(x - 60) ** 2 + (y - 40) ** 2 < 500] = 235
    levels[(x - 60) ** 2 + (y - 40) ** 2 < 80] = 90
    return levels


def saved(image: Image.Image, kind: str = "PNG", **options) -> io.BytesIO:
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return io.BytesIO(file.getvalue())


def chunk(kind: bytes, data: bytes) -> bytes:
    """Of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    levels: np.ndarray,
    colour: int,
    depth: int,
    before: Sequence[bytes] = (),
    after: Sequence[bytes] = (),
    size: tuple[int, int] | None = None,
) -> io.BytesIO:
    """A PNG file of levels (H, W) or (H, W, channels) that fit into `depth` bits; before, after:
    chunks around the pixels; size: what its header says instead of the truth."""
    height, width = levels.shape[:2]
    if depth == 16:
        rows = levels.astype(">u2").reshape(height, -1).view(np.uint8)
    else:
        bits = np.unpackbits(levels.astype(np.uint8).reshape(height, -1, 1), axis=2)[..., -depth:]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", *(size or (width, height)), depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *before, chunk(b"IDAT", zlib.compress(lines)), *after]
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join([*parts, chunk(b"IEND", b"")]))


def text(key: str, value: str) -> bytes:
    """A PNG chunk with text."""
    return chunk(b"tEXt", key.encode("latin-1") + b"\0" + value.encode("latin-1"))


def exif(*entries: tuple[int, int, int, bytes], after: bytes = b"") -> bytes:
    """An Exif block: tag, type, count, and four bytes of value or the place of a longer one."""
    tags = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    ifd = struct.pack("<H", len(entries)) + tags + bytes(4)
    return b"Exif\0\0II*\0\x08\0\0\0" + ifd + after


def boxes(brand: bytes, *others: bytes) -> io.BytesIO:
    """The beginning of a file of ISO boxes, HEIC and MP4 among them."""
    body = brand + bytes(4) + b"".join(others)
    return io.BytesIO(struct.pack(">I", len(body) + 8) + b"ftyp" + body + b"\0\0\0\x08mdat" * 20)


def segment(marker: int, data: bytes) -> bytes:
    """Of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def with_segments(jpeg: io.BytesIO, *segments: bytes) -> io.BytesIO:
    """A JPEG file with more segments, right after its beginning."""
    data = jpeg.getvalue()
    return io.BytesIO(data[:2] + b"".join(segments) + data[2:])


def wide_gamut() -> bytes:
    """A profile in which the colours of sRGB have other numbers: red and blue are exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = data.index(b"rXYZ"), data.index(b"bXYZ")
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data)


def as_url(file: io.BytesIO) -> str:
    """As a pad sends it."""
    return PREFIX + base64.b64encode(file.getvalue()).decode()


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
