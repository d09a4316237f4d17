"""The adversarial lab: GANs on sets in the plane, many runs at once, to see them break and mend.

`Game(Settings(r1=0.1), seeds=range(20))` is twenty runs; `step()` plays, `state` can be kept and
put back, `Camera(game).frame()` is what there is to see.
"""

from gen_core.lab.game import Game, State
from gen_core.lab.measures import Camera, Frame
from gen_core.lab.presets import PRESETS, Preset
from gen_core.lab.settings import KNOBS, Settings, settings_from

__all__ = [
    "KNOBS",
    "PRESETS",
    "Camera",
    "Frame",
    "Game",
    "Preset",
    "Settings",
    "State",
    "settings_from",
]
