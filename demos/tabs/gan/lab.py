"""The GAN's Train one panel: a run of the adversarial lab, live, and single turns after it."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr

from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.image_io import duration, in_base64
from demos.page.pace import Clock, Steps, ended_early
from demos.page.panel import Page, Panel
from demos.page.script import script
from demos.tabs.gan.lab_knobs import (
    MOST_STEPS,
    changed,
    check_work,
    look_for,
    moments,
    play_knob,
    played,
    sets_knobs,
    settings_knobs,
    settings_of,
)
from demos.tabs.gan.lab_texts import TRAIN_ONE
from demos.tabs.gan.samples import TAB
from demos.widgets.lab import RECORD, Lab, LabValue, record_of
from demos.widgets.plane import Film, layout_of, on_plane
from gen_core.data.point_texts import write_points
from gen_core.engine.kept import Kept
from gen_core.knobs import KnobError, choice, whole
from gen_core.lab import Camera, Frame, Game, Settings, State
from gen_core.progress import Progress

FRAMES, FRAMES_OF_EXAMPLE = 200, 60
MOST_TURNS = 60
"""Single turns that can be taken after a run."""
PLAYERS = ("discriminator", "generator")
ENDS = Kept(3600.0, 64_000_000)
"""The last states of runs and those after single turns, (settings, seed, state): see `keep`."""


def train(
    app: App, *, play: str, steps: int, seed: int, frames: int = FRAMES, **chosen: Any
) -> Iterator[Progress | LabValue]:
    """Yields a run as far as it has come, then with its verdict."""
    settings, clock, film = settings_of(chosen), Clock(), Film()
    line = Steps(steps)
    check_work(settings, 1)
    game = Game(settings, [seed])
    camera, taken = Camera(game), moments(steps, frames)
    shown = {
        "layout": layout_of(RECORD),
        "real": in_base64(on_plane(camera.real[0])),
        "total": steps,
        "modes": 0 if game.plane.modes is None else len(game.plane.modes),
        "look": look_for(settings, play),
        "changed": changed(settings),
        "name": f"lab-{settings.data}-{seed}",
    }
    frame = camera.frame()
    for step in played([game], steps, clock):
        if step in taken or clock.is_up:
            frame = camera.frame()
            film.add(record_of(frame, settings.loss))
            if film.due:
                yield LabValue(film.told(), provenance=f"step {step:,} of {steps:,}", **shown)
        if clock.gives_a_turn():
            yield line.at(step)
    where = f"{step:,} steps in {duration(clock.seconds)} · {app.device_title}"
    said = ended_early(step, steps) + verdict_of(frame, shown["modes"])
    key = secrets.token_urlsafe(12)
    keep((key,), settings, seed, game.state)
    yield LabValue(film.told(), verdict=said, turns=key, provenance=where, **shown)


def verdict_of(frame: Frame, modes: int) -> str:
    """How the first run of a frame stands, in a sentence."""
    if frame.modes is None:
        return (
            f"Jensen-Shannon divergence {frame.divergence[0]:.2f} bits, Wasserstein distance "
            f"{frame.wasserstein[0]:.2f}: 0 would be the data themselves."
        )
    covered, on_modes = int(frame.modes.covered[0]), float(frame.modes.on_modes[0])
    if frame.modes.not_converged[0]:
        return (
            f"Not converged: only {on_modes:.0%} of samples on modes, less than 80%; "
            f"{covered} of {modes} modes covered."
        )
    if frame.modes.collapsed[0]:
        return f"Collapsed: covers {covered} of {modes} modes; {on_modes:.0%} of samples on modes."
    return f"Covers {covered} of {modes} modes; {on_modes:.0%} of samples on modes."


# --- single turns ---------------------------------------------------------------------------------


def keep(key: tuple[str, ...], settings: Settings, seed: int, state: State) -> None:
    """Keeps a state for an hour. key: by what the page knows the run, and who moved since."""
    players = (state.generator, state.discriminator)
    size = sum(part.nbytes for p in players for part in (p.weights, p.mean, p.square))
    ENDS.put(key, (settings, seed, state), size)


def one_turn(asked: Any) -> dict[str, Any]:
    """{"frame": a record as text} after single turns of the players, from a run's end on.

    asked: {"turns": the run, "players": who moves, in order}. Raises KnobError for a run that is no
    longer kept and for anything but what the page asks.
    """
    asked = asked if isinstance(asked, dict) else {}
    players, run = asked.get("players"), asked.get("turns")
    if not isinstance(players, list):
        raise KnobError("players: give a list of those who move, in order")
    whole("the number of turns", len(players), 1, MOST_TURNS)
    moves = [choice("player", player, PLAYERS) for player in players]
    done, known = _furthest(str(run), moves)
    if known is None:
        raise KnobError("This run is no longer kept: press Train again")
    settings, seed, state = known
    game = Game(settings, [seed])
    game.state = state
    for player in moves[done:]:
        game.step(player)
    keep((str(run), *moves), settings, seed, game.state)
    return {"frame": in_base64(record_of(Camera(game).frame(), settings.loss))}


def _furthest(run: str, moves: list[str]) -> tuple[int, Any]:
    """The state after as many of these moves as one is kept of, and how many; None without any."""
    for done in range(len(moves), -1, -1):
        if known := ENDS.get((run, *moves[:done])):
            return done, known
    return 0, None


# --- the panel ------------------------------------------------------------------------------------


def code(k: Mapping[str, Any]) -> str:
    """The lines that train the same."""
    return script(
        *settings_lines(k),
        f"game = Game(settings, seeds=[{k['seed']}])",
        "camera = Camera(game)",
        f"for step in range({k['steps']}):",
        "    state = game.step()",
        "    if step % 100 == 99:",
        "        losses = [float(loss) for loss in state.losses]",
        "        print(state.step, losses, float(camera.frame().divergence))",
        "frame = camera.frame()  # .samples, .field, .pull, .lattice, .modes",
    )


def settings_lines(k: Mapping[str, Any]) -> list[str]:
    """Of a script: the game of these knobs, by what differs from the defaults."""
    python = {name: repr(value) for name, value in settings_of(k).changes.items()}
    if "points" in python:
        python["points"] = f'read_points("{write_points(k["points"])}")'
    changes = [f"    {name}={value}," for name, value in python.items()]
    return ["settings = Settings(", *changes, ")"] if changes else ["settings = Settings()"]


class LabPanel(Panel):
    """Its card may ask for single turns."""

    def screens(self, page: Page) -> list[gr.components.Component]:
        return [
            Lab(
                elem_id=self.name,
                label=self.shows,
                value=page.first,
                asked=[page.app.serve(one_turn)],
            )
        ]

    def at_first(self, app: App) -> Any:
        """Its state is not kept on this machine."""
        before = super().at_first(app)
        return before and before | {"turns": ""}


PANEL = LabPanel(
    tab=TAB,
    id="lab",
    title="Train one",
    button="Train",
    text=TRAIN_ONE,
    knobs=[
        play_knob("A game that breaks sets what breaks it"),
        *settings_knobs(),
        Knob("steps", "Steps", "whole", 1500, 100, MOST_STEPS, step=100),
        Knob("seed", "Seed", "seed", 0),
    ],
    run=train,
    code=code,
    calls=Game.step,
    screen=Lab,
    shows="A training on the plane",
    example={"frames": FRAMES_OF_EXAMPLE},
    after=sets_knobs,
    apart=("play",),
    generates=False,
)
