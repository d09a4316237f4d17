"""What can be set of a game: data, networks, losses, helps, and mistakes to make on purpose."""

from dataclasses import dataclass, fields, replace
from typing import Any

from gen_core.data.planes import SETS, points_for
from gen_core.knobs import Choice, Flag, KnobError, Number, Whole, knob_field, knobs_of
from gen_core.nets.adversarial_losses import LOSSES

MISTAKES = {
    "none": "each player descends its own loss",
    "both descend the generator's loss": "the discriminator never sees data",
    "both descend the discriminator's loss": "the generator helps the discriminator to catch it",
    "simultaneous": "both gradients are taken before either player moves",
    "no detach": "the discriminator's loss reaches the generator, whose gradient is zeroed after",
    "no detach, not zeroed": "the discriminator's loss is added to the generator's gradient",
}
OTHERS = 32
"""Of so many at most, itself included, does minibatch discrimination compare a sample with."""


@dataclass(frozen=True)
class Settings:
    """One game. Raises KnobError for a value out of range, or that does not go with another."""

    data: str = knob_field(Choice("data", "ring", options=SETS, info="what to imitate"))
    points: tuple[tuple[float, float], ...] = ()
    """For data="points": (x, y) of each, within the plane that is shown."""
    data_size: int = knob_field(
        Whole("data_size", 0, 0, 10_000, info="points in the data set; 0: fresh ones in each batch")
    )
    batch: int = knob_field(Whole("batch", 128, 2, 512))
    latent: int = knob_field(Whole("latent", 2, 1, 64, label="Latent size"))
    width: int = knob_field(Whole("width", 64, 4, 256, info="units of each hidden layer"))
    depth: int = knob_field(Whole("depth", 2, 1, 4, info="hidden layers of both networks"))
    loss: str = knob_field(Choice("loss", "non-saturating", options=LOSSES))
    lr_generator: float = knob_field(Number("lr_generator", 5e-3, 1e-6, 0.1, step=1e-4))
    lr_discriminator: float = knob_field(Number("lr_discriminator", 5e-3, 1e-6, 0.1, step=1e-4))
    momentum: float = knob_field(
        Number("momentum", 0.5, 0, 0.99, info="Adam's beta 1, of both players")
    )
    beta2: float = knob_field(Number("beta2", 0.99, 0, 0.9999, label="Beta 2", advanced=True))
    discriminator_steps: int = knob_field(
        Whole("discriminator_steps", 1, 1, 10, info="for each step of the generator")
    )
    r1: float = knob_field(
        Number(
            "r1", 0.0, 0, 100, label="R1", info="penalises the discriminator's slope at real data"
        )
    )
    r2: float = knob_field(
        Number("r2", 0.0, 0, 100, label="R2", info="the same at generated samples")
    )
    gradient_penalty: float = knob_field(
        Number("gradient_penalty", 0.0, 0, 100, info="for a slope of 1 between data and forgeries")
    )
    clip: float = knob_field(
        Number("clip", 0.0, 0, 1, label="Weight clipping", info="the discriminator's; 0: none")
    )
    spectral_norm: bool = knob_field(
        Flag(
            "spectral_norm",
            False,
            info="divides each discriminator layer by its largest singular value",
        )
    )
    minibatch_discrimination: bool = knob_field(
        Flag(
            "minibatch_discrimination",
            False,
            info="lets the discriminator compare samples",
        )
    )
    packing: int = knob_field(
        Whole("packing", 1, 1, 4, info="samples that the discriminator judges at once")
    )
    unrolled: int = knob_field(
        Whole("unrolled", 0, 0, 10, info="steps of the discriminator that the generator foresees")
    )
    input_noise: float = knob_field(
        Number(
            "input_noise",
            0.0,
            0,
            2,
            info="standard deviation, on all that the discriminator sees",
        )
    )
    noise_steps: int = knob_field(
        Whole("noise_steps", 0, 0, 100_000, info="until that noise is gone; 0: it stays")
    )
    mistake: str = knob_field(Choice("mistake", "none", options=MISTAKES))

    def __post_init__(self) -> None:
        for knob in KNOBS:
            object.__setattr__(self, knob.name, knob.check(getattr(self, knob.name)))
        object.__setattr__(self, "points", points_for(self.data, self.points))
        if self.batch % self.packing:
            raise KnobError(
                f"batch={self.batch}: choose a multiple of packing={self.packing}, or packing=1"
            )
        if self.minibatch_discrimination and self.judged % 8:
            raise KnobError(
                f"batch={self.batch}: with minibatch discrimination choose a multiple of "
                f"{8 * self.packing}, which falls into groups to be compared"
            )

    @property
    def judged(self) -> int:
        """What the discriminator judges of a batch: samples, or packs of them."""
        return self.batch // self.packing

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from the defaults, by name."""
        return {p.name: v for p in fields(self) if (v := getattr(self, p.name)) != p.default}

    def but(self, **changes: Any) -> "Settings":
        """The same game with changes."""
        return replace(self, **changes)


KNOBS = knobs_of(Settings)
"""All but `points`, in the order of a page."""


def settings_from(values: dict[str, Any]) -> Settings:
    """Settings by name. Raises KnobError also for a name that there is not."""
    names = [part.name for part in fields(Settings)]
    for name, value in values.items():
        if name not in names:
            raise KnobError(f"{name}={value!r}: the settings of a game are {', '.join(names)}")
    return Settings(**values)
