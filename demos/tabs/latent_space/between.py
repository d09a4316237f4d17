"""The Between panel: from one face to another, straight and on the arc."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from demos.page.handlers import App
from demos.page.script import LOAD, TORCH, script
from demos.tabs.latent_space.faces import FaceInput
from demos.tabs.latent_space.models import PORTRAITS, TAB, UNSEEN_FROM
from demos.tabs.latent_space.texts import BETWEEN
from demos.tabs.vae.interpolate import COUNT, WalkPanel, walks
from demos.widgets.timeline import Timeline
from gen_core.latent.interpolation import spherical

FIRST, SECOND = 3, 11


def run(
    app: App,
    start: FaceInput,
    end: FaceInput,
    /,
    *,
    count: int,
    from_drawing: Any = None,
    from_upload: Any = None,
    to_drawing: Any = None,
    to_upload: Any = None,
    **settings: Any,
) -> Iterator[dict[str, Any]]:
    """Yields the walk from one chosen face to the other."""
    vae = app.model(PORTRAITS)
    first = start.read(from_drawing, from_upload, settings)
    second = end.read(to_drawing, to_upload, settings)
    codes = (face.z[0].to(vae.device) for face in (first, second))
    yield walks(vae, *codes, count) | {"ends": (first.name, second.name)}


def code(start: FaceInput, end: FaceInput, k: Mapping[str, Any]) -> str:
    """The lines that draw the same."""
    given, count = (start.code(k, "z_a"), end.code(k, "z_b")), k["count"]
    return script(
        [LOAD, TORCH, *given[0].needs, *given[1].needs]
        + [("gen_core.latent.interpolation", name) for name in ("spherical", "straight")],
        f'model = load("{PORTRAITS}")',
        *given[0].body,
        *given[1].body,
        f"t = torch.linspace(0, 1, {count}, device=model.device)",
        f"on_the_line = model.decode(straight(z_a[0], z_b[0], t))  # ({count}, 3, 64, 64)",
        "on_the_arc = model.decode(spherical(z_a[0], z_b[0], t))",
    )


PANEL = WalkPanel(
    tab=TAB,
    id="between",
    title="Between two",
    button="Walk",
    text=BETWEEN,
    knobs=[
        functools.partial(FaceInput, title="From", prefix="from_", number=FIRST),
        functools.partial(FaceInput, title="To", prefix="to_", number=SECOND),
        COUNT,
    ],
    run=run,
    code=code,
    calls=spherical,
    screen=Timeline,
    shows="Walk from one face to another",
    file=f"{TAB}-between",
    models=(PORTRAITS,),
    seeds=(UNSEEN_FROM + FIRST, UNSEEN_FROM + SECOND),
)
