"""The Between panel: from one face to another, straight and on the arc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from demos.cache import Keep, example
from demos.explain import code_panel, explanation
from demos.handlers import App
from demos.knobs import Knobs
from demos.latent_space.faces import FaceInput, numbered
from demos.latent_space.models import PORTRAITS, TAB, UNSEEN_FROM
from demos.layout import buttons, controls, results
from demos.script import LOAD, TORCH, script
from demos.texts.latent_space import BETWEEN
from demos.vae.interpolate import COUNT, timeline, walks
from demos.widgets.timeline import Timeline
from gen_core.devices import device_title
from gen_core.interpolation import spherical

PANEL_ID, TITLE = "between", "Between two"
NAME = f"{TAB}-{PANEL_ID}"
FIRST, SECOND = 3, 11


def build(app: App) -> None:
    """The panel, inside its gr.Tab."""
    explanation(BETWEEN)
    ends = [
        FaceInput(app, title="From", prefix="from_", number=FIRST),
        FaceInput(app, title="To", prefix="to_", number=SECOND),
    ]
    knobs = app.add(Knobs(TAB, PANEL_ID, [*ends[0].knobs, *ends[1].knobs, COUNT]))
    kept = example(NAME)
    with gr.Row():
        with controls():
            go, stop = buttons("Walk")
            for end in ends:
                end.build(knobs)
            knobs.build()
        with results():
            names = (f"portrait {FIRST}", f"portrait {SECOND}")
            line = Timeline(
                elem_id=NAME, label="Walk from one face to another", empty="Press Walk.",
                value=timeline(kept.value, names, kept.note, False, NAME) if kept else None,
            )  # fmt: skip

    def run(
        from_drawing: Any, from_upload: Any, to_drawing: Any, to_upload: Any, **settings: Any
    ) -> dict[str, Any]:
        vae = app.model(PORTRAITS)
        first = ends[0].read(from_drawing, from_upload, settings)
        second = ends[1].read(to_drawing, to_upload, settings)
        codes = (face.z[0].to(vae.device) for face in (first, second))
        walked = walks(vae, *codes, settings["count"])
        return timeline(walked, (first.name, second.name), device_title(vae.device), True, NAME)

    def code(settings: Mapping[str, Any]) -> str:
        given = [end.code(settings, f"z_{x}") for end, x in zip(ends, "ab", strict=True)]
        count = settings["count"]
        return script(
            [LOAD, TORCH, *given[0].needs, *given[1].needs]
            + [("gen_core.interpolation", name) for name in ("spherical", "straight")],
            f'model = load("{PORTRAITS}")',
            *given[0].body,
            *given[1].body,
            f"t = torch.linspace(0, 1, {count}, device=model.device)",
            f"on_the_line = model.decode(straight(z_a[0], z_b[0], t))  # ({count}, 3, 64, 64)",
            "on_the_arc = model.decode(spherical(z_a[0], z_b[0], t))",
        )

    app.on(
        go.click, run, knobs, line, inputs=ends[0].inputs | ends[1].inputs,
        api_name="latent_space_between", stop=stop, show_progress="minimal",
    )  # fmt: skip
    code_panel(knobs, code, spherical)


def keep() -> Keep:
    """The example for the page's first moment."""

    def make(app: App) -> dict[str, Any]:
        vae = app.model(PORTRAITS)
        ends = (numbered(app, number).z[0].to(vae.device) for number in (FIRST, SECOND))
        return walks(vae, *ends, COUNT.default)

    return Keep(NAME, make, (PORTRAITS,), (UNSEEN_FROM + FIRST, UNSEEN_FROM + SECOND))
