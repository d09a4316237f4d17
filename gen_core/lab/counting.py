"""How often a game ends well, collapses, or does not converge: many seeds, counted."""

import argparse
import functools
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gen_core.evaluation.answer import Answer
from gen_core.files import in_one_move
from gen_core.knobs import choice, whole
from gen_core.lab.game import Game
from gen_core.lab.measures import Camera
from gen_core.lab.presets import PRESETS, Preset
from gen_core.lab.settings import Settings, settings_from
from gen_core.progress import Progress, Report, ignore

Row = dict[str, Any]

MEASURED = Path(__file__).with_name("presets.json")
"""The counts of all presets, as they were measured."""
TOGETHER = 20
"""Runs that are played at once."""
NORMAL = 1.959964
"""The quantile of the normal distribution for intervals of 95%."""


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share of which `count` in `total` were seen (Wilson 1927)."""
    share, z = count / total, NORMAL**2 / total
    centre = (share + z / 2) / (1 + z)
    half = math.sqrt(z * share * (1 - share) + z**2 / 4) / (1 + z)
    return max(0.0, centre - half), min(1.0, centre + half)


def ends(settings: Settings, steps: int, seeds: int, progress: Report = ignore) -> dict[str, int]:
    """How runs of the seeds 0, 1, ... stand after so many steps: how many collapsed, how many did
    not converge, how many did neither, and how many of those cover every mode."""
    counts = dict.fromkeys(("converged", "collapsed", "not converged", "all modes"), 0)
    for first in range(0, seeds, TOGETHER):
        game = Game(settings, range(first, min(first + TOGETHER, seeds)))
        for step in range(steps):
            game.step()
            if step % 50 == 49:
                done = first * steps + (step + 1) * len(game.seeds)
                progress(Progress("runs", done, seeds * steps, "steps"))
        modes = Camera(game).frame().modes
        fine = ~(modes.collapsed | modes.not_converged)
        counts["collapsed"] += int(modes.collapsed.sum())
        counts["not converged"] += int(modes.not_converged.sum())
        counts["converged"] += int(fine.sum())
        counts["all modes"] += int((fine & (modes.covered == len(game.plane.modes))).sum())
    return counts


def counted(preset: Preset, seeds: int, play: Callable[..., dict[str, int]] = ends) -> Row:
    """Both games of a pair, as plain values: all that was set, defaults too, for these may change,
    and the counts."""
    games = {
        name: {"settings": asdict(settings), **play(settings, preset.steps, seeds)}
        for name, settings in preset.games.items()
    }
    return {"steps": preset.steps, "seeds": seeds, **games}


def lab(args: argparse.Namespace) -> Answer:
    """The command: counts of one preset, or of all."""
    seeds = whole("seeds", args.seeds, 1, 1000)
    names = [choice("name", args.name, list(PRESETS))] if args.name else list(PRESETS)
    play = functools.cache(functools.partial(ends, progress=args.progress))  # many mend alike
    found = {}
    for name in names:
        found[name] = counted(PRESETS[name], seeds, play)
        if args.write:  # what breaks off after an hour leaves what was measured by then
            everything = measured() | {name: found[name]}
            with in_one_move(MEASURED) as partial:
                kept = {name: everything[name] for name in PRESETS if name in everything}
                partial.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return found, "\n\n".join(as_text(name, result) for name, result in found.items())


def measured() -> dict[str, Row]:
    """What `lab --write` has stored, by preset."""
    return json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}


def as_text(name: str, result: Row) -> str:
    """Counts with their intervals, as lines for a terminal."""
    seeds, lines = result["seeds"], [f"{name}: {PRESETS[name].title}; {result['steps']} steps"]
    for game in ("broken", "mended"):
        changes = settings_from(result[game]["settings"]).changes
        settings = ", ".join(f"{k}={v}" for k, v in changes.items())
        lines.append(f"  {game} ({settings or 'defaults'})")
        for outcome, count in result[game].items():
            if outcome != "settings":
                low, high = wilson(count, seeds)
                lines.append(f"    {outcome:<14}{count:>4} of {seeds}   {low:.0%} to {high:.0%}")
    return "\n".join(lines)
