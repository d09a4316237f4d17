"""What a file is, from its first bytes: pictures that are read, and what to do about others."""

READ = ("PNG", "JPEG", "WebP", "GIF", "AVIF", "BMP")
CHOOSE = f"choose a {', '.join(READ[:-1])} or {READ[-1]} file"
SHARE = "open it in a program that shows it, save it as JPEG, and choose that"
HEAD = 4096
"""Bytes that are enough to tell."""
HEIC = (
    "HEIC, as iPhones and some other phones save photos, which needs a licence to be read: for a "
    "JPEG, share the photo by mail and choose the attachment, or set Settings > Camera > Formats "
    "to Most Compatible and take it again"
)
RAW = (
    "a raw photo, the untouched data of a camera's sensor: export it as JPEG in the camera or in "
    "a photo program, and choose that"
)
TIFF = f"TIFF, as scanners save it: {SHARE}"
PDF = "a PDF document, not a picture: make a screenshot of the page, or export it as PNG"
SVG = "SVG, a drawing in lines and not in pixels: export it as PNG, and choose that"
VIDEO = "a video: make a screenshot of one picture of it, and choose that"
OF_BRANDS = {
    "AVIF": ("avif", "avis"),
    HEIC: ("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"),
    RAW: ("crx ",),
}
"""By the brands that a file in boxes (ISO/IEC 14496-12) names; one of another brand is a video."""
STARTS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"FUJIFILMCCD-RAW": RAW,
    b"IIRO": RAW,
    b"IIU\0": RAW,
    b"FOVb": RAW,
    b"%PDF": PDF,
    b"\x1aE\xdf\xa3": VIDEO,
    b"FLV\x01": VIDEO,
    b"\0\0\x01\xba": VIDEO,
    b"\0\0\x01\xb3": VIDEO,
    b"8BPS": f"a Photoshop document: {SHARE}",
    b"gimp xcf": f"a GIMP document: {SHARE}",
    b"\0\0\0\x0cjP  ": f"JPEG 2000: {SHARE}",
    b"\xff\x4f\xff\x51": f"JPEG 2000: {SHARE}",
    b"\0\0\0\x0cJXL ": f"JPEG XL: {SHARE}",
    b"\xff\x0a": f"JPEG XL: {SHARE}",
    b"\0\0\x01\0": f"a Windows icon: {SHARE}",
    b"PK\x03\x04": "an archive or an office document: take the picture out of it, and choose that",
    b"<!doctype html": "a web page, not a picture: save the picture itself, and choose that",
    b"<html": "a web page, not a picture: save the picture itself, and choose that",
}
RAW_MARKS = (b"CR\x02\0", b"NIKON", b"SONY", b"PENTAX", b"SAMSUNG", b"Canon", b"DNG", b"Leica")
"""In a TIFF's first bytes: that of Canon's format, or the maker of a camera."""
DNG_VERSION = (b"\x12\xc6\x01\0", b"\xc6\x12\0\x01")
"""The number of the tag that every DNG has, with the type of its value, in both byte orders."""


def kind_of(head: bytes) -> str:
    """One of `READ`, or what else the file is and what to do, ready to read; "" for unknown.

    head: the file's first `HEAD` bytes, or all of a shorter one.
    """
    if head[4:8] == b"ftyp":
        return _of_boxes(head)
    if head[:4] in (b"II*\0", b"MM\0*"):
        return RAW if any(mark in head for mark in (*RAW_MARKS, *DNG_VERSION)) else TIFF
    if head[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"AVI ": VIDEO}.get(head[8:12], "")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text and text.startswith(b"<"):
        return SVG
    starts = ((start, kind) for start, kind in STARTS.items())
    return next((k for s, k in starts if head.startswith(s) or text.startswith(s)), "")


def _of_boxes(head: bytes) -> str:
    """The major brand counts first, then those that the file is compatible with."""
    size = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    major, *others = (head[at : at + 4].decode("latin-1") for at in (8, *range(16, size, 4)))
    if major in ("mif1", "msf1"):  # a picture, in which code is said by the others
        others.append(major)
    else:
        others = [major]
    named = [kind for kind, brands in OF_BRANDS.items() if {*brands}.intersection(others)]
    return named[0] if named else VIDEO
