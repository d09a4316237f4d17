"""What can be set of a training on points, and what goes together."""

from dataclasses import dataclass, replace
from typing import Any

from gen_core.data.planes import SETS, points_for
from gen_core.knobs import Choice, KnobError, Number, Whole, knob_field, knobs_of
from gen_core.paths.fields import ASKED, PATHS

PAIRINGS = {
    "independent": "any noise with any point of data",
    "optimal": "within each small group, so that the squared distances have the least sum",
}
GROUP = 64
"""Points that are paired among each other: the assignment takes the cube of their number."""
LEARNED = [name for name in ASKED if name != "score"]
"""What a network can learn: a score grows beyond all bounds where the noise ends."""


@dataclass(frozen=True)
class Settings:
    """One training. Raises KnobError for a value out of range, or that does not go with another."""

    data: str = knob_field(Choice("data", "ring", options=SETS))
    points: tuple[tuple[float, float], ...] = ()
    """For data="points": (x, y) of each."""
    path: str = knob_field(Choice("path", "straight", options=PATHS))
    target: str = knob_field(
        Choice("target", "velocity", options=LEARNED, info="what the network is asked for")
    )
    pairing: str = knob_field(Choice("pairing", "independent", options=PAIRINGS))
    steps: int = knob_field(Whole("steps", 2000, 1, 100_000, info="of training"))
    batch: int = knob_field(Whole("batch", 256, 2, 4096))
    width: int = knob_field(Whole("width", 128, 4, 512, info="units of each hidden layer"))
    depth: int = knob_field(Whole("depth", 3, 1, 6, info="hidden layers"))
    lr: float = knob_field(
        Number("lr", 3e-3, 1e-6, 0.1, step=1e-4, info="at first; it falls to 0 in half a cosine")
    )

    def __post_init__(self) -> None:
        for knob in KNOBS:
            object.__setattr__(self, knob.name, knob.check(getattr(self, knob.name)))
        object.__setattr__(self, "points", points_for(self.data, self.points))
        if self.path == "straight" and self.target != "velocity":
            raise KnobError(
                f"target={self.target!r}: on the straight path, which begins with noise alone and "
                "ends without, choose velocity; or choose the path cosine or linear"
            )
        if self.pairing == "optimal" and self.batch % min(GROUP, self.batch):
            raise KnobError(f"batch={self.batch}: to pair in groups choose a multiple of {GROUP}")

    def but(self, **changes: Any) -> "Settings":
        """The same training with changes."""
        return replace(self, **changes)


KNOBS = knobs_of(Settings)
"""All but `points`, in the order of a page."""
ALIKE = ("data", "points", "batch", "depth")
"""What runs that train together share."""
