"""Data sets by name. A new one is one file here and one line in `LOADERS`; one whose pictures have
several labels has a line in `SCHEMAS` too."""

from pathlib import Path

from gen_core.data.avatars.dataset import load_avatars
from gen_core.data.avatars.schema import SCHEMA
from gen_core.data.fashion import CLASSES, load_idx
from gen_core.data.images import Batches, DataSet, ImageSet, MissingData
from gen_core.data.schema import Schema
from gen_core.data.text import TextData, load_text
from gen_core.knobs import choice

__all__ = [
    "CLASSES",
    "LOADERS",
    "SCHEMAS",
    "Batches",
    "DataSet",
    "ImageSet",
    "MissingData",
    "Schema",
    "TextData",
    "load_data",
]

LOADERS = {
    "fashion": load_idx,
    "mnist": load_idx,
    "avatars": load_avatars,
    "shakespeare": load_text,
    "tales": load_text,
}
SCHEMAS = {"avatars": SCHEMA}


def load_data(
    name: str, split: str = "train", root: Path | str | None = None, download: bool = True
) -> ImageSet | TextData:
    """The `split` ("train" or "test") of a data set: "fashion", "mnist", "avatars",
    "shakespeare" or "tales".

    "avatars" is drawn here, once. The others are looked for in `root`, then in $GEN_DATA, then in
    the cache, and else, but for "tales", downloaded into it (if `download`). Raises MissingData
    with the way out where none of these has them.
    """
    choice("data", name, list(LOADERS))
    choice("split", split, ["train", "test"])
    return LOADERS[name](name, split, root, download)
