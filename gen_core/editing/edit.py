"""A model with a way to edit, as whoever watches a generation takes a family."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from gen_core.families.guided import GuidedFamily
from gen_core.sampling import Frame, Noise


@dataclass(frozen=True)
class Edit:
    """`Meter(Edit(model, fill), seeds, picture=x, mask=mask)` times an edit, and a timeline shows
    it, as they do a family's generation."""

    model: GuidedFamily
    way: Callable[..., Iterator[Frame]]
    """way(model, noise, **settings), such as `fill`, `redraw`, `recast` or `restore`."""

    @property
    def device(self) -> torch.device:
        return self.model.device

    def sample(self, noise: Noise, **settings: Any) -> Iterator[Frame]:
        """The frames of the edit, from what it begins with to the pictures."""
        return self.way(self.model, noise, **settings)
