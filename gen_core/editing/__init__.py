"""Editing pictures with diffusion and flow models that were trained to draw and for nothing else.

`fill` draws what lies under a mask, `redraw` makes pictures of strokes and variations of pictures,
`recast` inverts a picture to its noise and walks back as another class, and `restore` finds what a
poor camera may have seen. Each is a generator of Frames, as `sample` of a family is:

>>> x = final(fill(load("diffusion-fashion"), Noise(range(4)), picture=picture, mask=mask))
"""

from gen_core.editing.edit import Edit
from gen_core.editing.inversion import invert, recast, return_from, round_trip
from gen_core.editing.measurements import Measurement, bicubic, blur, psnr, shrink, wiener
from gen_core.editing.path import STRENGTH, Path, path_of
from gen_core.editing.redrawing import ROUNDS, fill, redraw
from gen_core.editing.restoration import restore

__all__ = [
    "ROUNDS",
    "STRENGTH",
    "Edit",
    "Measurement",
    "Path",
    "bicubic",
    "blur",
    "fill",
    "invert",
    "path_of",
    "psnr",
    "recast",
    "redraw",
    "restore",
    "return_from",
    "round_trip",
    "shrink",
    "wiener",
]
