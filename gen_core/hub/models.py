"""Bigger models that the host allows: what each one needs, and whether this machine can run it.

Visitors choose from the host's list; a name that is not on it is never looked for, and no code
comes with a model. `gen_core.hub.server` draws with them.
"""

import json
import math
import os
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from gen_core import limits
from gen_core.knobs import KnobError, choice, number, text, whole

LISTED = "GEN_BIG_MODELS"
"""Names a JSON file with the host's own list; an empty list allows none."""
HEADROOM = 1.2
"""Memory for the work beside the weights, as a multiple of them."""
WITHOUT_GPU = 1.0
"""Gigabytes: a processor draws with smaller models within minutes."""


@dataclass(frozen=True)
class BigModel:
    """An entry of the list. Raises KnobError for values that it cannot have."""

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
    side: int
    """Pixels of a picture."""
    steps: int
    guidance_scale: float
    """Both as its authors advise; up to 1 it takes no negative prompt."""
    variant: str | None = None
    """Of the files: "fp16" where there are smaller ones beside the full ones."""
    half: str = "float16"
    """The half precision in which it computes on a GPU: "float16" or "bfloat16"."""
    largest: float | None = None
    """Gigabytes of its largest part, which must fit on the GPU at once; None: all of it."""
    max_sequence_length: int | None = None
    """Tokens that it reads of a prompt, where its pipeline asks."""

    def __post_init__(self) -> None:
        for name in ("name", "repository", "licence", "licence_page"):
            if not text(name, getattr(self, name), 200).strip():
                raise KnobError(f"{name}='': write some text")
        if not self.licence_page.startswith("https://"):
            raise KnobError(f"licence_page={self.licence_page!r}: write an address with https://")
        if not isinstance(self.token, bool):
            raise KnobError(f"token={self.token!r}: choose true or false")
        number("gigabytes", self.gigabytes, 0, 10_000)
        number("largest", self.on_the_gpu, 0, self.gigabytes)
        number("guidance_scale", self.guidance_scale, 0, 100)
        whole("side", self.side, 8, 4096)
        whole("steps", self.steps, 1, 1000)
        whole("max_sequence_length", self.max_sequence_length or 1, 1, 512)
        choice("half", self.half, ["float16", "bfloat16"])
        if self.variant is not None:
            text("variant", self.variant, 40)

    @property
    def on_the_gpu(self) -> float:
        """Gigabytes: the other parts wait in the machine's memory meanwhile."""
        return self.gigabytes if self.largest is None else self.largest


DEFAULTS = (
    BigModel(
        "Stable Diffusion 1.5",
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        2.7,
        "CreativeML OpenRAIL-M",
        "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
        token=False,
        side=512,
        steps=50,
        guidance_scale=7.5,
        variant="fp16",
        largest=1.7,
    ),
    BigModel(
        "SDXL-Turbo",
        "stabilityai/sdxl-turbo",
        6.9,
        "Stability AI Community",
        "https://huggingface.co/stabilityai/sdxl-turbo/blob/main/LICENSE.md",
        token=False,
        side=512,
        steps=1,
        guidance_scale=0.0,
        variant="fp16",
        largest=5.1,
    ),
    BigModel(
        "FLUX.1-schnell",
        "black-forest-labs/FLUX.1-schnell",
        33.7,
        "Apache 2.0",
        "https://huggingface.co/black-forest-labs/FLUX.1-schnell",
        token=True,
        side=1024,
        steps=4,
        guidance_scale=0.0,
        half="bfloat16",
        largest=23.8,
        max_sequence_length=256,
    ),
)


def big_models() -> tuple[BigModel, ...]:
    """The host's list. Raises KnobError where the file is not one."""
    path = os.environ.get(LISTED)
    if not path:
        return DEFAULTS
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
        models = tuple(_entry(entry) for entry in entries)
    except (OSError, ValueError, TypeError) as error:
        raise KnobError(f"{LISTED}={path}: no list of models ({error})") from error
    if len({model.name for model in models}) < len(models):
        raise KnobError(f"{LISTED}={path}: two models have the same name")
    return models


def _entry(entry: Any) -> BigModel:
    if not isinstance(entry, dict):
        raise KnobError(f"{entry!r}: write an object with a name, a repository, ...")
    known = {field.name: field.default is MISSING for field in fields(BigModel)}
    for name in entry.keys() - known.keys():
        raise KnobError(f"{name!r}: choose of {', '.join(known)}")
    for name in (name for name, needed in known.items() if needed and name not in entry):
        raise KnobError(f"{entry.get('name', 'a model')} has no {name!r}")
    return BigModel(**entry)


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


def obstacles(model: BigModel, machine: Machine) -> list[str]:
    """Why the machine cannot run it, in words for a visitor; an empty list where it can."""
    reasons = []
    if machine.kind == "cpu" and model.gigabytes > WITHOUT_GPU:
        reasons.append("it needs a GPU, or one picture takes many minutes")
    for have, weights, where in (
        (machine.gpu_memory or math.inf, model.on_the_gpu, "GPU memory"),
        (machine.memory, model.gigabytes, "memory"),
    ):
        if have < weights * HEADROOM:
            need = f"{weights * HEADROOM:.1f} GB of {where}"
            reasons.append(f"it needs about {need}, and this machine has {have:.1f}")
    if model.token and not machine.token:
        reasons.append("it needs an access token (HF_TOKEN), and this server has none")
    return reasons


def check_runs(model: BigModel, machine: Machine) -> None:
    """Raises KnobError, with the reasons, where the machine cannot run it."""
    if reasons := obstacles(model, machine):
        raise KnobError(f"{model.name} does not run here: {'; '.join(reasons)}")
