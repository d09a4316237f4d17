"""Compositionality: does a model compose or remember? How often it draws two attributes together
that no training picture showed together, beside pairs that training did show."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.data.avatars import portrait
from gen_core.data.avatars.schema import CATEGORICAL, HELD_OUT, Avatar, any_avatar, hidden
from gen_core.data.splits import AVATARS
from gen_core.families.guided import GuidedFamily
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import Noise, final, in_range

Asked = dict[str, str]
"""Attributes and their values; all others are open."""
IN_SIGHT: dict[str, Asked] = {
    "hair": {"hat": "none"},
    "eye_colour": {"glasses": "none", "lids": "open"},
}
"""What is asked for besides, so that an attribute can be seen: hats hide hair."""
KNOBS = {"steps": 20, "guidance_scale": 2.0}
"""What the published shares are measured with: guidance makes a model listen."""
SIDE = 64
"""Of the portraits that a program draws for comparison, in pixels."""
EACH = 20
"""Pictures of each pair."""
BATCH = 50


def held_out_pairs() -> list[Asked]:
    """All pairs that training left out, in a fixed order."""
    return [
        {one: a, other: b} for (one, other), pairs in HELD_OUT.items() for a, b in sorted(pairs)
    ]


def seen_pairs(seed: int = 0) -> list[Asked]:
    """As many pairs of the same attributes that training showed, drawn from `seed`; no bald ones,
    whose hair has no colour."""
    rng, chosen = np.random.default_rng(seed), []
    for (one, other), left_out in HELD_OUT.items():
        every = [
            pair
            for pair in product(CATEGORICAL[one], CATEGORICAL[other])
            if pair not in left_out and "bald" not in pair
        ]
        for index in rng.choice(len(every), len(left_out), replace=False):
            chosen.append(dict(zip((one, other), every[index], strict=True)))
    return chosen


def compositionality(
    model: GuidedFamily,
    classifier: AttributeClassifier,
    *,
    each: int = EACH,
    seed: int = 0,
    progress: Report = ignore,
    **knobs: Any,
) -> dict[str, Any]:
    """By "held_out" and "seen": the share of pictures in which the classifier finds both values
    that were asked for, each value alone, how many pictures, and [pair, share] of every pair.
    "by_rule" is the share among as many portraits drawn by a program: what a perfect model would
    reach, for the classifier errs too. And the "knobs".

    knobs: what the model's `sample` takes besides the label.
    """
    kinds = {"held_out": held_out_pairs(), "seen": seen_pairs(seed)}
    total, done, found = each * sum(map(len, kinds.values())), 0, {"knobs": knobs}
    for kind, pairs in kinds.items():
        asked = [pair for pair in pairs for _ in range(each)]
        right: list[Tensor] = []
        by_rule: list[Tensor] = []
        for first in range(0, len(asked), BATCH):
            some = asked[first : first + BATCH]
            seeds, label = range(seed + first, seed + first + len(some)), list(map(in_sight, some))
            drawn = final(model.sample(Noise(seeds), label=label, **knobs))
            right.append(shown(classifier, drawn, some))
            by_rule.append(shown(classifier, _by_rule(label, seeds), some))
            done += len(some)
            progress(Progress("combinations", done, total, "pictures"))
        both = torch.cat(right).double()
        by_pair = both.prod(1).unflatten(0, (len(pairs), each)).mean(1).tolist()
        found[kind] = {
            "share": float(both.prod(1).mean()),
            "by_rule": float(torch.cat(by_rule).all(1).double().mean()),
            "alone": both.mean(0).tolist(),
            "pictures": len(asked),
            "by_pair": [list(row) for row in zip(pairs, by_pair, strict=True)],
        }
    return found


def in_sight(asked: Asked) -> Asked:
    """What is asked for, and that nothing may hide it."""
    clear = [IN_SIGHT.get(name, {}) for name in asked]
    return {name: value for some in (*clear, asked) for name, value in some.items()}


def _by_rule(labels: Sequence[Asked], seeds: range) -> Tensor:
    """(B, 3, SIDE, SIDE) in [-1, 1]: people who are seen to be as asked for and otherwise anybody,
    not those whom the classifier was trained on."""
    people = map(_anybody, labels, seeds)
    return in_range(np.stack([portrait(person, SIDE) for person in people]))


@torch.inference_mode()
def shown(classifier: AttributeClassifier, x: Tensor, pairs: Sequence[Asked]) -> Tensor:
    """x (B, 3, H, W) -> (B, 2) bool: whether the classifier sees each of a picture's two values."""
    logits, _ = classifier.answers(classifier(x.to(classifier.device)))
    said = {name: values.argmax(1).tolist() for name, values in logits.items()}
    return torch.tensor(
        [
            [said[name][row] == CATEGORICAL[name].index(value) for name, value in pair.items()]
            for row, pair in enumerate(pairs)
        ]
    )


def _anybody(asked: Asked, seed: int) -> Avatar:
    """Old age turns hair grey, whatever its colour was: who hides what is asked for is drawn
    anew."""
    rng = np.random.default_rng(AVATARS["asked"][seed])
    while asked.keys() & hidden(person := replace(any_avatar(rng), **asked)):
        pass
    return person
