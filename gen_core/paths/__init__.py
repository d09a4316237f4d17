"""The path labs: how flow matching and diffusion learn sets in the plane, and how they travel.

`Training(Settings(data="moons"), seeds=range(5)).train()` trains five flows at once, `field(0)` is
what the first has learned, `Exact(plane.toy, "straight")` what a perfect one would know, and
`road(field, noise, "heun", 20)` takes noise to data.
"""

from gen_core.paths.fields import PATHS, Exact, Field
from gen_core.paths.likelihood import log_likelihood
from gen_core.paths.reflow import reflow
from gen_core.paths.roads import METHODS, Road, road, straightness
from gen_core.paths.settings import KNOBS, Settings
from gen_core.paths.training import Pairs, State, Training

__all__ = [
    "KNOBS",
    "METHODS",
    "PATHS",
    "Exact",
    "Field",
    "Pairs",
    "Road",
    "Settings",
    "State",
    "Training",
    "log_likelihood",
    "reflow",
    "road",
    "straightness",
]
