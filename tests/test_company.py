"""The same seed gives the same picture or text whatever company it had: every shipped model and
solver."""

from __future__ import annotations

import functools

import pytest
from torch import Tensor

from gen_core import Noise, available, final, load
from gen_core.engine import Engine
from gen_core.family import Tokens
from gen_core.training.checkpoint import card, kind_of

NEAR = 1 / 255
"""Of the range from black to white: the largest mean absolute difference of a picture."""
QUICK, SLOW = 200, 12
"""Seeds: of models of small pictures, and of those that take seconds for one."""
STEPS = 5
TOKENS = 16
ODD = 1
"""Texts of all seeds that may differ: where a uniform number lies at the boundary of two tokens."""


def sampled() -> list[tuple[str, str | None]]:
    """(checkpoint, solver): every pair that there is."""
    pairs = []
    for name in available():
        kind = kind_of(card(name))
        knobs = {knob.name: knob for knob in getattr(kind, "knobs", ())}
        if knobs:
            solvers = knobs["solver"].options if "solver" in knobs else [None]
            pairs += [(name, solver) for solver in solvers]
    return pairs


def draw(model, solver: str | None, seed: int) -> Tensor:
    knobs = {knob.name for knob in model.every_knob}
    quick = {name: n for name, n in (("steps", STEPS), ("tokens", TOKENS)) if name in knobs}
    chosen = {"solver": solver} if solver else {}
    return final(model.sample(Noise([seed]), **quick, **chosen, **model.balanced(range(1))))


def in_company(model, solver: str | None, seeds: range) -> list[Tensor]:
    """What each seed gives while the others are drawn too."""
    engine = Engine()
    shared = engine.share_passes(model)
    tickets = [engine.submit(functools.partial(draw, shared, solver, seed)) for seed in seeds]
    drawn = [ticket.result() for ticket in tickets]
    engine.close()
    assert max(engine.passes.rows) >= 8, "they had no company"
    return drawn


@pytest.mark.slow
@pytest.mark.parametrize(("name", "solver"), sampled())
def test_a_sample_is_the_same_alone_and_in_company(name: str, solver: str | None):
    model = load(name, "cpu")
    text = isinstance(model.event, Tokens)
    long = model.total({"steps": STEPS}) > 100 or (solver and model.event.width > 32)
    seeds = range(SLOW if long and not text else QUICK)
    alone = [draw(model, solver, seed) for seed in seeds]
    pairs = list(zip(alone, in_company(model, solver, seeds), strict=True))
    if text:
        odd = [seed for seed, (x, y) in zip(seeds, pairs, strict=True) if not x.equal(y)]
        assert len(odd) <= ODD, odd
        return
    apart = [float((y - x).abs().mean()) / 2 for x, y in pairs]
    print(f"{name} {solver}: {255 * max(apart):.3f}/255 of {len(apart)}")
    assert max(apart) <= NEAR, f"seed {apart.index(max(apart))}: {255 * max(apart):.2f}/255"
