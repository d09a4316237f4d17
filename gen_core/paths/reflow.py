"""Reflow: a flow's own ends, paired with the noise they came from, teach the next flow.

Pairs that were drawn apart cross, and where they cross the best answer is their mean: the flow
bends. On a flow's own roads no two points meet at the same time, so a flow that learns from its
pairs is straighter, and one that is straight takes one step (Liu et al. 2023, "Flow Straight and
Fast", algorithm 1).
"""

from collections.abc import Iterable, Iterator, Sequence

import torch

from gen_core.nets.stacked import initial_learner, noise_of
from gen_core.paths.fields import Field
from gen_core.paths.roads import road
from gen_core.paths.training import Pairs, Training

PAIRED, PAIRING_STEPS, PART = 16_384, 12, 1024
"""Pairs that a flow gives, by so many steps of RK4, and how many at a time: an exact field of many
Gaussians takes its time."""
PAIR_NOISE = 2
"""The stream of noise for them."""


def pairs_of(field: Field, seed: int, count: int = PAIRED, steps: int = PAIRING_STEPS) -> Pairs:
    """Noise and where the field takes it."""
    return joined(parts_of_pairs(field, seed, count, steps))


def parts_of_pairs(
    field: Field, seed: int, count: int = PAIRED, steps: int = PAIRING_STEPS
) -> Iterator[Pairs]:
    """The same in parts of 1,024, for callers that give others a turn between them."""
    noise = noise_of([seed], 0, PAIR_NOISE, 2 * count)[0].unflatten(0, (count, 2))
    for part in noise.split(PART):
        yield Pairs(part, road(field, part, "rk4", steps).end)


def joined(parts: Iterable[Pairs]) -> Pairs:
    """All parts as one."""
    return Pairs(*(torch.cat(side) for side in zip(*parts, strict=True)))


def reflow(before: Training, pairs: Sequence[Pairs] | None = None) -> Training:
    """The next training, ready to begin: from each run's weights, on each run's pairs.

    It is of velocities on the straight path, whatever path gave the pairs: a diffusion can be
    straightened too.
    """
    if pairs is None:
        pairs = [pairs_of(before.field(run), seed) for run, seed in enumerate(before.seeds)]
    settings = [s.but(path="straight", target="velocity") for s in before.settings]
    after = Training(settings, before.seeds, pairs)
    after.state = after.state._replace(learner=initial_learner(before.state.learner.weights))
    return after
