"""60,000 portraits as a data set, drawn once on each machine and then read from its cache."""

import hashlib
import shutil
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from gen_core.data.avatars import avatars
from gen_core.data.avatars.schema import attribute_labels
from gen_core.data.fashion import cache_folder
from gen_core.data.images import ImageSet, MissingData
from gen_core.data.splits import AVATARS
from gen_core.files import in_one_move
from gen_core.limits import cores

THIS = Path(__file__).name
CHUNK = 250
"""Portraits that a process draws at a time."""


def load_avatars(name: str, split: str, root: Path | str | None, download: bool) -> ImageSet:
    """64 by 64 pixels; `labels` as in `schema.attribute_labels`. Drawn in minutes the first time.

    They are not looked for in `root`, nor downloaded. A script that asks for them must stand under
    `if __name__ == "__main__"`, as several processes draw. Raises MissingData where these cannot
    start, and where a cached file cannot be read.
    """
    path = cache_folder() / f"avatars-{_version()}" / f"{split}.safetensors"
    if not path.exists():
        _keep(_drawn(AVATARS[split]), path)
    try:
        kept = load_file(path)
    except (OSError, SafetensorError) as error:
        raise MissingData(
            f"{path} is damaged ({error}): delete it, and it is drawn again"
        ) from error
    return ImageSet(name, kept["images"], kept["labels"], ())


def _version() -> str:
    """Of the rules by which they are drawn and labelled: another cache for each."""
    rules = sorted(path for path in Path(__file__).parent.glob("*.py") if path.name != THIS)
    return hashlib.sha256(b"".join(rule.read_bytes() for rule in rules)).hexdigest()[:12]


def _drawn(seeds: range) -> dict[str, Tensor]:
    """By a process for each core."""
    chunks = [seeds[k : k + CHUNK] for k in range(0, len(seeds), CHUNK)]
    try:
        with ProcessPoolExecutor(cores(), get_context("spawn")) as pool:
            parts = list(tqdm(pool.map(_chunk, chunks), "portraits", len(chunks), unit_scale=CHUNK))
    except BrokenProcessPool as error:
        raise MissingData(
            "the processes that draw the portraits did not start: put the script's code under "
            '`if __name__ == "__main__":`'
        ) from error
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return {"images": torch.from_numpy(images), "labels": torch.from_numpy(labels)}


def _chunk(seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """As arrays: tensors would travel through shared memory, of which there may be little."""
    images, people = avatars(seeds)
    return images.numpy(), attribute_labels(people).numpy()


def _keep(tensors: dict[str, Tensor], path: Path) -> None:
    """What was drawn by older rules goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with in_one_move(path) as partial:
        save_file(tensors, partial)
    for older in cache_folder().glob("avatars-*"):
        if older != path.parent:
            shutil.rmtree(older, ignore_errors=True)
