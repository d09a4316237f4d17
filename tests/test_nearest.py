"""Is it a copy? Where each training picture lies, kept in bytes."""

import torch

from gen_core.evaluation.reference import AXES, TrainingIndex


def features(count: int, seed: int) -> torch.Tensor:
    """Like a classifier's: few directions hold most of the variance."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(count, 12, generator=rng) @ torch.randn(12, 64, generator=rng)


def test_every_training_picture_finds_itself_and_then_its_neighbours():
    known = features(500, 0)
    index = TrainingIndex.of(known)
    found = index.nearest(known[:50], 5)
    assert found.shape == (50, 5) and found[:, 0].tolist() == list(range(50))
    exact = torch.cdist(known[:50], known).topk(5, largest=False).indices
    same = [len({*a} & {*b}) for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
    assert sum(same) / len(same) > 4.5


def test_it_survives_a_checkpoint_and_is_small():
    index = TrainingIndex.of(features(300, 1))
    kept = {name: tensor.clone() for name, tensor in index.tensors().items()}
    assert kept["training.codes"].dtype == torch.int8
    assert kept["training.codes"].shape == (300, AXES)
    again, x = TrainingIndex.kept({"other": torch.ones(1), **kept}), features(20, 2)
    assert torch.equal(again.nearest(x, 3), index.nearest(x, 3))
