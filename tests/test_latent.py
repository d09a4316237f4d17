"""What is found out about a latent space: traits, axes, a map, an atlas that travels."""

import pytest
import torch

from core_fixtures import portraits, striped, tiny
from gen_core.classifiers.attributes import AttributeClassifier
from gen_core.data.avatars import Avatar
from gen_core.data.avatars.schema import attribute_labels
from gen_core.latent.atlas import POINTS, TENSORS, Atlas
from gen_core.latent.directions import TraitRegressor, learn
from gen_core.latent.projection import affinities, divergence, principal_axes, slope, tsne
from gen_core.latent.traits import TRAITS, of_answers, of_labels

pytestmark = pytest.mark.heavy


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- traits ---------------------------------------------------------------------------------------


def test_traits_are_read_from_what_is_known():
    people = [Avatar(glasses="sun", smile=-0.5, hair="bald"), Avatar(hair_colour="white", turn=1.0)]
    traits, shown = of_labels(attribute_labels(people))
    read = [dict(zip(TRAITS, row, strict=True)) for row in traits.tolist()]
    assert read[0]["glasses"] == 1 and read[1]["glasses"] == 0
    assert read[0]["smile"] == pytest.approx(-0.5) and read[1]["turn"] == 1
    assert read[1]["hair colour"] > 0.9
    hair = list(TRAITS).index("hair colour")
    assert shown[:, hair].tolist() == [False, True] and read[0]["hair colour"] == 0


def test_a_sure_judge_and_the_facts_read_the_same_traits():
    known = attribute_labels(
        [Avatar(glasses="round", beard="goatee"), Avatar(hat="cap", mouth="open")]
    )
    judge = AttributeClassifier()
    logits, numbers = judge.answers(torch.zeros(2, judge.outputs))
    for column, name in enumerate(logits):
        logits[name] = 40 * torch.eye(logits[name].shape[1])[known[:, column].clamp(min=0)]
    numbers = known[:, len(logits) :] / 1000
    expected, shown = of_labels(known)
    torch.testing.assert_close(of_answers(logits, numbers) * shown, expected, atol=1e-4, rtol=0)


# --- directions -----------------------------------------------------------------------------------


def mixed_up(count: int = 6000) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes in which two traits lie that mostly occur together, and the traits."""
    one = torch.randn(count, generator=rng())
    other = 0.8 * one + 0.6 * torch.randn(count, generator=rng(1))
    codes = torch.stack([2 * one, 2 * other, torch.randn(count, generator=rng(2))], 1)
    return codes, torch.stack([one, other] + [torch.zeros(count)] * (len(TRAITS) - 2), 1)


@pytest.fixture(scope="module")
def reader() -> TraitRegressor:
    codes, traits = mixed_up()
    return learn(codes, traits, torch.ones_like(traits, dtype=torch.bool), steps=400)


@pytest.mark.heavy
def test_a_reader_tells_traits_from_codes(reader):
    codes, traits = mixed_up(500)
    off = (reader(codes)[:, :2] - traits[:, :2]).square().mean(0)
    assert (off < 0.2).all()


def test_its_slopes_are_what_autograd_says(reader):
    z = torch.randn(4, 3, generator=rng())
    for row, told in zip(z, reader.slopes(z), strict=True):
        exact = torch.autograd.functional.jacobian(lambda x: reader(x[None])[0], row)
        torch.testing.assert_close(told, exact, atol=1e-5, rtol=1e-4)


def test_a_move_changes_its_trait_and_not_what_only_comes_along(reader):
    """The difference of the two means would move both."""
    codes, _ = mixed_up(50)
    names = [*TRAITS]
    moved = reader.moved(codes, {names[0]: 0.8}) - codes
    free = reader(codes)[:, 0].abs() < 1  # the others are near the end of what there is
    assert (moved[free, 0] > 1).all(), "twice the trait, less what the reading blurs"
    assert moved[:, 1].abs().mean() < 0.2 * moved[:, 0].mean()
    assert moved[:, 2].abs().mean() < 0.2 * moved[:, 0].mean()
    back = reader.moved(codes, {names[0]: -0.8}) - codes
    assert (back[free, 0] < -1).all()
    assert torch.equal(reader.moved(codes, {}), codes)


def test_nobody_is_moved_beyond_the_range_of_the_data(reader):
    codes, _ = mixed_up(50)
    name = next(iter(TRAITS))
    far, further = (reader(reader.moved(codes, {name: by}))[:, 0] for by in (6.0, 60.0))
    torch.testing.assert_close(far, further)
    assert (far < reader.ends[1, 0] + 0.3).double().mean() > 0.9 and (far > 1).all()
    there = reader.moved(codes, {name: 6.0})
    again = reader.moved(there, {name: -60.0})
    assert (reader(again)[:, 0] < -1).all(), "and there is a way back"


def test_pictures_that_do_not_show_a_trait_teach_nothing_of_it():
    codes, traits = mixed_up()
    shown = torch.ones_like(traits, dtype=torch.bool)
    shown[:3000, 0] = False
    wrong = traits.clone()
    wrong[:3000, 0] = 5.0
    told = learn(codes, traits, shown, steps=60), learn(codes, wrong, shown, steps=60)
    assert torch.equal(told[0](codes), told[1](codes))


def test_principal_components_are_the_axes_of_the_cloud():
    codes = torch.randn(5000, 4, generator=rng()) * torch.tensor([0.5, 3.0, 1.0, 2.0]) + 7
    axes, scales = principal_axes(codes)
    torch.testing.assert_close(scales, torch.tensor([3.0, 2.0, 1.0, 0.5]), atol=0, rtol=0.05)
    torch.testing.assert_close(axes @ axes.T, torch.eye(4), atol=1e-5, rtol=0)
    assert axes[0].abs().argmax() == 1 and axes[3].abs().argmax() == 0


# --- the map --------------------------------------------------------------------------------------


def test_the_slope_of_the_map_is_what_autograd_says():
    points = torch.randn(40, 5, generator=rng())
    p = affinities(points, 8.0).double()
    y = torch.randn(40, 2, generator=rng(1), dtype=torch.float64).requires_grad_(True)
    (expected,) = torch.autograd.grad(divergence(p, y), y)
    torch.testing.assert_close(slope(p, y.detach()), expected, atol=1e-7, rtol=1e-5)


def test_every_point_has_as_many_neighbours_as_asked():
    points = torch.randn(200, 3, generator=rng()) * torch.linspace(0.1, 5, 200)[:, None]
    p = affinities(points, 15.0)
    assert float(p.sum()) == pytest.approx(1, abs=1e-5) and torch.equal(p, p.T)
    assert float(p.diagonal().abs().max()) == 0


def test_clusters_stay_together_and_the_map_is_the_same_again():
    centres = 6 * torch.randn(5, 20, generator=rng())
    points = centres.repeat_interleave(40, 0) + torch.randn(200, 20, generator=rng(1))
    placed = tsne(points, perplexity=15, steps=400)
    assert placed.shape == (200, 2) and torch.equal(placed, tsne(points, perplexity=15, steps=400))
    nearest = torch.cdist(placed, placed).fill_diagonal_(1e9).argmin(1)
    same = (nearest // 40) == (torch.arange(200) // 40)
    assert float(same.double().mean()) > 0.97
    with pytest.raises(ValueError, match="perplexity=90: choose above 1, below 67"):
        tsne(points, perplexity=90)


# --- the atlas ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    model = tiny("vae", channels=3, latent=6)
    return Atlas.of(model, portraits(120), portraits(200), steps=30)


@pytest.mark.heavy
def test_an_atlas_travels_in_a_checkpoint(atlas):
    again = Atlas.kept({"other": torch.ones(1)} | atlas.tensors())
    for name in TENSORS:
        assert torch.equal(getattr(atlas, name), getattr(again, name)), name
    codes = atlas.codes.float()
    assert torch.equal(atlas.regressor(codes), again.regressor(codes))
    with pytest.raises(KeyError):
        Atlas.kept({})
    assert atlas.codes.shape == (120, 6) and len(atlas.codes) <= POINTS
    assert atlas.axes.shape == (6, 6) and atlas.regressor(codes).shape == (120, len(TRAITS))
    assert atlas.labels.shape[0] == 120 and float(atlas.places.float().abs().max()) == 1


def test_a_place_of_the_map_is_made_of_the_codes_around_it(atlas):
    for row in (0, 50):
        place = tuple(atlas.places[row].float().tolist())
        here, code = atlas.at(place), atlas.codes[row].float()
        assert (here - code).norm() < (atlas.mean - code).norm()
    near = atlas.at((0.1, 0.1)), atlas.at((0.1001, 0.1))
    assert (near[0] - near[1]).norm() < 0.05 * atlas.scales.norm()


def test_classes_have_no_reader():
    model = tiny("vae", latent=2)
    atlas = Atlas.of(model, striped(64), striped(64))
    assert atlas.regressor is None and atlas.places.shape == (64, 2)
    flat = atlas.codes.float() / atlas.codes.float().abs().amax(0)
    torch.testing.assert_close(atlas.places.float(), flat, atol=2e-3, rtol=0)
