"""What the parts of the text-to-image model have in common: they are trained one after the other,
with the help of those before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch

from gen_core.family import Trainable

if TYPE_CHECKING:
    from gen_core.training.recipes import Recipe, Run

LIBRARIES = ("diffusers", "transformers")


class Part(Trainable):
    """A network of the library's, in `net`, and how it is trained."""

    libraries: ClassVar = LIBRARIES
    layout: ClassVar = torch.contiguous_format
    """The libraries' group normalisation trains half again as fast with it on a CPU."""

    @classmethod
    def run(cls, name: str, recipe: Recipe, folder: Path) -> Run:
        from gen_core.families.text_to_image.training import part_run  # heavy

        return part_run(name, recipe, folder)
