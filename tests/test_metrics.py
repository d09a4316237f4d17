"""Metrics against closed forms, a library's formula, and sets whose answer is known."""

import math
import sys
import types
import urllib.error

import numpy as np
import pytest
import scipy.linalg
import torch

from gen_core.evaluation import metrics


def cloud(n, seed, dimensions=6, shift=0.0, scale=1.0):
    rng = torch.Generator().manual_seed(seed)
    return shift + scale * torch.randn(n, dimensions, generator=rng, dtype=torch.float64)


def test_frechet_of_diagonal_gaussians_is_the_closed_form():
    mean_a, mean_b = torch.tensor([0.0, 1.0]).double(), torch.tensor([2.0, -1.0]).double()
    wide_a, wide_b = torch.tensor([1.0, 2.0]).double(), torch.tensor([3.0, 0.5]).double()
    expected = (mean_a - mean_b).square().sum() + (wide_a - wide_b).square().sum()
    distance = metrics.frechet_from_moments(
        mean_a, wide_a.square().diag(), mean_b, wide_b.square().diag()
    )
    assert distance == pytest.approx(float(expected), rel=1e-12)


def test_frechet_agrees_with_the_general_matrix_square_root():
    mix = torch.randn(6, 6, generator=torch.Generator().manual_seed(3)).double()
    a, b = cloud(500, 0) @ mix, cloud(400, 1, shift=0.3, scale=1.4)
    mean_a, cov_a = a.mean(0).numpy(), np.cov(a.numpy(), rowvar=False)
    mean_b, cov_b = b.mean(0).numpy(), np.cov(b.numpy(), rowvar=False)
    root = scipy.linalg.sqrtm(cov_a @ cov_b).real
    expected = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root)
    assert metrics.frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert metrics.frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_frechet_of_a_set_with_itself_is_zero_even_where_features_never_vary():
    flat = cloud(300, 0)
    flat[:, 2:] = 1.0  # a singular covariance, as dead features give
    assert metrics.frechet_distance(flat, flat) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet_distance(flat, flat + 1) == pytest.approx(6, rel=1e-9)


def test_frechet_does_not_depend_on_the_stored_precision():
    a, b = cloud(2000, 0), cloud(2000, 1, shift=0.5)
    whole = metrics.frechet_distance(a, b)
    assert metrics.frechet_distance(a.half(), b.half()) == pytest.approx(whole, rel=1e-3)


@pytest.mark.parametrize("shape", [(1, 6), (6,)])
def test_frechet_needs_rows(shape):
    with pytest.raises(ValueError, match="N >= 2"):
        metrics.frechet_distance(torch.zeros(shape), torch.zeros(10, 6))


def test_inception_score_at_its_ends_and_between():
    sure = torch.eye(10).repeat(7, 1)
    assert metrics.inception_score(sure) == pytest.approx(10)
    assert metrics.inception_score(torch.full((20, 10), 0.1)) == pytest.approx(1)
    assert metrics.inception_score(sure[:1].repeat(20, 1)) == pytest.approx(1)
    # Two classes told apart with certainty 0.9: exp(ln 2 - H(0.9)).
    p = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).double()
    entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    assert metrics.inception_score(p) == pytest.approx(math.exp(math.log(2) - entropy))


@pytest.mark.parametrize(
    "bad", [torch.ones(4, 10), torch.full((10,), 0.1), torch.tensor([[2.0, -1]])]
)
def test_inception_score_refuses_what_is_no_distribution(bad):
    with pytest.raises(ValueError, match="softmax"):
        metrics.inception_score(bad)


def test_precision_and_recall_are_right_on_known_sets():
    left, right = cloud(300, 0, 2), cloud(300, 1, 2, shift=100.0)
    both = torch.cat([left, right])
    again = torch.cat([cloud(300, 2, 2), cloud(300, 3, 2, shift=100.0)])
    precision, recall = metrics.precision_recall(both, again)
    assert precision > 0.9 and recall > 0.9
    precision, recall = metrics.precision_recall(both, cloud(600, 4, 2))  # one of the two modes
    assert precision > 0.9 and 0.4 < recall < 0.55
    precision, recall = metrics.precision_recall(left, again)  # one mode too many
    assert 0.4 < precision < 0.55 and recall > 0.9
    assert metrics.precision_recall(left, right) == (0.0, 0.0)
    assert metrics.precision_recall(left, left) == (1.0, 1.0)


def test_share_inside_agrees_with_a_plain_loop_across_chunks(monkeypatch):
    monkeypatch.setattr(metrics, "CHUNK", 7)
    points, support = cloud(40, 0, 3), cloud(30, 1, 3, shift=0.5)
    between = torch.cdist(support, support)
    reach = between.sort(1).values[:, 3]
    expected = sum(bool((torch.cdist(p[None], support)[0] <= reach).any()) for p in points) / 40
    assert 0 < expected < 1
    assert metrics.share_inside(points, support, k=3) == pytest.approx(expected)


def test_share_inside_needs_more_points_than_neighbours():
    with pytest.raises(ValueError, match="k=3: choose 1 to 2"):
        metrics.share_inside(cloud(5, 0), cloud(3, 1), k=3)


def test_classes_are_alive_from_one_percent_on():
    winners = torch.tensor([0] * 890 + [1] * 100 + [2] * 10 + [3] * 0)
    logits = torch.nn.functional.one_hot(winners, 4).float() * 5
    shares = metrics.class_shares(logits)
    assert shares.tolist() == [0.89, 0.1, 0.01, 0.0]
    assert metrics.classes_alive(shares) == 3
    assert metrics.classes_alive(torch.tensor([0.9901, 0.0099, 0, 0])) == 1


def test_accuracy_counts_agreement():
    logits = torch.eye(4)
    assert metrics.accuracy(logits, torch.tensor([0, 1, 2, 0])) == 0.75


def features_of(monkeypatch, extractor):
    """inception_features with `extractor` in torch-fidelity's place; None: not installed."""
    name = "torch_fidelity.feature_extractor_inceptionv3"
    module = (
        None if extractor is None else types.SimpleNamespace(FeatureExtractorInceptionV3=extractor)
    )
    monkeypatch.setitem(
        sys.modules, "torch_fidelity", None if extractor is None else types.ModuleType("t")
    )
    monkeypatch.setitem(sys.modules, name, module)
    return metrics.inception_features([torch.zeros(2, 1, 28, 28), torch.ones(1, 1, 28, 28)])


def test_the_standard_fid_says_what_it_lacks(monkeypatch):
    with pytest.raises(metrics.MissingInception, match="pip install torch-fidelity"):
        features_of(monkeypatch, None)

    def offline(*names):
        raise urllib.error.URLError("no route to host")

    with pytest.raises(metrics.MissingInception, match="that failed: .*no route to host"):
        features_of(monkeypatch, offline)


def test_inception_gets_three_channels_of_bytes(monkeypatch):
    class Means(torch.nn.Module):
        def __init__(self, *names):
            super().__init__()

        def forward(self, x):
            assert x.dtype == torch.uint8 and x.shape[1:] == (3, 28, 28)
            return (x.float().mean((2, 3)),)

    features = features_of(monkeypatch, Means)
    assert features.tolist() == [[128.0] * 3, [128.0] * 3, [255.0] * 3]
