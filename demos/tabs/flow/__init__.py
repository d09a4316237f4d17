"""Flow matching: from noise to pictures along nearly straight lines, also in very few steps."""

from dataclasses import replace

from demos.page.tab import Tab
from demos.sampling.attributes import AttributeGeneration
from demos.sampling.generate import Generation
from demos.sampling.races import FEW_STEPS_PANEL
from demos.tabs.flow.roads import PANEL as ROADS
from demos.tabs.flow.texts import GENERATE
from gen_core.families.flow import Flow

ID = "flow"

generation = Generation(
    tab=ID,
    model="flow-fashion",
    lanes=[("Picture so far, xₜ", "x"), ("Guess of the picture, x₁", "x0"), ("Velocity", "out")],
    text=GENERATE,
    kind=Flow,
    comment="frames[k].x0 is the guess of x_1 at step k, frames[k].out the velocity",
)
person = AttributeGeneration(replace(generation, model="flow-avatars"))

TAB = Tab(
    ID,
    "Flow matching",
    order=50,
    panels=[generation.panel(), FEW_STEPS_PANEL, ROADS, person.panel()],
)
