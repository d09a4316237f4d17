"""Whether the trained models are whole: every file opens, fits its model, and is the one that was
published."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError, safe_open

from demos.check.finding import Finding, ok, problem
from gen_core.training import checkpoint

SUMS = "SHA256SUMS"
"""In the folder of weights, as `sha256sum -c` reads it; `make sums` writes it."""
FETCH = "fetch it again"
OWN = f"{FETCH}, or after a training of your own: make sums"


def weights(folder: Path | None = None) -> list[Finding]:
    """A problem for each file at fault; one line where there is none."""
    folder = folder or checkpoint.weights_folder()
    names = checkpoint.available(folder)
    if not names:
        way_out = "fetch the folder again, or set GEN_WEIGHTS to the one that has them"
        return [problem("weights", f"no trained models in {folder}", way_out)]
    faults: dict[str, tuple[str, str]] = {}
    for file, said, way_out in (*_unreadable(folder, names), *_changed(folder)):
        faults.setdefault(file, (said, way_out))
    if faults:
        return [problem("weights", f"{file} {said}", todo) for file, (said, todo) in faults.items()]
    told = "their files are as published" if (folder / SUMS).exists() else f"no {SUMS} to compare"
    size = sum(checkpoint.size(name, folder) for name in names)
    return [ok("weights", f"{len(names)} models, {size / 1e6:.0f} MB, open; {told}")]


def _unreadable(folder: Path, names: list[str]) -> Iterator[tuple[str, str, str]]:
    """Files that do not open, or do not fit what their card says; with what is wrong, and the way
    out."""
    for name in names:
        place = checkpoint.path_of(name, folder)
        try:
            said = checkpoint.card(name, folder)
            if not place.is_dir():  # a folder's library is heavy: its files are opened alone
                checkpoint.load(name, "cpu", folder)
            checkpoint.kind_of(said, name)
        except (checkpoint.CheckpointError, KeyError, ValueError) as error:
            file = f"{name}/{checkpoint.CARD}" if place.is_dir() else place.name
            yield file, f"does not load ({' '.join(str(error).split())[:120]})", FETCH
        for part in sorted(place.rglob("*.safetensors")):
            try:
                with safe_open(part, "pt") as file:
                    file.keys()
            except (SafetensorError, OSError) as error:
                yield str(part.relative_to(folder)), f"does not open ({error})", FETCH


def _changed(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Files that are not the published ones, and figures that were measured of other weights."""
    listed = folder / SUMS
    lines = listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []
    for line in lines:
        wanted, _, name = line.partition("  ")
        if not (folder / name).is_file():
            yield name, "is missing", FETCH
        elif _sha256(folder / name) != wanted:
            yield name, "is not as it was published", OWN
    for figures in sorted(folder.glob("*.json")):
        tensors = figures.with_suffix(".safetensors")
        try:
            wanted = json.loads(figures.read_text(encoding="utf-8")).get("sha256")
        except ValueError as error:
            yield figures.name, f"is no JSON ({error})", FETCH
            continue
        if tensors.is_file() and wanted != _sha256(tensors):
            yield figures.name, f"was measured of another {tensors.name}", "fetch both again"


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
