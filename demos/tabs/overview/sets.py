"""The data sets that the Overview can show, and what their pictures were asked for."""

from __future__ import annotations

import functools

import numpy as np

from demos.tabs.overview.texts import FAMILIES, FASHION, PORTRAITS, SETS, DataText
from gen_core import available
from gen_core.checks import choice
from gen_core.data import CLASSES
from gen_core.data.avatars import portrait, random_avatar
from gen_core.data.avatars.captions import caption
from gen_core.data.splits import AVATARS


def on_offer() -> list[DataText]:
    """Clothes, and portraits where two models of them are here: one alone is no comparison."""
    here = available()
    there = sum(text.model(PORTRAITS.id) in here for text in FAMILIES)
    return [FASHION, PORTRAITS] if there > 1 else [FASHION]


def named(title: str) -> DataText:
    """By its title in the choice. Raises KnobError."""
    titles = [data.title for data in SETS]
    return SETS[titles.index(choice("data", title, titles))]


def said(data: DataText, label: int) -> str:
    """What a picture with that label was asked for, in words."""
    if data.colour:
        return caption(random_avatar(AVATARS["asked"][label]))
    return CLASSES[data.id][label]


@functools.lru_cache(maxsize=64)
def person(label: int) -> np.ndarray:
    """uint8 (64, 64, 3): who is asked for in the column so numbered, drawn by rule."""
    return portrait(random_avatar(AVATARS["asked"][label]), 64)
