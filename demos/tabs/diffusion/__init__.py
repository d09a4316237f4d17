"""Diffusion: from noise to pictures step by step, the way back, edits, and the solvers compared."""

from dataclasses import replace

from demos.page.tab import Tab
from demos.sampling.attributes import AttributeGeneration
from demos.sampling.generate import Generation
from demos.sampling.races import COMPARE_PANEL
from demos.tabs.diffusion import edit, forward, schedules
from demos.tabs.diffusion.texts import GENERATE
from gen_core.families.diffusion import Diffusion

ID = "diffusion"

generation = Generation(
    tab=ID,
    model="diffusion-fashion",
    lanes=[
        ("Picture so far, xₜ", "x"),
        ("Guess of the picture, x₀", "x0"),
        ("Predicted noise", "out"),
    ],
    text=GENERATE,
    kind=Diffusion,
    comment="frames[k].x0 is the guess of x_0 at step k, frames[k].out the predicted noise",
)
person = AttributeGeneration(replace(generation, model="diffusion-avatars"))

TAB = Tab(
    ID,
    "Diffusion",
    order=40,
    panels=[
        generation.panel(),
        person.panel(),
        forward.PANEL,
        schedules.PANEL,
        edit.PANEL,
        COMPARE_PANEL,
    ],
)
