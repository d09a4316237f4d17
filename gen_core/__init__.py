"""gen_core: generative models, small enough to read and fast enough to watch.

>>> from gen_core import Noise, final, load
>>> model = load("diffusion-fashion")
>>> x = final(model.sample(Noise(range(16)), label=8, steps=20, guidance_scale=2.0))
"""

from gen_core import families
from gen_core.family import Family, Phase
from gen_core.sampling import Frame, Noise, final, record
from gen_core.training.checkpoint import available, load
from gen_core.training.train import fit

families.discover()

__all__ = [
    "Family",
    "Frame",
    "Noise",
    "Phase",
    "available",
    "final",
    "fit",
    "load",
    "record",
]
