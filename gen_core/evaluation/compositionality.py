"""Composing or remembering? How often a model draws two attributes together that no training
picture showed together, beside pairs that training did show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gen_core.classifiers.attributes import AvatarJudge
from gen_core.conditions import OTHERS
from gen_core.data.avatars import portrait
from gen_core.data.avatars.attributes import Avatar, any_avatar
from gen_core.data.avatars.held_out import HELD_OUT
from gen_core.data.avatars.labels import CHOICES, hidden
from gen_core.families.guided import GuidedFamily
from gen_core.family import final
from gen_core.noise import Noise
from gen_core.progress import Progress, Report, ignore

Wish = dict[str, str]
"""Attributes and their values; all others are open."""
IN_SIGHT: dict[str, Wish] = {
    "hair": {"hat": "none"},
    "eye_colour": {"glasses": "none", "lids": "open"},
}
"""What is asked for besides, so that an attribute can be seen: hats hide hair."""
ASKED_WITH = {"steps": 20, "guidance_scale": 2.0}
"""What the published shares are measured with: guidance makes a model listen."""
SIDE = 64
"""Of the portraits that are drawn by rule for comparison, in pixels."""
EACH = 20
"""Pictures of each pair."""
BATCH = 50


def held_out_pairs() -> list[Wish]:
    """All pairs that training left out, in a fixed order."""
    return [
        {one: a, other: b} for (one, other), pairs in HELD_OUT.items() for a, b in sorted(pairs)
    ]


def seen_pairs(seed: int = 0) -> list[Wish]:
    """As many pairs of the same attributes that training showed, drawn from `seed`; no bald ones,
    whose hair has no colour."""
    rng, chosen = np.random.default_rng(seed), []
    for (one, other), left_out in HELD_OUT.items():
        every = [
            pair
            for pair in product(CHOICES[one], CHOICES[other])
            if pair not in left_out and "bald" not in pair
        ]
        for index in rng.choice(len(every), len(left_out), replace=False):
            chosen.append(dict(zip((one, other), every[index], strict=True)))
    return chosen


def compositionality(
    model: GuidedFamily,
    judge: AvatarJudge,
    *,
    each: int = EACH,
    seed: int = 0,
    report: Report = ignore,
    **knobs: Any,
) -> dict[str, Any]:
    """By "held_out" and "seen": the share of pictures in which the judge finds both values that
    were asked for, each value alone, how many pictures, and [pair, share] of every pair. "by_rule"
    is the share among as many portraits drawn by rule: what a perfect model would reach, for the
    judge errs too. And the "knobs".

    knobs: what the model's `sample` takes besides the label.
    """
    kinds = {"held_out": held_out_pairs(), "seen": seen_pairs(seed)}
    total, done, found = each * sum(map(len, kinds.values())), 0, {"knobs": knobs}
    for kind, pairs in kinds.items():
        asked = [pair for pair in pairs for _ in range(each)]
        right: list[Tensor] = []
        by_rule: list[Tensor] = []
        for some, seeds in _batches(asked, seed):
            label = [in_sight(pair) for pair in some]
            drawn = final(model.sample(Noise(seeds), label=label, **knobs))
            right.append(shown(judge, drawn, some))
            by_rule.append(shown(judge, _by_rule(label, seeds), some))
            done += len(some)
            report(Progress("combinations", done, total, "pictures"))
        both = torch.cat(right).double()
        by_pair = both.prod(1).unflatten(0, (len(pairs), each)).mean(1).tolist()
        found[kind] = {
            "share": float(both.prod(1).mean()),
            "by_rule": float(torch.cat(by_rule).all(1).double().mean()),
            "alone": both.mean(0).tolist(),
            "pictures": len(asked),
            "by_pair": [list(told) for told in zip(pairs, by_pair, strict=True)],
        }
    return found


def in_sight(wish: Wish) -> Wish:
    """The wish, and that nothing shall hide it."""
    clear = [IN_SIGHT.get(name, {}) for name in wish]
    return {name: value for some in (*clear, wish) for name, value in some.items()}


def _batches(asked: list[Wish], seed: int) -> Iterator[tuple[list[Wish], range]]:
    for first in range(0, len(asked), BATCH):
        some = asked[first : first + BATCH]
        yield some, range(seed + first, seed + first + len(some))


def _by_rule(wishes: Sequence[Wish], seeds: range) -> Tensor:
    """(B, 3, SIDE, SIDE) in [-1, 1]: people who are seen to be as asked for and otherwise anybody,
    not those whom the judge was trained on."""
    people = [_anybody(wish, seed) for wish, seed in zip(wishes, seeds, strict=True)]
    pixels = torch.from_numpy(np.stack([portrait(person, SIDE) for person in people]))
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.inference_mode()
def shown(judge: AvatarJudge, x: Tensor, pairs: Sequence[Wish]) -> Tensor:
    """x (B, 3, H, W) -> (B, 2) bool: whether the judge sees each of a picture's two values."""
    logits, _ = judge.answers(judge(x.to(judge.device)))
    said = {name: values.argmax(1).tolist() for name, values in logits.items()}
    return torch.tensor(
        [
            [said[name][row] == CHOICES[name].index(value) for name, value in pair.items()]
            for row, pair in enumerate(pairs)
        ]
    )


def _anybody(wish: Wish, seed: int) -> Avatar:
    """Old age turns hair grey, whatever its colour was: who hides the wish is drawn anew."""
    rng = np.random.default_rng(OTHERS + seed)
    while wish.keys() & hidden(person := replace(any_avatar(rng), **wish)):
        pass
    return person
