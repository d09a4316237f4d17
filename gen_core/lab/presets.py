"""Games that break, each beside one that mends it by a single change: what to look at, and how to
tell."""

from dataclasses import dataclass, field
from typing import Any

from gen_core.lab.settings import Settings


@dataclass(frozen=True)
class Preset:
    """A pair of games, one change apart."""

    title: str
    look: str
    """What to look for, in a line."""
    mend: dict[str, Any]
    """The change."""
    broken: dict[str, Any] = field(default_factory=dict)
    """What the broken game sets."""
    steps: int = 1200
    """Of the game until the runs are counted."""

    @property
    def games(self) -> dict[str, Settings]:
        """The two, by name."""
        broken = Settings(**self.broken)
        return {"broken": broken, "mended": broken.but(**self.mend)}


PRESETS: dict[str, Preset] = {
    "leak": Preset(
        "the generator's step also has the gradient of the discriminator's loss",
        "Some modes stay empty for good, while the samples on the others look perfect.",
        broken={"mistake": "no detach, not zeroed"},
        mend={"mistake": "none"},
    ),
    "clump": Preset(
        "a discriminator that learns ten times too slowly, and may then compare samples",
        "All samples travel around the ring in one clump, which the discriminator has not caught "
        "yet. Mended, it sees how alike they are.",
        broken={"lr_discriminator": 5e-4},
        mend={"minibatch_discrimination": True},
    ),
    "weak": Preset(
        "a discriminator that learns ten times too slowly",
        "The clump has long moved on when the discriminator has learned where it was.",
        broken={"lr_discriminator": 5e-4},
        mend={"lr_discriminator": 5e-3},
    ),
    "strong": Preset(
        "a discriminator that learns four times as fast as the generator",
        "It still works in two runs of three: the ring appears, and now and then samples leave it.",
        broken={"lr_discriminator": 2e-2},
        mend={"lr_discriminator": 5e-3},
    ),
    "momentum": Preset(
        "momentum of 0.9, as for any other network",
        "Both players overshoot: the samples reach all of the plane, and hardly a mode.",
        broken={"momentum": 0.9},
        mend={"momentum": 0.5},
    ),
    "few": Preset(
        "a data set of four points",
        "The generator learns the four by heart; the modes without a point stay empty.",
        broken={"data_size": 4},
        mend={"data_size": 0},
    ),
    "unbounded": Preset(
        "the Wasserstein loss without a limit to the slope",
        "The discriminator grows ever steeper, and throws the samples about.",
        broken={"loss": "wasserstein"},
        mend={"loss": "non-saturating"},
    ),
    "one-loss-generator": Preset(
        "both players descend the generator's loss",
        "Both losses fall to 0, and the samples run away: the discriminator never sees data.",
        broken={"mistake": "both descend the generator's loss"},
        mend={"mistake": "none"},
    ),
    "one-loss-discriminator": Preset(
        "both players descend the discriminator's loss",
        "Both losses fall to 0 where there are no data: the generator helps the discriminator to "
        "catch it.",
        broken={"mistake": "both descend the discriminator's loss"},
        mend={"mistake": "none"},
    ),
    "simultaneous": Preset(
        "both gradients are taken before either player moves",
        "All modes are covered less than half as often as by taking turns.",
        broken={"mistake": "simultaneous"},
        mend={"mistake": "none"},
    ),
    "grid": Preset(
        "a grid of 25 modes",
        "So many tight modes are too much for these networks in so few steps; eight are not.",
        broken={"data": "grid"},
        mend={"data": "ring"},
    ),
}
