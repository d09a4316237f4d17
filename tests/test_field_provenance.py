"""Asking where a picture was made"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from demos.tabs.text_to_image import provenance_check
from demos.widgets.verdict import VerdictValue
from gen_core.provenance import metadata
from odd_pictures import RGB, chunk, exif, png, saved, segment, text, with_segments

NOTHING = "It says nothing about how it was made"
A1111 = "a fox\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
COMFY = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 1}}})
MANIFEST = b"\0\0\0\x20jumb\0\0\0\x19jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0"
CREATED = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def flat() -> Image.Image:
    return Image.new("RGB", (160, 160), (90, 120, 60))


def checked(file: io.BytesIO, folder: Path) -> VerdictValue:
    """What the panel says of an upload."""
    (folder / "upload").write_bytes(file.getvalue())
    upload = {"path": str(folder / "upload"), "meta": {"_type": "gradio.FileData"}}
    return provenance_check.checked(upload)


def with_text(after: bool = False, **texts: str) -> io.BytesIO:
    """A PNG with text before or after its pixels."""
    chunks = [text(key, value) for key, value in texts.items()]
    around = {"after" if after else "before": chunks}
    return png(np.full((160, 160, 3), 90, np.uint8), RGB, 8, **around)


def with_exif(kind: str, **texts: str) -> io.BytesIO:
    """A file with an Exif block."""
    block = Image.Exif()
    for tag, value in texts.items():
        block[{"Software": 0x131, "Make": 0x10F, "Model": 0x110}[tag]] = value
    return saved(flat(), kind, exif=block)


def user_comment(said: str, alphabet: str = "utf-16-be") -> bytes:
    """An Exif block with a comment, as a program writes it that keeps its settings there."""
    value = b"UNICODE\0" + said.encode(alphabet)
    ifd = exif((0x9286, 7, len(value), (0x2C).to_bytes(4, "little")))[14:]
    return exif((0x8769, 4, 1, (0x1A).to_bytes(4, "little")), after=ifd + value)


def packet(inside: str) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>{inside}</rdf:RDF></x:xmpmeta>'.encode()


def with_xmp(kind: str, inside: str) -> io.BytesIO:
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_itxt(metadata.XMP, packet(inside).decode())
        return saved(flat(), kind, pnginfo=info)
    return saved(flat(), kind, xmp=packet(inside))


@pytest.mark.parametrize("after", [False, True], ids=["before the pixels", "after the pixels"])
@pytest.mark.parametrize("write", [text, "iTXt", "zTXt"], ids=["tEXt", "iTXt", "zTXt"])
def test_a_picture_saved_here_whose_text_another_program_moved(after: bool, write, tmp_path: Path):
    """Its text is read wherever it stands in the file."""
    said = metadata.about("text-to-image-emoji", {"prompt": "a fox", "seed": 3})
    info = PngImagePlugin.PngInfo()
    for key, value in said.items():
        if write == "zTXt":
            info.add_text(key, value, zip=True)
        else:
            info.add_itxt(key, value, zip=write == "iTXt")
    chunks = [chunk(kind, data) for kind, data, *_ in info.chunks]
    around = {"after" if after else "before": chunks}
    found = checked(png(np.full((160, 160, 3), 90, np.uint8), RGB, 8, **around), tmp_path)
    assert found.headline.startswith("Perhaps made here")
    assert found.facts["prompt"] == "a fox" and found.facts["seed"] == "3"


OTHERS = {
    "AUTOMATIC1111": with_text(parameters=A1111),
    "AUTOMATIC1111, after the pixels": with_text(after=True, parameters=A1111),
    "AUTOMATIC1111, in a JPEG": saved(flat(), "JPEG", exif=user_comment(A1111)),
    "AUTOMATIC1111, in a WebP": saved(flat(), "WEBP", exif=user_comment(A1111, "utf-16-le")),
    "ComfyUI": with_text(prompt=COMFY, workflow='{"nodes": []}'),
    "ComfyUI, in a WebP": with_exif("WEBP", Make=f"workflow:{COMFY}", Model=f"prompt:{COMFY}"),
    "NovelAI": with_text(Title="NovelAI generated image", Software="NovelAI", Source="Diffusion"),
    "InvokeAI": with_text(invokeai_metadata="{}"),
    "Fooocus": with_text(fooocus_scheme="fooocus", parameters="{}"),
    "SwarmUI": with_text(parameters='{"sui_image_params": {}}'),
    "Midjourney": with_text(Description="a fox --v 6 Job ID: 0a1b"),
    "Adobe Photoshop 25.0": with_exif("JPEG", Software="Adobe Photoshop 25.0"),
    "GIMP 2.10": with_text(Software="GIMP 2.10"),
    "Canon EOS R5": with_exif("JPEG", Make="Canon", Model="EOS R5"),
    "Krita": with_xmp("PNG", "<xmp:CreatorTool>Krita</xmp:CreatorTool>"),
    "Paint": with_xmp("JPEG", '<rdf:Description xmp:CreatorTool="Paint"/>'),
    "Made with Google AI": with_xmp("WEBP", '<d photoshop:Credit="Made with Google AI"/>'),
    "Author": with_text(Author="me", Title="A field"),
}


@pytest.mark.parametrize("whose", OTHERS)
def test_a_picture_with_the_data_of_another_program(whose: str, tmp_path: Path):
    """The answer says that it is there and whose it looks to be, without believing it."""
    found = checked(OTHERS[whose], tmp_path)
    said = found.reasons[0].text
    assert said.startswith("Nothing from Noise to Data. It holds ")
    assert whose.partition(",")[0] in said and "Anybody can write such data." in said
    assert NOTHING not in said
    assert found.headline == "No sign that it was made here." and not found.found


@pytest.mark.says(
    "content credentials (C2PA), which name OpenAI, whose signature is not checked here"
)
@pytest.mark.parametrize("kind", ["PNG", "PNG, after the pixels", "JPEG", "WEBP", "AVIF"])
def test_a_picture_with_content_credentials(kind: str, says: str, tmp_path: Path):
    manifest = MANIFEST + b"OpenAI" + CREATED
    kind, _, after = kind.partition(", ")
    if kind == "PNG":
        around = {"after" if after else "before": [chunk(b"caBX", manifest)]}
        file = png(np.full((160, 160, 3), 90, np.uint8), RGB, 8, **around)
    elif kind == "JPEG":
        file = with_segments(saved(flat(), kind), segment(0xEB, b"JP\0\1\0\0\0\1" + manifest))
    elif kind == "WEBP":
        data = saved(flat(), kind, exif=exif((0x112, 3, 1, b"\1\0\0\0"))).getvalue()
        data += b"C2PA" + len(manifest).to_bytes(4, "little") + manifest + bytes(len(manifest) % 2)
        file = io.BytesIO(data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:])
    else:
        box = b"uuid\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81" + manifest
        file = io.BytesIO(saved(flat(), kind).getvalue() + (len(box) + 4).to_bytes(4, "big") + box)
    found = checked(file, tmp_path)
    assert says in found.reasons[0].text
    assert found.headline.startswith("Generated, according to its metadata")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_a_picture_without_a_word(kind: str, tmp_path: Path):
    """The answer says that it tells nothing of how it was made."""
    assert NOTHING in checked(saved(flat(), kind), tmp_path).reasons[0].text


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_with_markup_in_its_data(kind: str, tmp_path: Path):
    """It is shown as text, shortened."""
    evil = "<img src=x onerror=alert(1)>" * 50
    file = with_exif(kind, Software=evil) if kind == "JPEG" else with_text(Software=evil)
    said = checked(file, tmp_path).reasons[0].text
    assert "<img" in said and len(said) < 300
