"""What the lab's panels share: their knobs, games to start from, what is too much, and how runs are
shown."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from demos.page.controls import Knob, Knobs, control
from demos.page.pace import Clock
from demos.widgets.point_pad import DRAWN, PointsKnob, shown_where_drawn
from gen_core.knobs import Choice, KnobError
from gen_core.lab import KNOBS, Game, Settings
from gen_core.lab.presets import PRESETS
from gen_core.lab.settings import OTHERS

HEALTHY = "healthy"
PLAYS = {
    "Healthy": HEALTHY,
    "D's loss leaks into G": "leak",
    "Slow D, which may then compare": "clump",
    "Slow D": "weak",
    "Fast D": "strong",
    "Too much momentum": "momentum",
    "Four points of data": "few",
    "Wasserstein without a limit": "unbounded",
    "Both descend G's loss": "one-loss-generator",
    "Both descend D's loss": "one-loss-discriminator",
    "Both move at once": "simultaneous",
    "25 modes": "grid",
}
"""What a visitor reads, short enough for a phone -> the preset's name."""
IN_SIGHT = (
    "data",
    "loss",
    "lr_discriminator",
    "r1",
    "spectral_norm",
    "minibatch_discrimination",
)
"""Settings that a newcomer finds; all others are advanced."""
LABELS = {
    "data": "Data set",
    "lr_discriminator": "Discriminator's learning rate",
    "lr_generator": "Generator's learning rate",
    "r1": "R1 penalty",
    "r2": "R2 penalty",
}
COMPARISON = 64
"""What it costs minibatch discrimination to compare two samples, in multiplications, about."""
MOST_STEPS = 5000
MOST_WORK = 8e8
"""Multiplications of one step, about: more would keep others waiting between two turns."""
SLOPES, FORESEEN = 4, 4
"""How many times as dear a step becomes by penalties, whose gradients are taken twice, and, of what
one of the discriminator costs, each that the generator foresees."""


def settings_knobs(**changes: Mapping[str, Any]) -> list[Knob]:
    """Controls for all settings, those of a newcomer first."""
    ordered = sorted(KNOBS, key=lambda knob: knob.name not in IN_SIGHT)
    found = []
    for knob in ordered:
        more = {"advanced": knob.name not in IN_SIGHT} | dict(changes.get(knob.name, {}))
        if knob.name in LABELS:
            more["label"] = LABELS[knob.name]
        if knob.name == "data":
            assert isinstance(knob, Choice)
            names = {DRAWN if name == "points" else name: name for name in knob.options}
            more |= {"options": [*names], "names": names}
        found.append(control(knob, "lab", **more))
        if knob.name == "data":
            found.append(PointsKnob())
    return found


def settings_of(chosen: Mapping[str, Any]) -> Settings:
    """The game of these knobs; points that were drawn count while they are the data."""
    own = {knob.name: chosen[knob.name] for knob in settings_knobs()}
    return Settings(**own | ({} if own["data"] == "points" else {"points": ()}))


def play_knob(info: str) -> Knob:
    """The games to start from."""
    first = next(iter(PLAYS))
    return Knob("play", "Play", "choice", first, options=[*PLAYS], names=PLAYS, info=info)


def broken(play: str) -> Settings:
    """The game of that name as it stands before it is mended."""
    return Settings() if play == HEALTHY else PRESETS[play].games["broken"]


def sets_knobs(knobs: Knobs, steps: Mapping[str, int] | None = None) -> None:
    """Makes "Play" set all other settings, in the browser, and shows the pad where it is needed;
    steps: by play, where they differ."""
    shown_where_drawn(knobs)
    names = [knob.name for knob in KNOBS] + (["steps"] if steps else [])
    table = {}
    for shown, play in PLAYS.items():
        values = vars(broken(play)) | ({"steps": steps[play]} if steps else {})
        table[shown] = [values[name] for name in names]
    outputs = [knobs.built[name] for name in names]
    knobs.built["play"].input(
        None,
        knobs.built["play"],
        outputs,
        js=f"(play) => ({json.dumps(table)})[play]",
        show_progress="hidden",
        show_progress_on=outputs[0],  # else all are told of every message of every later run
        api_visibility="private",
    )


def look_for(settings: Settings, play: str) -> str:
    """What to look for in a game, where it is one of the presets, of equal ones the one that was
    chosen to play; else ""."""
    if settings == Settings():
        return "What to look for: the samples spread until every mode has its share, and stay."
    for name in sorted(PRESETS, key=lambda name: name != play):
        if settings == PRESETS[name].games["broken"]:
            return f"What to look for: {PRESETS[name].look}"
    return ""


def changed(settings: Settings) -> str:
    """What differs from the defaults, in words."""
    parts = [in_words(name, value) for name, value in settings.changes.items()]
    return "Set: " + ", ".join(parts) if parts else ""


def in_words(name: str, value: Any) -> str:
    """ "Mistake: none" """
    if name == "points":
        return f"{len(value):,} point{'s' if len(value) > 1 else ''}"
    labels = {knob.name: knob.title for knob in KNOBS} | LABELS
    shown = ("off", "on")[value] if isinstance(value, bool) else value
    shown = DRAWN if (name, value) == ("data", "points") else shown
    return f"{labels[name]}: {shown}"


def check_work(settings: Settings, runs: int) -> None:
    """Raises KnobError where a step of so many runs would take too long, or too much memory."""
    s = settings
    slopes = SLOPES if s.r1 or s.r2 or s.gradient_penalty else 1
    turns = s.discriminator_steps + 1 + FORESEEN * slopes * s.unrolled
    others = OTHERS * COMPARISON if s.minibatch_discrimination else 0
    work = runs * s.batch * (s.width**2 * s.depth + others) * turns * slopes
    if work > MOST_WORK:
        raise KnobError(
            f"width={s.width}, depth={s.depth}, batch={s.batch}, unrolled={s.unrolled} and "
            f"discriminator_steps={s.discriminator_steps}, with the penalties that are set, in "
            f"{runs} run{'s' if runs > 1 else ''} are {work / MOST_WORK:.1f} times what the page "
            "plays: choose less of one, or fewer remedies at once"
        )


def moments(steps: int, frames: int) -> Collection[int]:
    """The steps after which a frame is taken: about so many, the first and the last among them."""
    return {round(k * steps / frames) for k in range(frames + 1)}


def played(games: list[Game], steps: int, clock: Clock) -> Iterator[int]:
    """Plays all side by side and yields each step, from 0 on; ends early where `clock.is_up`."""
    for step in range(steps + 1):
        if step:
            with clock:
                for game in games:
                    game.step()
        yield step
        if clock.is_up:
            return
