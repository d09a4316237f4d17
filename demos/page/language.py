"""The page's words in other languages: $GEN_LANGUAGE names a JSON file of texts by key.

A key stands for one text: "diffusion.steps.label". What the file leaves out stays English.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path


def said(key: str, english: str) -> str:
    """The text of that key in the language of the page."""
    return _texts(os.environ.get("GEN_LANGUAGE", "")).get(key, english)


@functools.cache
def _texts(path: str) -> dict[str, str]:
    return json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
