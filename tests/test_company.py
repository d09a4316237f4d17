"""The same seed gives the same picture whatever company it had: every shipped model and solver."""

from __future__ import annotations

import functools

import pytest
from torch import Tensor

from gen_core import Noise, available, final, load
from gen_core.engine import Engine
from gen_core.training.checkpoint import card, kind_of

NEAR = 1 / 255
"""Of the range from black to white: the largest mean absolute difference of a picture."""
QUICK, SLOW = 200, 12
"""Seeds: of models of small pictures, and of those that take seconds for one."""
STEPS = 5


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
    steps = {"steps": STEPS} if any(k.name == "steps" for k in model.every_knob) else {}
    chosen = {"solver": solver} if solver else {}
    return final(model.sample(Noise([seed]), **steps, **chosen, **model.balanced(range(1))))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "solver"), sampled())
def test_a_picture_is_the_same_alone_and_in_company(name: str, solver: str | None):
    model = load(name, "cpu")
    quick = solver is None or model.event.width <= 32
    seeds = range(QUICK if quick else SLOW)
    alone = [draw(model, solver, seed) for seed in seeds]
    engine = Engine()
    shared = engine.share_passes(model)
    tickets = [engine.submit(functools.partial(draw, shared, solver, seed)) for seed in seeds]
    apart = [
        float((ticket.result() - x).abs().mean()) / 2
        for ticket, x in zip(tickets, alone, strict=True)
    ]
    engine.close()
    assert max(engine.passes.rows) >= 8, "they had no company"
    print(f"{name} {solver}: {255 * max(apart):.3f}/255 of {len(apart)}")
    assert max(apart) <= NEAR, f"seed {apart.index(max(apart))}: {255 * max(apart):.2f}/255"
