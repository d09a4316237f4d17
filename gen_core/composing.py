"""Composing or remembering? How often a model draws two attributes together that no training
picture showed together, beside pairs that training did show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import torch

from gen_core.data.avatars.held_out import HELD_OUT
from gen_core.data.avatars.labels import CHOICES
from gen_core.families.avatar_judge import AvatarJudge
from gen_core.families.guided import GuidedFamily
from gen_core.family import final
from gen_core.noise import Noise

Wish = dict[str, str]
"""Two attributes and their values; all others are open."""
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


def composing(
    model: GuidedFamily, judge: AvatarJudge, *, each: int = EACH, seed: int = 0,
    told: Callable[[int, int], None] = lambda done, total: None, **knobs: Any,
) -> dict[str, Any]:  # fmt: skip
    """By "held_out" and "seen": the share of pictures in which the judge finds both values that
    were asked for, each value alone, how many pictures, and the share of every pair.

    knobs: what the model's `sample` takes besides the label; told(pictures done, in all).
    """
    kinds = {"held_out": held_out_pairs(), "seen": seen_pairs(seed)}
    total, done, found = each * sum(map(len, kinds.values())), 0, {}
    for kind, wishes in kinds.items():
        asked = [wish for wish in wishes for _ in range(each)]
        right: list[list[bool]] = []
        for some, numbers in _batches(asked, seed):
            right += _found(model, judge, some, numbers, knobs)
            done += len(some)
            told(done, total)
        both = torch.tensor(right).double()
        by_pair = both.all(1).double().unflatten(0, (len(wishes), each)).mean(1).tolist()
        found[kind] = {
            "share": float(both.all(1).double().mean()),
            "alone": both.mean(0).tolist(),
            "pictures": len(asked),
            "by_pair": {
                ", ".join(wish.values()): share for wish, share in zip(wishes, by_pair, strict=True)
            },
        }
    return found


def _batches(asked: list[Wish], seed: int) -> Iterator[tuple[list[Wish], range]]:
    for first in range(0, len(asked), BATCH):
        some = asked[first : first + BATCH]
        yield some, range(seed + first, seed + first + len(some))


@torch.inference_mode()
def _found(
    model: GuidedFamily, judge: AvatarJudge, asked: list[Wish], seeds: range, knobs: dict[str, Any]
) -> list[list[bool]]:
    """For each picture, whether each of the two values is what the judge sees."""
    x = final(model.sample(Noise(seeds), label=asked, **knobs)).to(judge.device)
    logits, _ = judge.answers(judge(x))
    said = {name: values.argmax(1).tolist() for name, values in logits.items()}
    return [
        [said[name][row] == CHOICES[name].index(value) for name, value in wish.items()]
        for row, wish in enumerate(asked)
    ]
