"""The adversarial lab: GANs on sets in the plane, many runs at once, to see them fail and mend."""

from gen_core.lab.game import Game, State
from gen_core.lab.settings import KNOBS, Settings, settings_from

__all__ = ["KNOBS", "Game", "Settings", "State", "settings_from"]
