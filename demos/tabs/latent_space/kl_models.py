"""The models that the Without the KL panel compares: the same networks, data and steps, but for
the one thing that each does differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demos.tabs.latent_space.models import PORTRAITS
from gen_core import available

HUES = ("var(--blue)", "var(--amber)", "var(--green)", "var(--violet)", "var(--rose)")
"""CSS colours in the order of the models that are here, as a timeline gives them to its series."""


@dataclass(frozen=True)
class Variant:
    name: str
    """Of the checkpoint."""
    title: str


HEALTHY = Variant(PORTRAITS, "With KL")
FORGOTTEN = Variant("vae-avatars-free", "Without KL")
MORE = Variant("vae-avatars-strong", "KL × 4")
TOO_MUCH = Variant("vae-avatars-stronger", "KL × 64")
SEVERED = Variant("vae-avatars-cut", "Gradient cut")
VARIANTS = (FORGOTTEN, HEALTHY, MORE, TOO_MUCH, SEVERED)


def here() -> list[Variant]:
    """Those whose weights are on this machine."""
    names = available()
    return [variant for variant in VARIANTS if variant.name in names]


def missing(found: Sequence[Variant]) -> str:
    """What is not here and where it comes from, in a line; "" where all are."""
    names = [variant.name for variant in VARIANTS if variant not in found]
    if not names:
        return ""
    made = f"Not on this machine: {', '.join(names)}. `python -m gen_core train {names[0]}` makes"
    made += " one of them." if len(names) > 1 else " it."
    return (
        made
        if len(found) > 1
        else f"There is nothing to compare yet: two models are needed. {made}"
    )


def weight(config: Mapping[str, Any]) -> str:
    """How a checkpoint's config says that the KL term was weighed: "KL weight 4"."""
    return f"KL weight {config['beta']:g}"
