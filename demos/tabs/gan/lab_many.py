"""The GAN's Twenty seeds panel: the same games of the lab from many seeds, side by side, and below
them what was counted of all pairs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr
import numpy as np
import torch

from demos.page.controls import Knob, Knobs
from demos.page.examples import example
from demos.page.handlers import App
from demos.page.image_io import duration, in_base64
from demos.page.pace import Clock, Steps, ended_early
from demos.page.panel import Panel
from demos.page.script import script
from demos.tabs.gan.lab import settings_lines
from demos.tabs.gan.lab_knobs import (
    HEALTHY,
    MOST_STEPS,
    PLAYS,
    check_work,
    in_words,
    look_for,
    moments,
    play_knob,
    played,
    sets_knobs,
    settings_knobs,
    settings_of,
)
from demos.tabs.gan.lab_texts import NOT_COUNTED, TABLE, TWENTY
from demos.tabs.gan.samples import TAB
from demos.widgets import measured as cards
from demos.widgets.lab_many import LabMany, LabManyValue, record_of, record_type
from demos.widgets.plane import Film, layout_of, on_plane
from gen_core.lab import Camera, Game, Settings
from gen_core.lab.counting import measured, wilson
from gen_core.lab.measures import Modes
from gen_core.lab.presets import PRESETS
from gen_core.progress import Progress

SEEDS, STEPS = 20, 1200
FRAMES, FRAMES_OF_EXAMPLE = 80, 40
REAL_SHOWN = 120
"""Points of a set without modes that stand behind the samples."""
SIDES = {"Both, side by side": "both", "As it is set": "broken", "Mended": "mended"}
End = tuple[torch.Tensor, Modes | None]
"""How the runs of a game stand: (runs,) the divergence, and how they cover the modes."""


def games_of(play: str, side: str, settings: Settings) -> dict[str, Settings]:
    """The games to train, by title; side: "both", "broken" or "mended". A game that has no other
    side is trained alone."""
    if play == HEALTHY:
        return {"As it is set": settings}
    mended = settings.but(**PRESETS[play].mend)
    change = ", ".join(in_words(name, value) for name, value in PRESETS[play].mend.items())
    both = {"As it is set": settings, f"Mended ({change})": mended}
    return {
        title: game
        for (title, game), name in zip(both.items(), ("broken", "mended"), strict=True)
        if side in ("both", name)
    }


def train_many(
    app: App,
    *,
    play: str,
    side: str,
    predicted: int,
    steps: int,
    seed: int,
    frames: int = FRAMES,
    **chosen: Any,
) -> Iterator[Progress | LabManyValue]:
    """Yields the runs as far as they have come, then how they have ended."""
    settings, clock, film = settings_of(chosen), Clock(), Film()
    line = Steps(steps)
    wanted = games_of(play, side, settings)
    for own in wanted.values():
        check_work(own, SEEDS * len(wanted))
    as_set = settings in wanted.values()
    seeds = [*range(seed, seed + SEEDS)]
    games = [Game(own, seeds) for own in wanted.values()]
    cameras, taken = [Camera(game) for game in games], moments(steps, frames)
    modes = [0 if game.plane.modes is None else len(game.plane.modes) for game in games]
    shown = {
        "titles": [*wanted],
        "seeds": seeds,
        "layout": layout_of(record_type(SEEDS * len(games))),
        "total": steps,
        "modes": modes,
        "centres": [in_base64(on_plane(behind(camera), np.uint8)) for camera in cameras],
        "look": look_for(settings, play) if as_set else "",
        "name": f"lab-twenty-{play}-{seed}",
    }
    ends: list[End] = []
    for step in played(games, steps, clock):
        if step in taken or clock.is_up:
            with clock:
                samples = [camera.samples() for camera in cameras]
                ends = [
                    (camera.yardstick.divergence(x), camera.modes(x))
                    for camera, x in zip(cameras, samples, strict=True)
                ]
            film.add(record_of(step, torch.cat(samples), *together(ends)))
            if film.due:
                so_far = f"step {step:,} of {steps:,}"
                yield LabManyValue(chunks=film.told(), provenance=so_far, **shown)
        if clock.gives_a_turn():
            yield line.at(step)
    outcomes = [outcomes_of(own, of) for (_, own), of in zip(ends, modes, strict=True)]
    counts = [
        count_line(own, of, divergence)
        for own, of, (divergence, _) in zip(outcomes, modes, ends, strict=True)
    ]
    found = [own.count("all") for own in outcomes]
    said = covering(found) if all(modes) else counts[0]
    where = (
        f"{len(games) * SEEDS} runs of {step:,} steps in {duration(clock.seconds)} · "
        f"{app.device_title}"
    )
    yield LabManyValue(
        chunks=film.told(),
        outcomes=outcomes,
        counts=counts,
        verdict=ended_early(step, steps) + said,
        foretold=foretold(predicted, found[0]) if all(modes) and as_set else "",
        provenance=where,
        **shown,
    )


def behind(camera: Camera) -> torch.Tensor:
    """(N, 2): what stands behind the samples, the modes or some of the data."""
    modes = camera.game.plane.modes
    return camera.real[0, :REAL_SHOWN] if modes is None else modes


def together(ends: Sequence[End]) -> End:
    """The figures of several games as of one with all their runs; 0 of 0 modes where a set has
    none."""
    none = Modes(*[torch.zeros(SEEDS)] * len(Modes._fields))
    joined = Modes(*map(torch.cat, zip(*(modes or none for _, modes in ends), strict=True)))
    return torch.cat([divergence for divergence, _ in ends]), joined


def outcomes_of(modes: Modes | None, of: int) -> list[str]:
    """Of each run "all", "part", "collapsed" or "stray"; of a set without modes ""."""
    if modes is None:
        return [""] * SEEDS
    return [
        "stray" if stray else "collapsed" if collapsed else "all" if covered == of else "part"
        for covered, collapsed, stray in zip(
            modes.covered.tolist(),
            modes.collapsed.tolist(),
            modes.not_converged.tolist(),
            strict=True,
        )
    ]


def count_line(outcomes: Sequence[str], of: int, divergence: torch.Tensor) -> str:
    """How the runs of a game have ended: "covers all 8 in 17 of 20, collapsed in 2"."""
    if not of:
        return f"{divergence.median():.2f} bits from the data, the median of {SEEDS} runs"
    counts = Counter(outcomes)
    words = {"part": "only a part", "collapsed": "collapsed", "stray": "not converged"}
    more = [f"{said} in {counts[end]}" for end, said in words.items() if counts[end]]
    return ", ".join([f"covers all {of} in {counts['all']} of {len(outcomes)}", *more])


def covering(found: Sequence[int]) -> str:
    """In how many runs every mode is covered. found: that of each game."""
    mended = f"; mended, in {found[1]}" if len(found) > 1 else ""
    return f"Every mode is covered in {found[0]} of {SEEDS}{mended}."


def foretold(predicted: int, found: int) -> str:
    """A prediction beside what happened."""
    if predicted == found:
        return f"You said {predicted}: exactly right."
    how = "many" if predicted > found else "few"
    return f"You said {predicted}: {abs(predicted - found)} too {how}."


# --- what was counted before ----------------------------------------------------------------------


def figures() -> str:
    """The table of all pairs that were counted, as HTML; "" where none was."""
    counted = measured()
    rows = [
        (
            preset.title,
            f"{escape(preset.look)} {link(name)}",
            cell(counted[name], "broken"),
            cell(counted[name], "mended"),
        )
        for name, preset in PRESETS.items()
        if name in counted
    ]
    heads = ("What breaks", "What to look for", "Broken", "Mended")
    table = cards.table(heads, rows)
    return f'<div class="card measured lab-table">{table}</div>' if rows else ""


def cell(told: Mapping[str, Any], game: str) -> str:
    """The counts of one game of a pair, with intervals."""
    seeds, row = told["seeds"], told[game]
    lines = {
        "all modes": "cover every mode",
        "collapsed": "collapsed",
        "not converged": "not converged",
    }
    said = []
    for outcome, words in lines.items():
        low, high = wilson(row[outcome], seeds)
        interval = f"<small>({100 * low:.0f} to {100 * high:.0f}%)</small>"
        said.append(f"<b>{row[outcome]}</b> of {seeds} {words} {interval}")
    return "<br>".join(said)


def link(name: str) -> str:
    """To this panel with that pair."""
    preset = PRESETS[name]
    settings = preset.games["broken"].changes
    changes = {key: str(v).lower() if isinstance(v, bool) else v for key, v in settings.items()}
    asked = {"play": name, "steps": preset.steps} | changes
    query = urlencode(
        {"tab": TAB, "panel": PANEL.id} | {f"{PANEL.id}.{key}": v for key, v in asked.items()}
    )
    return f'<a href="?{escape(query)}">Train it</a>'


def below(app: App) -> None:
    """Puts the table on the page."""
    style = Path(__file__).with_name("lab_table.css")
    cards.card(f"{PANEL.name}-figures", TABLE, figures(), style, otherwise=NOT_COUNTED)


# --- the panel ------------------------------------------------------------------------------------


def cost(app: App, knobs: Knobs) -> None:
    """Says how long a run takes, from what the example took."""
    if before := example(PANEL.name):
        told = f"Twenty runs of {STEPS:,} steps took {before.seconds:.0f} s on {before.hardware}"
        gr.Markdown(
            f"{told}; both sides take twice as long, and every extra or unrolled step of the "
            "discriminator adds to that.",
            elem_classes=["aside"],
        )


def connect(knobs: Knobs) -> None:
    """A game that is chosen brings its steps, too."""
    steps = {name: PRESETS[name].steps if name in PRESETS else STEPS for name in PLAYS.values()}
    sets_knobs(knobs, steps)


def code(k: Mapping[str, Any]) -> str:
    """The lines that train and count the same."""
    mend = {} if k["play"] == HEALTHY else PRESETS[k["play"]].mend
    changes = ", ".join(f"{name}={value!r}" for name, value in mend.items())
    games = {"both": f"settings, settings.but({changes})", "broken": "settings"}
    listed = games.get(k["side"], f"settings.but({changes})") if mend else "settings"
    return script(
        *settings_lines(k),
        f"for own in [{listed}]:",
        f"    game = Game(own, seeds=range({k['seed']}, {k['seed'] + SEEDS}))",
        f"    for step in range({k['steps']}):",
        "        game.step()",
        "    modes = Camera(game).frame().modes  # None for a set without modes",
        "    if modes:",
        "        print(modes.covered.tolist())",
        '        print(int(modes.collapsed.sum()), "collapsed,", end=" ")',
        '        print(int(modes.not_converged.sum()), "not converged")',
    )


PANEL = Panel(
    tab=TAB,
    id="lab-many",
    title="Twenty seeds",
    button="Train",
    text=TWENTY,
    knobs=[
        play_knob("A game that breaks sets what breaks it; its other side is mended"),
        Knob(
            "predicted",
            "Your prediction",
            "whole",
            10,
            0,
            SEEDS,
            info=f"How many of {SEEDS}, as it is set, will cover all modes?",
        ),
        Knob(
            "side",
            "Which side",
            "choice",
            next(iter(SIDES)),
            options=[*SIDES],
            names=SIDES,
            info="A healthy game has one side",
        ),
        *settings_knobs(),
        Knob("steps", "Steps", "whole", STEPS, 100, MOST_STEPS, step=100),
        Knob("seed", "First seed", "seed", 0),
    ],
    run=train_many,
    code=code,
    calls=Game.step,
    screen=LabMany,
    shows="Trainings from twenty seeds",
    example={"frames": FRAMES_OF_EXAMPLE},
    seeds=range(SEEDS),
    above=("predicted",),
    beneath=cost,
    after=connect,
    below=below,
    apart=("predicted",),
    generates=False,
)
