"""A run of the Four roads: networks that learn, or the exact field; then the roads, and what they
are worth."""

import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from demos.page.handlers import App
from demos.page.image_io import duration
from demos.page.pace import Clock, Steps, ended_early
from demos.tabs.flow.roads_compared import (
    SHOWN,
    Way,
    Worth,
    curves,
    four_ways,
    moments,
    nearest,
    so_far,
    travelled,
    verdict,
    worth_of,
)
from demos.widgets.roads import RoadsValue, RoadValue, places_text
from gen_core.data.planes import load_plane
from gen_core.data.yardstick import RANKED, Yardstick
from gen_core.engine.kept import Kept
from gen_core.knobs import KnobError
from gen_core.paths import Exact, Field, Pairs, Settings, Training, reflow
from gen_core.paths.reflow import PAIRED, PART, joined, parts_of_pairs
from gen_core.progress import Progress
from gen_core.sampling import Noise, seeds_from

EXACT = "exact"
METHODS = {"Euler": "euler", "Heun": "heun", "Runge-Kutta": "rk4"}
MOST_WORK = 1e11
"""Multiplications of one training, about: half a minute on one core. Up to three networks train."""
PASSES = 3
"""A step's cost in forward passes: the backward one takes twice the forward one."""
MOST_DRAWN = 200
"""Points that the exact field may be of: each is a Gaussian that every evaluation asks."""
PREVIEWS = 12
"""How often a training shows where the points would end."""
REAL_SHOWN = 400
FIELDS = Kept(3600.0, 64_000_000)
"""The ways of runs, to send more points along them, by what the page knows the run by."""


def compare(
    app: App, *, moves: str, method: str, steps: int, schedule: str, seed: int, **chosen: Any
) -> Iterator[Progress | RoadsValue]:
    """Yields the networks as far as they have come, then the roads, then what they are worth."""
    settings = settings_of(**chosen)
    run = Run(app, settings, seed, method, steps)
    if moves == EXACT:
        check_drawn(settings)
        ways = yield from run.on_exact_fields(schedule)
    else:
        ways = yield from run.on_networks(schedule)
    yield from run.told(ways)


def settings_of(*, training_steps: int, **chosen: Any) -> Settings:
    """Of the flow. Raises KnobError where it would take too long to train."""
    if chosen["data"] != "points":
        chosen |= {"points": ()}  # what was drawn before another set was chosen
    settings = Settings(steps=training_steps, **chosen)
    work = PASSES * settings.steps * settings.batch * settings.width**2 * settings.depth
    if work > MOST_WORK:
        raise KnobError(
            f"width={settings.width} and training_steps={settings.steps:,} are "
            f"{work / MOST_WORK:.1f} times what the page trains: choose less of one"
        )
    return settings


def check_drawn(settings: Settings) -> None:
    """Raises KnobError for more points than the exact field is quick enough for."""
    if len(settings.points) > MOST_DRAWN:
        raise KnobError(
            f"points: {len(settings.points):,} are more than the exact field takes here: draw at "
            f"most {MOST_DRAWN}, or have a network trained"
        )


def of_diffusion(settings: Settings, schedule: str) -> Settings:
    """The same training on a path of diffusion."""
    return settings.but(path=schedule, target="v", pairing="independent")


class Run:
    """From settings to roads, and what is shown on the way."""

    def __init__(self, app: App, settings: Settings, seed: int, method: str, steps: int) -> None:
        self.app, self.settings, self.seed = app, settings, seed
        self.method, self.steps, self.seconds, self.ended = method, steps, 0.0, ""
        self.unchanged: dict[str, RoadValue] = {}
        """Where the points end on exact fields, by the way's title."""
        first = seeds_from(seed, 2 * RANKED)
        self.start, self.fresh = Noise(first[:RANKED]).randn(2), first[RANKED:]
        self.plane = load_plane(settings.data, settings.points)
        rng = torch.Generator().manual_seed(seed)
        place = torch.rand(REAL_SHOWN, generator=rng)
        around = torch.randn(REAL_SHOWN, 2, generator=rng)
        self.shared = {
            "real": places_text(self.plane.points(place, around)),
            "start": places_text(self.start[:SHOWN]),
            "name": f"roads-{settings.data}-{seed}",
        }

    # --- training ---------------------------------------------------------------------------------

    def on_networks(self, schedule: str) -> Generator[Any, None, list[Way]]:
        """Trains flow matching and diffusion side by side, then what flow matching teaches."""
        noisy, toy = of_diffusion(self.settings, schedule), self.plane.toy
        perfect = Exact(toy, schedule), Exact(toy, "straight")
        flow, diffusion = Training(self.settings, [self.seed]), Training(noisy, [self.seed])

        def ways(straight: Training | None = None) -> list[Way]:
            last = straight and straight.field()
            return four_ways(diffusion.field(), flow.field(), last, self.method, perfect)

        yield from self.trains("Step", [flow, diffusion], ways)
        pairs = yield from self.pairs(flow.field())
        straight = reflow(flow, [pairs])
        yield from self.trains("Reflow: step", [straight], lambda: ways(straight))
        return ways(straight)

    def on_exact_fields(self, schedule: str) -> Generator[Any, None, list[Way]]:
        """Trains what the exact flow teaches."""
        toy = self.plane.toy
        flow, diffusion = Exact(toy, "straight"), Exact(toy, schedule)
        pairs = yield from self.pairs(flow)
        straight = Training(self.settings, [self.seed], [pairs])

        def ways() -> list[Way]:
            return four_ways(diffusion, flow, straight.field(), self.method)

        yield from self.trains("Reflow: step", [straight], ways)
        return ways()

    def pairs(self, flow: Field) -> Generator[Progress, None, Pairs]:
        """What the flow teaches."""
        parts = []
        for part in parts_of_pairs(flow, self.seed):
            parts.append(part)
            yield Progress("Pairing noise with where the flow takes it", len(parts), PAIRED // PART)
        return joined(parts)

    def trains(
        self, stage: str, trainings: Sequence[Training], ways: Callable[[], list[Way]]
    ) -> Iterator[Progress | RoadsValue]:
        """All steps, side by side, and now and then where the points would end. ways: makes them of
        what is known so far."""
        total, clock = self.settings.steps, Clock()
        line, shown = Steps(total, stage), {round(k * total / PREVIEWS) for k in range(PREVIEWS)}
        for step in range(total + 1):
            if step:
                with clock:
                    for training in trainings:
                        training.step()
            if step in shown:
                yield from self.preview(ways(), f"{stage} {step:,} of {total:,}", line.at(step))
            if clock.gives_a_turn():
                yield line.at(step)
            if clock.is_up:
                self.ended = self.ended or ended_early(step, total)
                break
        self.seconds += clock.seconds

    def preview(
        self, ways: Sequence[Way], where: str, line: Progress
    ) -> Iterator[Progress | RoadsValue]:
        """Where the points would end by now, with a turn for others after each way."""
        roads = []
        for way in ways:
            road = self.unchanged.get(way.title) or so_far(way, self.start, self.steps, self.fresh)
            if isinstance(way.field, Exact):
                self.unchanged[way.title] = road
            roads.append(road)
            yield line
        stage = f"{where}: where the points would end by now, and the field half way there."
        yield RoadsValue(roads, [1.0], **self.shared, stage=stage, provenance=where)

    # --- roads ------------------------------------------------------------------------------------

    def told(self, ways: Sequence[Way]) -> Iterator[Progress | RoadsValue]:
        """The roads, then the same with their worth."""
        went, roads = [], []
        for way in ways:
            yield Progress("On the road")
            there, shown = travelled(way, self.start, self.steps, self.fresh)
            went.append(there)
            roads.append(shown)
        key = secrets.token_urlsafe(12)
        keep(key, ways, self.steps)
        trained = f"trained in {duration(self.seconds)} · {self.app.device_title}"
        times = [k / self.steps for k in moments(self.steps)]
        shared = {**self.shared, "times": times, "run": key, "provenance": trained}
        yield RoadsValue(roads=roads, **shared)
        yardstick, worths = Yardstick(self.plane), []
        for way, there in zip(ways, went, strict=True):
            worths.append((yield from worth_of(way, self.start, there, self.fresh, yardstick)))
        name = next(title for title, method in METHODS.items() if method == self.method)
        yield RoadsValue(
            roads=[judged(*pair) for pair in zip(roads, worths, strict=True)],
            curves=curves(ways, worths),
            chosen=nearest(went[-1].evaluations),
            verdict=self.ended + verdict(ways, worths, name),
            **shared,
        )


def judged(road: RoadValue, worth: Worth) -> RoadValue:
    """A road with what was measured of it."""
    return replace(
        road,
        straightness=worth.straightness,
        wasserstein=worth.wasserstein,
        error=worth.error,
    )


def keep(key: str, ways: Sequence[Way], steps: int) -> None:
    """Keeps what leads along a run's roads for an hour."""
    weights = [getattr(way.field, "weights", None) for way in ways]
    size = sum(1000 if own is None else own.nbytes for own in weights)
    FIELDS.put(key, (tuple(ways), steps), size)
