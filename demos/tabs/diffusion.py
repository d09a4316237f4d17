"""Diffusion: from noise to pictures step by step, the way back, and the solvers side by side."""

from __future__ import annotations

from dataclasses import replace

from demos.knobs import Knob
from demos.sampling import compare, forward
from demos.sampling.generate import Generation
from demos.sampling.person import Person
from demos.tab import Tab
from demos.texts.diffusion import GENERATE, SOLVERS
from gen_core.families.diffusion import Diffusion

ID = "diffusion"

generation = Generation(
    tab=ID,
    model="diffusion-fashion",
    lanes=[("State xₜ", "x"), ("Guess of the picture, x₀", "x0"), ("Predicted noise", "out")],
    text=GENERATE,
    solvers=SOLVERS,
    solver="DPM-Solver++(2M)",
    source=Diffusion.sample,
    comment="frames[k].x0 is the guess of x_0 at step k, frames[k].out the predicted noise",
    extra=[
        Knob("eta", "Eta", "number", 0.0, 0, 1, advanced=True,
             info="With DDIM: 0 adds no fresh noise, 1 as much as DDPM"),
    ],
    extra_with="DDIM",
)  # fmt: skip
person = Person(replace(generation, model="diffusion-avatars"))

TAB = Tab(
    ID, "Diffusion", order=40,
    panels=[generation.panel(), person.panel(), forward.PANEL, compare.PANEL],
)  # fmt: skip
