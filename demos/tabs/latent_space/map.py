"""The Latent space tab's Map panel: where encodings lie, and what is drawn between them."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from demos.page.controls import FASHION, Knob
from demos.page.handlers import App
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.latent_space.models import FLAT, PORTRAITS, TAB, atlas
from demos.tabs.latent_space.texts import MAP
from demos.widgets.attribute_picker import COLOURS
from demos.widgets.latent_map import Column, Path, PathKnob, View
from demos.widgets.latent_sliders import plane_picture
from demos.widgets.timeline import Timeline, TimelineValue, timeline_from_images
from gen_core.data.avatars.schema import CATEGORICAL, CONTINUOUS
from gen_core.latent.atlas import Atlas
from gen_core.latent.traits import TRAITS
from gen_core.nets.attributes import SCALE
from gen_core.sampling import pixels

TITLE, NAME = "Map", f"{TAB}-map"
COUNT = Knob("count", "Pictures on the way", "whole", 30, 2, 60)
GROUND_SIDE = 21
"""Pictures along each side of the plane of two numbers."""
PALETTE = (
    "#4e79a7",
    "#f28e2b",
    "#59a14f",
    "#e15759",
    "#b07aa1",
    "#76b7b2",
    "#edc948",
    "#9c755f",
    "#ff9da7",
    "#1b3a6b",
    "#a6d854",
    "#7b2d8b",
    "#006d5b",
    "#ffd9a0",
    "#8c1c13",
    "#c5b0ff",
)
"""For values that have no colour of their own. The first nine: Tableau 10 (Stone 2016)."""
VIRIDIS = (
    "#440154",
    "#472d7b",
    "#3b528b",
    "#2c728e",
    "#21918c",
    "#28ae80",
    "#5ec962",
    "#addc30",
    "#fde725",
)
"""For measures: equal steps look equal (Smith & van der Walt 2015)."""
SHADES = 33


# --- what the points are coloured by --------------------------------------------------------------


def _hex(rgb: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * value):02x}" for value in rgb)


def ramp(stops: Sequence[str], count: int) -> list[str]:
    """`count` colours, the stops among them and the rest evenly between."""
    known = np.array([[int(stop[k : k + 2], 16) / 255 for k in (1, 3, 5)] for stop in stops])
    at, given = np.linspace(0, 1, count), np.linspace(0, 1, len(stops))
    return [_hex(rgb) for rgb in np.stack([np.interp(at, given, c) for c in known.T], 1)]


def portrait_columns(atlas: Atlas) -> list[Column]:
    """One for each attribute of a portrait, the hat first: neighbours share it most."""
    columns = [
        _choice(name, values) if name in CATEGORICAL else _measure(name, values)
        for name, values in zip([*CATEGORICAL, *CONTINUOUS], atlas.labels.T, strict=True)
    ]
    return sorted(columns, key=lambda column: column.title != "Hat")


def _title(attribute: str) -> str:
    return attribute.replace("_", " ").capitalize()


def _choice(name: str, codes: Tensor) -> Column:
    own = COLOURS.get(name)
    colours = [_hex(rgb) for rgb in own.values()] if own else PALETTE[: len(CATEGORICAL[name])]
    return Column(_title(name), codes, colours, CATEGORICAL[name])


def _measure(name: str, thousandths: Tensor) -> Column:
    low, high = CONTINUOUS[name]
    share = (thousandths / SCALE - low) / (high - low)
    marks = (share * (SHADES - 1)).round().clamp(0, SHADES - 1)
    ends = TRAITS[name].low, TRAITS[name].high
    return Column(_title(name), marks, ramp(VIRIDIS, SHADES), ends=ends, low=low, high=high)


# --- the three maps -------------------------------------------------------------------------------


VIEWS = {
    "near": View(
        "Neighbours (t-SNE)",
        PORTRAITS,
        1.05,
        atlas,
        ("across", "up"),
        "-0.7,-0.1;-0.45,0.35;0,0.45;0.15,0;0.1,-0.45;0.45,-0.5;0.75,-0.1",
        places=lambda model, atlas: atlas.places.float(),
        codes=lambda model, atlas, places: torch.stack([atlas.at(p) for p in places.tolist()]),
        columns=portrait_columns,
        bent=True,
    ),
    "wide": View(
        "Widest plane (PCA)",
        PORTRAITS,
        3.0,
        atlas,
        ("first component", "second"),
        "-2,-1.5;-1.5,1;0,1.5;1.5,1;2,-1.5",
        places=lambda model, atlas: (
            ((atlas.codes.float() - atlas.mean) @ atlas.axes[:2].float().T) / atlas.scales[:2]
        ),
        codes=lambda model, atlas, places: (
            atlas.mean + (places * atlas.scales[:2]) @ atlas.axes[:2].float()
        ),
        columns=portrait_columns,
    ),
    "flat": View(
        "Clothes, two numbers",
        FLAT,
        4.0,
        atlas,
        ("stronger number", "other"),
        "-2.5,-2;-1,1.5;1,1.5;2.5,-2",
        # A swap of two numbers, or none, is its own inverse.
        places=lambda model, atlas: atlas.codes.float()[:, model.order],
        codes=lambda model, atlas, places: places[:, model.order],
        columns=lambda atlas: [Column("Class", atlas.labels, PALETTE[: len(FASHION)], FASHION)],
        # Pictures whose codes are those of the middle of their place.
        ground=lambda model, reach: plane_picture(
            model, reach * (1 - 1 / GROUND_SIDE), GROUND_SIDE
        ),
    ),
}
"""By the name that stands in links."""
START = f"near:{VIEWS['near'].start}"


# --- along a path ---------------------------------------------------------------------------------


def along(places: Sequence[tuple[float, float]], count: int) -> Tensor:
    """(count, 2): places on the broken line through `places`, both ends among them, all equally
    far from the next along the line."""
    corners = np.asarray(places, np.float64)
    strides = np.hypot(*np.diff(corners, axis=0).T)
    passed = np.concatenate([[0], strides.cumsum()])
    wanted = np.linspace(0, passed[-1], count)
    return torch.tensor(
        np.stack([np.interp(wanted, passed, axis) for axis in corners.T], 1)
    ).float()


@torch.inference_mode()
def walk(app: App, path: Path, count: int) -> dict[str, Any]:
    """`count` pictures along a path, and how far the code moved to each: arrays, plain values."""
    view = VIEWS[path.view]
    model, places = app.model(view.model), along(path.places, count)
    started = time.perf_counter()
    codes = view.codes_at(app, places)
    pictures = pixels(model.decode(codes))
    seconds = time.perf_counter() - started
    return {
        "view": path.view,
        "places": [[round(value, 3) for value in place] for place in places.tolist()],
        "pictures": pictures,
        "strides": [round(s, 4) for s in codes.diff(dim=0).norm(dim=1).tolist()],
        "ms_per_step": round(1000 * seconds / count, 2),
    }


def timeline(walked: dict[str, Any], note: str, live: bool) -> TimelineValue:
    """What `walk` gave as the timeline's value, with the code's strides as a chart."""
    steps = list(range(1, len(walked["places"]) + 1))
    strides = {
        "title": "How far the code moves at each equal step along the path",
        "x_label": "picture",
        "y_label": "distance",
        "series": [
            {
                "name": "from the picture before",
                "points": [list(p) for p in zip(steps[1:], walked["strides"], strict=True)],
            },
        ],
        "at": steps,
    }
    view = VIEWS[walked["view"]]
    return timeline_from_images(
        {"Along the path": list(np.asarray(walked["pictures"])[:, None])},
        [f"{x:.2f}, {y:.2f}".replace("-", "−") for x, y in walked["places"]],
        steps=steps,
        step_word="picture",
        ms_per_step=walked["ms_per_step"],
        provenance=note,
        live=live,
        name=NAME,
        alt=f"a path on the map {view.title}",
        start=0,
        curves=[strides] if view.bent else (),
        notes=[view.title] * len(steps),
        autoplay=live,
    )


# --- the panel ------------------------------------------------------------------------------------


def code(knobs: dict[str, Any]) -> str:
    """Python that decodes the same pictures."""
    path, count = knobs["path"], knobs["count"]
    corners = ", ".join(f"({x:g}, {y:g})" for x, y in path.places)
    size = "1, 28, 28" if path.view == "flat" else "3, 64, 64"
    return script(
        f'model = load("{VIEWS[path.view].model}")',
        "atlas = Atlas.kept(model.extra)",
        f"places = along([{corners}], {count})  # ({count}, 2)",
        CODE_LINES[path.view],
        f"x = model.decode(z.to(model.device))  # ({count}, {size}) in [-1, 1]",
        along=__name__,
    )


CODE_LINES = {
    "near": "z = torch.stack([atlas.at((a, b)) for a, b in places.tolist()])",
    "wide": "z = atlas.mean + (places * atlas.scales[:2]) @ atlas.axes[:2].float()",
    "flat": "z = places[:, model.order]  # the number that changes the picture most goes across",
}


class MapPanel(Panel):
    """Its run yields what `walk` gives; a new path runs it too."""

    def drawn(self, value: Any, note: str, live: bool) -> TimelineValue:
        return timeline(value, note, live)

    def triggers(self, page: Page) -> dict[str, Callable]:
        return super().triggers(page) | {"_path": page.knobs.built["path"].change}


PANEL = MapPanel(
    tab=TAB,
    id="map",
    title=TITLE,
    button="Play the path",
    text=MAP,
    knobs=[PathKnob("path", TITLE, "path", START, example=NAME, views=VIEWS), COUNT],
    run=lambda app, path, count: iter([walk(app, path, count)]),
    code=code,
    calls=Atlas.at,
    screen=Timeline,
    shows="Pictures along the path",
    empty="Draw a path on the map.",
    models=(PORTRAITS,),
    seeds=(),
)
