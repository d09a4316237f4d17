"""Diffusion: from noise to pictures step by step, the way back, and the solvers side by side."""

from __future__ import annotations

from dataclasses import replace

from demos.handlers import App
from demos.panel import panel_tabs
from demos.sampling import compare, forward
from demos.sampling.generate import Generation
from demos.sampling.person import Person
from demos.tab import Tab
from demos.texts.diffusion import GENERATE
from gen_core.families.diffusion import Diffusion

ID = "diffusion"

generation = Generation(
    tab=ID,
    model="diffusion-fashion",
    lanes=[("State xₜ", "x"), ("Guess of the picture, x₀", "x0"), ("Predicted noise", "out")],
    text=GENERATE,
    kind=Diffusion,
    comment="frames[k].x0 is the guess of x_0 at step k, frames[k].out the predicted noise",
)
generate = generation.panel()
person = Person(replace(generation, model="diffusion-avatars"))
asked = person.panel()
CACHED = [generate.keep(), forward.PANEL.keep(), compare.PANEL.keep(), asked.keep()]


def build(app: App) -> None:
    """The tab's panels; the one that draws people only where its model is."""
    people = [asked.entry] if asked.here else []
    panel_tabs(app, ID, [generate.entry, *people, forward.PANEL.entry, compare.PANEL.entry])


TAB = Tab(ID, "Diffusion", order=40, build=build)
