"""Fashion-MNIST and MNIST from torchvision's four idx files, read in place without unpacking.

A folder that holds them looks as torchvision lays it out: <root>/FashionMNIST/raw/*.gz.
"""

import gzip
import os
import tempfile
import zlib
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gen_core.data.images import ImageSet, MissingData

FOLDERS = {"fashion": "FashionMNIST", "mnist": "MNIST"}
CLASSES = {
    "fashion": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    "mnist": tuple("0123456789"),
}
PREFIX = {"train": "train", "test": "t10k"}


def cache_folder() -> Path:
    """Where downloads go: $XDG_CACHE_HOME/noise-to-data, usually ~/.cache/noise-to-data; among the
    temporary files where the user has no home, as in some containers."""
    home = os.path.expanduser("~")  # as it is, where there is none
    usual = tempfile.gettempdir() if home == "~" else Path(home) / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "noise-to-data"


def load_idx(name: str, split: str, root: Path | str | None, download: bool) -> ImageSet:
    raw = _find(name, root) or _fetch(name, root, download)
    images = _read_idx(raw / f"{PREFIX[split]}-images-idx3-ubyte.gz")
    labels = _read_idx(raw / f"{PREFIX[split]}-labels-idx1-ubyte.gz")
    if len(images) != len(labels):
        raise MissingData(f"{raw} has {len(images)} pictures and {len(labels)} labels for {split}")
    return ImageSet(name, images[:, None], labels.long(), CLASSES[name])


def places(root: Path | str | None) -> list[Path]:
    """Where data may lie, in the order in which to look."""
    named = [root, os.environ.get("GEN_DATA")]
    return [Path(p).expanduser() for p in named if p] + [cache_folder()]


def _find(name: str, root: Path | str | None) -> Path | None:
    for place in places(root):
        raw = place / FOLDERS[name] / "raw"
        if len(list(raw.glob("*-ubyte.gz"))) >= 4:
            return raw
    return None


def _fetch(name: str, root: Path | str | None, download: bool) -> Path:
    looked = ", ".join(str(place / FOLDERS[name]) for place in places(root))
    advice = (
        f"{name!r} is not on this machine (looked in {looked}); "
        "set --data or GEN_DATA to a folder that has it"
    )
    if not download:
        raise MissingData(advice)
    try:
        from torchvision import datasets  # heavy: imported only when something must be downloaded
        from torchvision.datasets.utils import download_url
    except ModuleNotFoundError as error:
        raise MissingData(
            f"{advice}, or install torchvision, which downloads it: `pip install '.[datasets]'`"
        ) from error

    kind = getattr(datasets, FOLDERS[name])
    raw = cache_folder() / FOLDERS[name] / "raw"
    for file, md5 in kind.resources:
        failures = []
        for mirror in kind.mirrors:
            try:
                download_url(mirror + file, str(raw), file, md5)
                break
            except (OSError, RuntimeError, HTTPException) as error:  # the last: an odd proxy
                failures.append(f"{mirror}: {error}")
        else:
            raise MissingData(f"{advice}. The download failed too: {'; '.join(failures)}")
    return raw


def _read_idx(path: Path) -> Tensor:
    """An idx file of unsigned bytes: 0, 0, 8, dimensions, each dimension big-endian, then data."""
    try:
        with gzip.open(path) as file:
            content = file.read()
        if content[:3] != b"\x00\x00\x08":
            raise ValueError("no idx file of bytes")
        rank = content[3]
        shape = np.frombuffer(content, ">i4", rank, offset=4)
        data = np.frombuffer(content, np.uint8, offset=4 + 4 * rank)
        return torch.from_numpy(data.reshape(shape).copy())
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise MissingData(
            f"{path} is damaged ({error}): delete it and download it again"
        ) from error
