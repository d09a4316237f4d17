"""Checkpoints: safetensors with JSON metadata. No pickle, so a file can only hold numbers."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gen_core.devices import pick_device
from gen_core.family import Family, registry
from gen_core.files import in_one_move

FORMAT = "noise-to-data/1"
EXTRA = "extra."
"""Tensors under this prefix are not weights: snapshots, curves, features of real pictures."""


class CheckpointError(RuntimeError):
    """A weights file is missing, damaged or not ours. The message says which, and the way out."""


def weights_folder() -> Path:
    """$GEN_WEIGHTS, else weights/ beside the code, as in the repository, else ./weights."""
    if named := os.environ.get("GEN_WEIGHTS"):
        return Path(named)
    beside = Path(__file__).resolve().parent.parent / "weights"  # none where pip installed it
    return beside if beside.is_dir() else Path.cwd() / "weights"


def available(folder: Path | str | None = None) -> list[str]:
    """Names that `load` takes, sorted."""
    return sorted(p.stem for p in Path(folder or weights_folder()).glob("*.safetensors"))


def save(
    model: Family, path: Path | str, card: dict[str, Any], *,
    dtype: torch.dtype = torch.float16, extra: dict[str, Tensor] | None = None,
) -> None:  # fmt: skip
    """Writes a model, its config and its card ({data, recipe, steps, seed, hardware, metrics})."""
    tensors = {
        k: (v.to(dtype) if v.is_floating_point() else v).detach().cpu().contiguous()
        for k, v in model.state_dict().items()
    }
    tensors |= {EXTRA + k: v.detach().cpu().contiguous() for k, v in (extra or {}).items()}
    meta = {"format": FORMAT, "family": model.name, **card}
    meta["config"] = dataclasses.asdict(model.config)
    _write(path, tensors, meta)


def amend(
    name: str, found: dict[str, Any], extra: dict[str, Tensor] | None = None,
    folder: Path | str | None = None, section: str = "metrics",
) -> None:  # fmt: skip
    """Replaces a section of a checkpoint's card and adds extra tensors; its weights stay bit for
    bit."""
    tensors, meta = read(name, folder)
    tensors |= {EXTRA + k: v.detach().cpu().contiguous() for k, v in (extra or {}).items()}
    _write(_path(name, folder), tensors, meta | {section: found})


def _write(path: Path | str, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    with in_one_move(path) as partial:
        save_file(tensors, partial, {k: json.dumps(v) for k, v in meta.items()})


def read(name: str, folder: Path | str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A checkpoint's tensors as stored, and its metadata. Raises CheckpointError."""
    with _opened(name, folder) as file:
        tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - no mapping
        return tensors, _metadata(name, file)


def card(name: str, folder: Path | str | None = None) -> dict[str, Any]:
    """A checkpoint's metadata alone, without reading its tensors."""
    with _opened(name, folder) as file:
        return _metadata(name, file)


@contextlib.contextmanager
def _opened(name: str, folder: Path | str | None) -> Iterator[Any]:
    path = _path(name, folder)
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path.name} is damaged ({error}): fetch it again, or train it with "
            f"`python -m gen_core train {name}`"
        ) from error


def _metadata(name: str, file: Any) -> dict[str, Any]:
    texts = file.metadata() or {}
    if texts.get("format") != json.dumps(FORMAT):
        raise CheckpointError(
            f"{name} has the format {texts.get('format')!r}: a checkpoint of ours has {FORMAT!r}"
        )
    return {k: json.loads(v) for k, v in texts.items()}


def load(name: str, device: str = "auto", folder: Path | str | None = None) -> Family:
    """A trained model by name, ready to sample: float32 parameters, eval mode, no gradients.

    Its `card` is the checkpoint's metadata, its `extra` what the file holds besides weights.
    Raises CheckpointError for a missing or damaged file, KnobError for an absent device.
    """
    tensors, meta = read(name, folder)
    cls: type[Family] | None = registry.classes.get(meta["family"])
    if cls is None:
        known = ", ".join(sorted(registry.classes))
        raise CheckpointError(f"{name} is of family {meta['family']!r}; known are {known}")
    model = cls(_config(cls.Config, meta["config"]))
    weights = {k: v for k, v in tensors.items() if not k.startswith(EXTRA)}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(f"{name} does not fit its own config: {error}") from error
    model.card = meta
    model.extra = {k.removeprefix(EXTRA): v for k, v in tensors.items() if k.startswith(EXTRA)}
    model = model.requires_grad_(False).eval().to(pick_device(device))
    return model.to(memory_format=torch.channels_last)


def config_of(card: dict[str, Any]) -> Any:
    """The config that a checkpoint's card holds, in its family's own type."""
    return _config(registry.classes[card["family"]].Config, card["config"])


def _config(kind: type, values: dict[str, Any]) -> Any:
    """JSON turns tuples into lists; a config has tuples, so that it can be frozen and hashed."""
    fields = {f.name for f in dataclasses.fields(kind)}
    as_tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return kind(**{k: v for k, v in as_tuples.items() if k in fields})


def _path(name: str, folder: Path | str | None) -> Path:
    there, have = Path(folder or weights_folder()), available(folder)
    if name not in have:
        raise CheckpointError(
            f"no weights named {name!r} in {there}; there are: {', '.join(have) or 'none'}. "
            "Choose one of them, or set GEN_WEIGHTS to the folder that has it"
        )
    return there / f"{name}.safetensors"
