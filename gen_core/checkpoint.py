"""Checkpoints: safetensors with JSON metadata. No pickle, so a file can only hold numbers."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from gen_core.devices import pick_device
from gen_core.family import registry

FORMAT = "noise-to-data/1"
EXTRA = "extra."
"""Tensors under this prefix are not weights: snapshots, curves, features of real pictures."""


class CheckpointError(RuntimeError):
    """A weights file is missing, damaged or not ours. The message says which, and the way out."""


def weights_folder() -> Path:
    """$GEN_WEIGHTS, or the weights/ that came with the code."""
    named = os.environ.get("GEN_WEIGHTS")
    return Path(named) if named else Path(__file__).resolve().parent.parent / "weights"


def available(folder: Path | str | None = None) -> list[str]:
    """Names that `load` takes, sorted."""
    return sorted(p.stem for p in Path(folder or weights_folder()).glob("*.safetensors"))


def save(
    model: nn.Module, path: Path | str, card: dict[str, Any], *,
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
    partial = Path(f"{path}.partial")
    save_file(tensors, partial, {k: json.dumps(v) for k, v in meta.items()})
    os.replace(partial, path)


def read(name: str, folder: Path | str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A checkpoint's tensors as stored, and its metadata. Raises CheckpointError."""
    path = _path(name, folder)
    try:
        with safe_open(path, "pt") as file:
            meta = {k: json.loads(v) for k, v in (file.metadata() or {}).items()}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path.name} is damaged ({error}): fetch it again, or train it with "
            f"`python -m gen_core train {name}`"
        ) from error
    if meta.get("format") != FORMAT:
        raise CheckpointError(f"{path.name} has format {meta.get('format')!r}, not {FORMAT!r}")
    return tensors, meta


def card(name: str, folder: Path | str | None = None) -> dict[str, Any]:
    """A checkpoint's metadata alone, without reading its tensors."""
    path = _path(name, folder)
    try:
        with safe_open(path, "pt") as file:
            return {k: json.loads(v) for k, v in (file.metadata() or {}).items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path.name} is damaged ({error}): fetch it again") from error


def load(name: str, device: str = "auto", folder: Path | str | None = None) -> nn.Module:
    """A trained model by name, ready to sample: float32 parameters, eval mode, no gradients.

    Its `card` is the checkpoint's metadata, its `extra` what the file holds besides weights.
    Raises CheckpointError for a missing or damaged file, KnobError for an absent device.
    """
    tensors, meta = read(name, folder)
    cls = registry.classes.get(meta["family"])
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


def _config(kind: type, values: dict[str, Any]) -> Any:
    """JSON turns tuples into lists; a config has tuples, so that it can be frozen and hashed."""
    fields = {f.name for f in dataclasses.fields(kind)}
    as_tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return kind(**{k: v for k, v in as_tuples.items() if k in fields})


def _path(name: str, folder: Path | str | None) -> Path:
    path = Path(folder or weights_folder()) / f"{name}.safetensors"
    if not path.is_file():
        have = ", ".join(available(folder)) or "none"
        raise CheckpointError(f"no weights named {name!r} in {path.parent}; there are: {have}")
    return path
