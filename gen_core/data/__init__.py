"""Data sets by name. A new one is one file here and one line in `LOADERS`."""

from __future__ import annotations

from pathlib import Path

from gen_core.checks import choice
from gen_core.data.avatars.dataset import load_avatars
from gen_core.data.fashion import CLASSES, load_idx
from gen_core.data.images import Batches, DataSet, ImageSet, MissingData

__all__ = ["CLASSES", "LOADERS", "Batches", "DataSet", "ImageSet", "MissingData", "load_data"]

LOADERS = {"fashion": load_idx, "mnist": load_idx, "avatars": load_avatars}


def load_data(
    name: str, split: str = "train", root: Path | str | None = None, download: bool = True
) -> ImageSet:
    """The `split` ("train" or "test") of a data set: "fashion", "mnist" or "avatars".

    "avatars" is drawn here, once. The others are looked for in `root`, then in $GEN_DATA, then in
    the cache, and else downloaded into the cache (if `download`). Raises MissingData with the way
    out where none of these has them.
    """
    choice("data", name, list(LOADERS))
    choice("split", split, ["train", "test"])
    return LOADERS[name](name, split, root, download)
