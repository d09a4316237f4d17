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
from gen_core.evaluation.inception import MissingInception, inception_features


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
    with pytest.raises(ValueError, match=r"softmax|give \(N, D\)"):
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
    return inception_features([torch.zeros(2, 1, 28, 28), torch.ones(1, 1, 28, 28)])


def test_the_standard_fid_says_what_it_lacks(monkeypatch):
    with pytest.raises(MissingInception, match="pip install torch-fidelity"):
        features_of(monkeypatch, None)

    def offline(*names):
        raise urllib.error.URLError("no route to host")

    with pytest.raises(MissingInception, match="that failed: .*no route to host"):
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


# --- more than one distance -----------------------------------------------------------------------


def test_kernel_distance_is_the_sum_over_pairs():
    a, b = cloud(30, 0), cloud(20, 1, shift=0.4)

    def kernel(x, y):
        return float((x @ y / 6 + 1) ** 3)

    def within(rows):
        pairs = [
            kernel(rows[i], rows[j]) for i in range(len(rows)) for j in range(len(rows)) if i != j
        ]
        return sum(pairs) / len(pairs)

    across = sum(kernel(x, y) for x in a for y in b) / (len(a) * len(b))
    expected = within(a) + within(b) - 2 * across
    assert metrics.kernel_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert metrics.kernel_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_is_unbiased_where_the_frechet_distance_is_not():
    few = [metrics.kernel_distance(cloud(50, s), cloud(50, 100 + s)) for s in range(100)]
    spread = float(np.std(few)) / 10
    assert abs(np.mean(few)) < 3 * spread
    biased = [metrics.frechet_distance(cloud(50, s), cloud(50, 100 + s)) for s in range(100)]
    assert np.mean(biased) > 10 * float(np.std(biased)) / 10


def test_extrapolation_takes_the_bias_of_few_samples_away():
    width, truth = 16, 16 * 0.1**2
    real = cloud(100_000, 999, width, shift=0.1)
    plain = [metrics.frechet_distance(cloud(400, s, width), real) for s in range(12)]
    at_once = [metrics.extrapolated_frechet(cloud(400, s, width), real) for s in range(12)]
    assert np.mean(plain) > truth + 0.15
    assert np.mean(at_once) == pytest.approx(truth, abs=0.04)


def test_extrapolation_needs_rows_enough():
    with pytest.raises(ValueError, match=r"fake of shape \(20, 6\): give \(N, D\) with N >= 24"):
        metrics.extrapolated_frechet(cloud(20, 0), cloud(100, 1))


def test_density_and_coverage_on_known_sets():
    left, right = cloud(300, 0, 2), cloud(300, 1, 2, shift=100.0)
    both = torch.cat([left, right])
    density, coverage = metrics.density_coverage(both, torch.cat([cloud(300, 2, 2), right]))
    assert density == pytest.approx(1, abs=0.25) and coverage > 0.9
    density, coverage = metrics.density_coverage(both, cloud(600, 4, 2))  # one of the two modes
    assert density == pytest.approx(1, abs=0.25) and coverage == pytest.approx(0.5, abs=0.03)
    assert metrics.density_coverage(left, right) == (0.0, 0.0)
    outlier = torch.cat([left, torch.full((1, 2), 60.0).double()])  # its ball holds all of `right`
    assert metrics.precision_recall(outlier, right, k=5)[0] == 1
    assert metrics.density_coverage(outlier, right)[0] == pytest.approx(1 / 5)


# --- features that no model should have -----------------------------------------------------------

PAIRS = [
    metrics.frechet_distance,
    metrics.kernel_distance,
    metrics.extrapolated_frechet,
    metrics.precision_recall,
    metrics.density_coverage,
    metrics.share_inside,
]


@pytest.mark.parametrize("metric", PAIRS, ids=lambda metric: metric.__name__)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_is_named(metric, bad):
    broken = cloud(50, 0)
    broken[7, 3] = broken[9, 0] = bad
    message = "2 of 50 rows hold NaN or infinity, the first is row 7"
    with pytest.raises(ValueError, match=message):
        metric(broken, cloud(50, 1))
    with pytest.raises(ValueError, match=message):
        metric(cloud(50, 1), broken)


@pytest.mark.parametrize(
    "metric",
    [metrics.class_shares, metrics.inception_score, lambda p: metrics.accuracy(p, p[:, 0])],
)
def test_answers_that_are_not_finite_are_named(metric):
    probabilities = torch.full((4, 10), 0.1)
    probabilities[2] = math.nan
    with pytest.raises(ValueError, match="1 of 4 rows hold NaN or infinity, the first is row 2"):
        metric(probabilities)


@pytest.mark.parametrize("metric", PAIRS, ids=lambda metric: metric.__name__)
def test_a_single_row_is_refused_or_has_its_place(metric):
    one, many = cloud(1, 0), cloud(50, 1)
    if metric in (metrics.density_coverage, metrics.share_inside):  # one fake is enough to look
        first = metric(many, one) if metric is metrics.density_coverage else metric(one, many)
        assert first == 0.0 or len(first) == 2
        with pytest.raises(ValueError, match="k=[35]: choose 1 to 0"):
            metric(one, many) if metric is metrics.density_coverage else metric(many, one)
        return
    with pytest.raises(ValueError, match=r"give \(N, D\) with N >= |choose 1 to 0"):
        metric(one, many)


def test_constant_features_reach_their_limits():
    ones, twos = torch.ones(40, 6).double(), torch.full((40, 6), 2.0).double()
    assert metrics.frechet_distance(ones, twos) == pytest.approx(6)  # two points, 6 apart squared
    assert metrics.extrapolated_frechet(ones, twos) == pytest.approx(6)
    # (1 + 1)^3 + (4 + 1)^3 - 2 (2 + 1)^3
    assert metrics.kernel_distance(ones, twos) == pytest.approx(8 + 125 - 54)
    assert metrics.precision_recall(ones, twos) == (0.0, 0.0)
    assert metrics.precision_recall(ones, ones) == (1.0, 1.0)
    assert metrics.density_coverage(ones, twos) == (0.0, 0.0)
    assert metrics.density_coverage(ones, ones) == (40 / 5, 1.0)  # in each of 40 balls, over k


def test_repeated_features_lie_in_balls_without_size_only_where_they_are():
    real = cloud(10, 0, shift=1000.0).repeat_interleave(8, 0)  # each one eight times: reach 0
    near = real + 1e-3
    assert metrics.share_inside(real[::8], real) == 1
    assert metrics.share_inside(near, real) == 0
    assert metrics.density_coverage(real, real) == (8 / 5, 1.0)
    assert metrics.density_coverage(real, near) == (0.0, 0.0)
    assert metrics.frechet_distance(real, real) == pytest.approx(0, abs=1e-6)
