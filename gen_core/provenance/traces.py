"""What other programs say in a picture file: all that is in it, and whose that looks to be.

Nothing of it is checked: whoever can write a file can write any of it.
"""

import re
from collections.abc import Mapping
from typing import IO, Any

from PIL import ExifTags, Image

CREDENTIALS = "content credentials"
"""Under this key of `info`: the manifests of C2PA (Technical Specification 2.1), as bytes."""
EXIF = "Exif "
"""Before the name of a tag of Exif, in the keys of `info`."""
BLOCK = 1 << 18
"""Bytes of a file that are looked through at a time."""
_IN_MANIFEST = b"jumdc2pa"
"""How the description of a manifest begins (ISO 19566-5, JUMBF), in a file of any kind."""
_TAGS = ("Software", "Make", "Model", "ImageDescription", "Artist", "Copyright", "UserComment")
_SIGNERS = ("OpenAI", "Firefly", "Adobe", "Google", "Microsoft", "Midjourney", "Stability", "Leica")
"""Names that stand in a manifest as they are."""
_TECHNICAL = {
    *("jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "gamma", "srgb", "chromaticity"),
    *("adobe", "adobe_transform", "progressive", "progression", "icc_profile", "exif", "xmp"),
    *("transparency", "background", "version", "duration", "loop", "extension", "interlace"),
    *("compression", "timestamp", "bbox", "default_image", "disposal", "blend", "photoshop"),
    *("aspect", "XML:com.adobe.xmp", "xml:com.adobe.xmp", "mp", "mpoffset", "size", CREDENTIALS),
}
"""Keys that Pillow, or this module, gives to what is no text on how a picture was made."""
_CREATOR = re.compile(r"CreatorTool(?:>|=[\"'])([^<\"']{1,80})")
_CREDIT = re.compile(r"Credit(?:>|=[\"'])([^<\"']{1,80})")


def collect(image: Image.Image, file: IO[bytes]) -> dict[str, Any]:
    """All that a picture file says, wherever it stands in the file: Pillow's `info`, texts of its
    Exif block under "Exif Software" and the like, and `CREDENTIALS`.

    image: opened from the file, and loaded, by Pillow; metadata that make no sense are left out.
    """
    info = dict(image.info) | _exif(image)
    chunks = [data for kind, data, *_ in getattr(image, "private_chunks", ()) if kind == b"caBX"]
    segments = getattr(image, "applist", ())
    chunks += [data for kind, data in segments if kind == "APP11" and data[:2] == b"JP"]
    if manifest := b"".join(chunks) or _manifest(file):
        info[CREDENTIALS] = manifest
    return info


def _manifest(file: IO[bytes]) -> bytes:
    """The beginning of a manifest where Pillow does not look for one; b"" for none."""
    file.seek(0)
    before = b""
    while block := file.read(BLOCK):
        at = (before + block).find(_IN_MANIFEST)
        if at >= 0:
            return (before + block)[at:] + file.read(BLOCK)
        before = block[-len(_IN_MANIFEST) :]
    return b""


def _exif(image: Image.Image) -> dict[str, str]:
    try:
        block = image.getexif()
        found = dict(block) | dict(block.get_ifd(ExifTags.IFD.Exif))
    except Exception:  # no metadata, however odd, may stop a picture that can be seen
        return {}
    named = {ExifTags.TAGS.get(number, ""): value for number, value in found.items()}
    texts = {EXIF + tag: _text(named[tag], tag) for tag in _TAGS if tag in named}
    return {name: text for name, text in texts.items() if text}


def _text(value: Any, tag: str = "") -> str:
    """What a tag says; a UserComment begins with the name of its alphabet."""
    if isinstance(value, bytes) and tag == "UserComment":
        alphabet, value = value[:8], value[8:]
        if alphabet.startswith(b"UNICODE"):
            big = value[:1] == b"\0"
            return value.decode("utf-16-be" if big else "utf-16-le", "replace").strip("\0 ")
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip("\0 ") if isinstance(value, str) else ""


def whose(info: Mapping[str, Any]) -> list[str]:
    """Whose the data in a file look to be, each ready to follow "It holds "; what `collect` gives.

    Not what `gen_core.provenance.metadata` itself writes: it is asked of files of other programs.
    """
    texts = {key: _text(v) for key, v in info.items() if key not in _TECHNICAL and _text(v)}
    packet = " ".join(_text(info.get(key)) for key in ("xmp", "XML:com.adobe.xmp"))
    found = [said for said in (*_of_generators(texts), *_of_credentials(info)) if said]
    tools = [texts.get("Software"), texts.get(EXIF + "Software"), *_CREATOR.findall(packet)]
    found += [f"the name of the program {_short(tool)}" for tool in dict.fromkeys(tools) if tool]
    if camera := " ".join(texts[k] for k in (EXIF + "Make", EXIF + "Model") if k in texts):
        found.append(f"the name of the camera {_short(camera)}")
    found += [f"the credit {_short(credit)}" for credit in _CREDIT.findall(packet)[:1]]
    return found or _unknown(texts)


def _of_generators(texts: Mapping[str, str]) -> list[str]:
    """Of programs that draw pictures, by the keys and words that each is known for."""
    every = " ".join(texts.values())
    settings = any("Steps: " in text and "Sampler: " in text for text in texts.values())
    graph = any(
        '"class_type"' in text or text.startswith(("workflow:{", "prompt:{")) or '"nodes"' in text
        for text in texts.values()
    )
    known = {
        "settings of a picture as SwarmUI writes them": "sui_image_params" in every,
        "settings of a picture as Fooocus writes them": "fooocus_scheme" in texts,
        "settings of a picture as the Stable Diffusion web UI of AUTOMATIC1111, and what descends "
        "from it, write them": settings or "parameters" in texts,
        "a graph of nodes as ComfyUI writes it": graph or "workflow" in texts,
        "settings of a picture as InvokeAI writes them": "sd-metadata" in texts
        or "Dream" in texts
        or any(key.startswith("invokeai_") for key in texts),
        "settings of a picture as NovelAI writes them": "NovelAI" in every,
        "a description as Midjourney writes it": "Job ID:" in every,
    }
    return [whose for whose, is_there in known.items() if is_there][:2]


def _of_credentials(info: Mapping[str, Any]) -> list[str]:
    if CREDENTIALS not in info:
        return []
    names = [name for name in _SIGNERS if name.encode() in info[CREDENTIALS]]
    named = f", which name {' and '.join(names)}" if names else ""
    return [f"content credentials (C2PA){named}, whose signature is not checked here"]


def _unknown(texts: Mapping[str, str]) -> list[str]:
    """Of nobody who is known here."""
    names = [_short(name.removeprefix(EXIF)) for name in texts if name != "comment"]
    return [f"text of another program under {', '.join(names[:5])}"] if names else []


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 60 else f"{plain[:59]}…"
