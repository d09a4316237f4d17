"""The Sliders panel: directions that mean something, beside those of the widest variance."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from demos.page.handlers import App
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.latent_space.models import (
    MOST_PORTRAITS,
    PORTRAITS,
    TAB,
    UNSEEN_FROM,
    atlas,
    code_of_portrait,
)
from demos.tabs.latent_space.texts import MEASURED, NO_MEASURED, SLIDERS
from demos.widgets.attribute_picker import JUDGE
from demos.widgets.meaning_sliders import Faces, Move, MoveKnob, Mover, axis_of
from demos.widgets.measured import card, figures_of, made, table
from gen_core.latent.analyze import SECTION, others
from gen_core.latent.directions import TraitRegressor
from gen_core.latent.traits import TRAITS

TITLE, NAME = "Sliders", f"{TAB}-sliders"
FACES = Faces(PORTRAITS, JUDGE, MOST_PORTRAITS, atlas, code_of_portrait)
START = Move(7, (("smile", 1.5), ("glasses", 2.0)))
HEADS = (
    "Slider",
    "Moved the right way",
    "Its own change",
    "Others, on average",
    ("Largest side effect"),
)


def seen(app: App, *, move: Move) -> Iterator[dict[str, str]]:
    """Yields the face and the one it starts from, as data URLs."""
    shown = Mover(app, FACES).move(str(move))
    yield {"picture": shown.picture, "start": shown.start}


def code(knobs: Mapping[str, Any]) -> str:
    """The lines that draw the same face."""
    move: Move = knobs["move"]
    traits = ", ".join(f'"{name}": {far:g}' for name, far in move.by if name in TRAITS)
    along = [(axis_of(name), far) for name, far in move.by if name not in TRAITS]
    read = f"z = known.regressor.moved(z, {{{traits}}})  # in standard deviations"
    return script(
        f'model = load("{PORTRAITS}")',
        "known = Atlas.kept(model.extra)  # who reads traits, principal components, a map",
        f"images, people = avatars([{UNSEEN_FROM + move.face}])  # a portrait, and who is on it",
        "x = images.float() / 127.5 - 1",
        "z = model.encode(x.to(model.device))[0].cpu()  # (1, 64)",
        *([read] if traits else []),
        *(f"z = z + {far:g} * known.scales[{k}] * known.axes[{k}].float()" for k, far in along),
        "x = model.decode(z.to(model.device))  # (1, 3, 64, 64) in [-1, 1]",
    )


def figures_below(app: App) -> None:
    """What the directions do, as a card; else a line that says how to measure it."""
    figures = figures_of(PORTRAITS, SECTION)
    shown = section(figures) if figures else ""
    card(f"{NAME}-measured", MEASURED, shown, otherwise=NO_MEASURED)


def section(figures: Mapping[str, Any]) -> str:
    """The published figures as HTML."""
    sliders = figures["sliders"]
    foot = (
        f"{sliders['faces']} faces, moved by {sliders['strength']:g} each way; "
        f"changes in standard deviations of the data. {made(figures)}"
    )
    return f"""
    <section class="card measured">{table(HEADS, _rows(sliders["by_trait"]))}
      <p>{escape(foot)}</p></section>"""


def _rows(by_trait: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, row in by_trait.items():
        change = row["change"]
        rest = {other: value for other, value in change.items() if other != name}
        most = max(rest, key=lambda other: abs(rest[other]))
        yield (
            name,
            f"{row['right']:.1%}",
            f"{change[name]:+.2f}",
            f"{others(change, name):.0%} <small>of its own</small>",
            f"{escape(most)} {rest[most]:+.2f}".replace("-", "−"),
        )


PANEL = Panel(
    tab=TAB,
    id="sliders",
    title=TITLE,
    text=SLIDERS,
    knobs=[MoveKnob("move", TITLE, "move", str(START), example=NAME, faces=FACES)],
    run=seen,
    code=code,
    calls=TraitRegressor.moved,
    below=figures_below,
    models=(PORTRAITS, JUDGE),
    seeds=(UNSEEN_FROM + START.face,),
)
