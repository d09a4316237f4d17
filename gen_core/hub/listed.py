"""Models by others that the host allows: one list of each kind, what an entry needs, and whether
this machine can run it.

Visitors choose from the host's list; a name that is not on it is never looked for, and no code
comes with a model. `gen_core.hub.server` works with them.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import torch

from gen_core import limits
from gen_core.knobs import KnobError, number, text

HEADROOM = 1.2
"""Memory for the work beside the weights, as a multiple of them."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An entry of a list. Raises KnobError for values that it cannot have."""

    name: str
    """As a visitor reads it."""
    repository: str
    """On the Hugging Face Hub, or a folder."""
    gigabytes: float
    """Of the files that are fetched."""
    licence: str
    licence_page: str
    token: bool
    """Whether its authors ask for an account that has accepted the licence."""

    product: ClassVar[str]
    """What it makes, in a word."""
    without_gpu: ClassVar[float]
    """Gigabytes up to which a processor needs no GPU."""
    too_slow: ClassVar[str]
    """What becomes of larger ones there."""
    instead: ClassVar[str]
    """What a visitor can do without a network."""

    def __post_init__(self) -> None:
        for name in ("name", "repository", "licence", "licence_page"):
            if not text(name, getattr(self, name), 200).strip():
                raise KnobError(f"{name}='': write some text")
        if not self.licence_page.startswith("https://"):
            raise KnobError(f"licence_page={self.licence_page!r}: write an address with https://")
        self.check_flags("token")
        number("gigabytes", self.gigabytes, 0, 10_000)

    def check_flags(self, *names: str) -> None:
        """Raises KnobError where one of these fields is neither true nor false."""
        for name in names:
            if not isinstance(getattr(self, name), bool):
                raise KnobError(f"{name}={getattr(self, name)!r}: choose true or false")

    @property
    def on_the_gpu(self) -> float:
        """Gigabytes that must fit there at once."""
        return self.gigabytes

    def in_memory(self, kind: str) -> float:
        """Gigabytes of the machine's memory on a device of this kind."""
        return self.gigabytes


M = TypeVar("M", bound=Listed)


def host_s_list(variable: str, kind: type[M], defaults: Sequence[M]) -> tuple[M, ...]:
    """The models of this kind that the host allows: those of the JSON file that the environment
    variable names, else the defaults; an empty list allows none. Raises KnobError where the file is
    no list of them."""
    path = os.environ.get(variable)
    if not path:
        return tuple(defaults)
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
        models = tuple(_entry(kind, entry) for entry in entries)
    except (OSError, ValueError, TypeError) as error:
        raise KnobError(f"{variable}={path}: no list of models ({error})") from error
    if len({model.name for model in models}) < len(models):
        raise KnobError(f"{variable}={path}: two models have the same name")
    return models


def _entry(kind: type[M], entry: Any) -> M:
    if not isinstance(entry, dict):
        raise KnobError(f"{entry!r}: write an object with a name, a repository, ...")
    known = {field.name: field.default is MISSING for field in fields(kind)}
    for name in entry.keys() - known.keys():
        raise KnobError(f"{name!r}: choose of {', '.join(known)}")
    for name in (name for name, needed in known.items() if needed and name not in entry):
        raise KnobError(f"{entry.get('name', 'a model')} has no {name!r}")
    return kind(**entry)


@dataclass(frozen=True)
class Machine:
    """What a model finds here."""

    kind: str
    """Of the device: "cuda", "mps" or "cpu"."""
    memory: float
    """Gigabytes."""
    gpu_memory: float = 0.0
    """Gigabytes of the GPU's own; 0 where it has none."""
    token: bool = False
    """Whether the host has given an access token."""


def this_machine(device: torch.device) -> Machine:
    """The machine as it is, without what is in use at the moment."""
    from huggingface_hub import get_token

    own = device.type == "cuda"
    gpu = torch.cuda.get_device_properties(device).total_memory / 1e9 if own else 0.0
    return Machine(device.type, limits.machine_memory() / 1e9, gpu, token=get_token() is not None)


def obstacles(model: Listed, machine: Machine) -> list[str]:
    """Why the machine cannot run it, in words for a visitor; an empty list where it can."""
    reasons = []
    if machine.kind == "cpu" and model.gigabytes > model.without_gpu:
        reasons.append(f"it needs a GPU, or {model.too_slow}")
    for have, weights, where in (
        (machine.gpu_memory or math.inf, model.on_the_gpu, "GPU memory"),
        (machine.memory, model.in_memory(machine.kind), "memory"),
    ):
        if have < weights * HEADROOM:
            need = f"{weights * HEADROOM:.1f} GB of {where}"
            reasons.append(f"it needs about {need}, and this machine has {have:.1f}")
    if model.token and not machine.token:
        reasons.append("it needs an access token (HF_TOKEN), and this server has none")
    return reasons


def check_runs(model: Listed, reasons: Sequence[str]) -> None:
    """Raises KnobError, with the reasons, where there are some for which it cannot be used."""
    if reasons:
        raise KnobError(f"{model.name} does not run here: {'; '.join(reasons)}")
