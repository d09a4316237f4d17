"""Our metrics beside torch-fidelity's and prdc's, all on the features of our classifier."""

from __future__ import annotations

import numpy as np
import prdc
import pytest
import torch
import torch_fidelity
from torch import Tensor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.registry import register_feature_extractor

from gen_core import Noise, final, load
from gen_core.evaluation import metrics
from gen_core.evaluation.reference import classified
from gen_core.sampling import pixels

pytestmark = pytest.mark.heavy
N = 600


class Bytes(torch.utils.data.Dataset):
    """Pictures as torch-fidelity takes them."""

    def __init__(self, x: Tensor) -> None:
        self.bytes = torch.from_numpy(pixels(x))[:, None].repeat(1, 3, 1, 1)

    def __len__(self) -> int:
        return len(self.bytes)

    def __getitem__(self, index: int) -> Tensor:
        return self.bytes[index]


class Ours(FeatureExtractorBase):
    """The classifier of Fashion-MNIST in torch-fidelity's place for InceptionV3."""

    def __init__(self, name: str, features_list: list[str], **options: object) -> None:
        super().__init__(name, features_list)
        self.classifier = load("judge-fashion", "cpu")

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        return ("features", "logits")

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        return "logits" if metric == "isc" else "features"

    @staticmethod
    def can_be_compiled() -> bool:
        return False

    @staticmethod
    def get_dummy_input_for_compile() -> Tensor:
        return torch.zeros(1, 3, 28, 28, dtype=torch.uint8)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        said = classified(self.classifier, [x[:, :1].float() / 127.5 - 1])
        return tuple(getattr(said, name) for name in self.features_list)


@pytest.fixture(scope="module")
def drawn() -> tuple[Tensor, Tensor]:
    """Pictures of two models, in the 256 levels that files have."""
    pictures = []
    for name, first in (("gan-fashion", 0), ("vae-fashion", 5000)):
        x = final(load(name, "cpu").sample(Noise(range(first, first + N))))
        pictures.append(torch.from_numpy(pixels(x))[:, None].float() / 127.5 - 1)
    return tuple(pictures)


@pytest.fixture(scope="module")
def seen(drawn) -> list:
    classifier = load("judge-fashion", "cpu")
    return [classified(classifier, x.split(100)) for x in drawn]


@pytest.fixture(scope="module")
def theirs(drawn) -> dict[str, float]:
    register_feature_extractor("ours", Ours)
    return torch_fidelity.calculate_metrics(
        input1=Bytes(drawn[0]),
        input2=Bytes(drawn[1]),
        cuda=False,
        isc=True,
        fid=True,
        kid=True,
        prc=True,
        kid_subsets=1,
        kid_subset_size=N,
        isc_splits=1,
        prc_neighborhood=3,
        feature_extractor="ours",
        verbose=False,
        save_cpu_ram=True,
    )


def test_frechet_and_kernel_distance_are_torch_fidelity_s(seen, theirs):
    one, other = (said.features for said in seen)
    expected = theirs["frechet_inception_distance"]
    assert metrics.frechet_distance(one, other) == pytest.approx(expected, rel=1e-3)
    expected = theirs["kernel_inception_distance_mean"]
    assert expected > 1e-3
    assert metrics.kernel_distance(one, other) == pytest.approx(expected, rel=1e-3)


def test_inception_score_is_torch_fidelity_s(seen, theirs):
    expected = theirs["inception_score_mean"]
    score = metrics.inception_score(seen[0].logits.double().softmax(1))
    assert score == pytest.approx(expected, rel=1e-3)


def test_precision_and_recall_are_torch_fidelity_s(seen, theirs):
    fake, real = (said.features for said in seen)
    ours = metrics.precision_recall(real, fake, k=3)
    assert ours == pytest.approx((theirs["precision"], theirs["recall"]), abs=2 / N)
    assert min(ours) > 0.02 and max(ours) < 0.98


@pytest.mark.parametrize("k", [3, 5])
def test_precision_recall_density_and_coverage_are_prdc_s(seen, k):
    fake, real = (said.features.double() for said in seen)
    expected = prdc.compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
    ours = (*metrics.precision_recall(real, fake, k), *metrics.density_coverage(real, fake, k))
    names = ("precision", "recall", "density", "coverage")
    assert ours == pytest.approx([expected[name] for name in names], abs=1e-3)
    assert ours[2] > 0.05 and 0.05 < ours[3] < 0.95


def test_kernel_distance_of_unequal_numbers_lies_where_equal_ones_lie(seen):
    one, other = (said.features.double() for said in seen)
    rng = np.random.default_rng(0)
    subsets = [rng.choice(N, N // 2, replace=False) for _ in range(20)]
    halves = [metrics.kernel_distance(one[some], other) for some in subsets]
    whole = metrics.kernel_distance(one, other)
    assert np.mean(halves) == pytest.approx(whole, rel=0.05)  # unbiased, whatever N is
    alike = kid_features_to_metric(
        one[:300], one[300:], kid_subsets=1, kid_subset_size=300, verbose=False, rng_seed=0
    )["kernel_inception_distance_mean"]
    assert metrics.kernel_distance(one[:300], one[300:]) == pytest.approx(alike, rel=1e-3)
