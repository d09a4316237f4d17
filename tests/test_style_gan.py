"""The style-based generator: each layer has a style of its own, unit variance is kept, and what it
draws is what it was asked for."""

import pytest
import torch
from torch.nn import functional as F

from core_fixtures import complete_attributes, portraits, tiny
from gen_core import Noise, final
from gen_core.data.avatars.schema import CATEGORICAL
from gen_core.families.style_gan import MIXED
from gen_core.knobs import KnobError
from gen_core.nets.adversarial import PlainBlock
from gen_core.nets.attributes import IGNORE_INDEX
from gen_core.nets.style import ModulatedConv2d


def batch(count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Small portraits in [-1, 1], and what is known of them."""
    data = portraits(count, 16)
    return data.images / 127.5 - 1, data.labels


def test_weighing_input_and_output_is_changing_the_weights_of_each_picture():
    """Karras et al. 2020, eq. 1 and 3, with weights made for each picture."""
    torch.manual_seed(0)
    conv = ModulatedConv2d(6, 5, 4)
    x, w = torch.randn(3, 6, 8, 8), torch.randn(3, 4)
    style = conv.style(w)
    expected = []
    for row in range(3):
        weight = conv.weight * style[row][None, :, None, None]
        weight = weight * (weight.square().sum((1, 2, 3), keepdim=True) / 2).rsqrt()
        expected.append(F.leaky_relu(F.conv2d(x[row : row + 1], weight, padding=1), 0.2))
    torch.testing.assert_close(conv(x, w), torch.cat(expected), atol=1e-4, rtol=1e-4)


def test_layers_keep_the_variance_and_noise_comes_in_when_it_is_learned():
    torch.manual_seed(0)
    conv = ModulatedConv2d(64, 64, 16)
    x, w = torch.randn(8, 64, 16, 16), torch.randn(8, 16)
    out = conv(x, w)[:, :, 1:-1, 1:-1]
    assert float(out.square().mean().detach()) == pytest.approx(1.04, abs=0.1)
    noise = torch.randn(8, 1, 16, 16)
    assert torch.equal(conv(x, w, noise), conv(x, w)), "it begins without"
    torch.nn.init.ones_(conv.noise_strength)
    assert not torch.allclose(conv(x, w, noise), conv(x, w))


def test_every_layer_follows_a_style_of_its_own():
    generator = tiny("style-gan").generator
    assert generator.sides == [4, 8, 8, 16, 16] and generator.layers == 5
    with torch.no_grad():
        z = torch.randn(2, 8, generator=torch.manual_seed(1))
        one, other = generator.style(z, complete_attributes(None, [0, 1]))
        w = one.expand(1, generator.layers, -1).clone()
        assert torch.allclose(generator.synthesize(w), generator.synthesize(one[None]), atol=1e-6)
        for layer in range(generator.layers):
            mixed = w.clone()
            mixed[:, layer] = other
            assert not torch.allclose(
                generator.synthesize(mixed), generator.synthesize(w), atol=1e-4
            ), layer


def test_some_of_training_mixes_two_codes_and_two_wishes():
    model, rows = tiny("style-gan"), []
    model.generator.synthesize = lambda w, noise, bounded: rows.append(w) or w
    _, whole = model.mixed_fakes(
        complete_attributes(None, range(400)), torch.Generator().manual_seed(0)
    )
    (w,) = rows
    mixed = (w != w[:, :1]).any((1, 2))
    assert torch.equal(mixed, ~whole) and int(mixed.sum()) == MIXED * 400
    assert torch.equal(w[1, -1], w[0, 0]), "its neighbour's at the end"


def test_pictures_are_bounded_but_training_sees_how_far_beyond_the_bounds_they_are():
    model, label = tiny("style-gan"), complete_attributes(None, range(4))
    bias = model.generator.to_rgb[-1].bias
    with torch.no_grad():
        bias += 3
        assert float(model.generate(Noise(range(4)).randn(8), label).max()) == 1
    seen = model.fakes(label, torch.Generator().manual_seed(0))
    assert float(seen.detach().mean()) > 1.5
    (slope,) = torch.autograd.grad(seen.sum(), [bias])
    assert float(slope.min()) > 0  # the way back


def test_truncation_at_zero_is_the_mean_style_for_every_seed_and_wish():
    model = tiny("style-gan")
    model.calibrate(*batch())
    z, label = (
        Noise([0, 1]).randn(8),
        complete_attributes([{"hat": "cap"}, {"hat": "turban"}], [0, 1]),
    )
    flat = model.styles(z, label, 0.0)
    assert torch.allclose(flat[0], flat[1]) and torch.allclose(flat[0], model.generator.mean_style)
    torch.testing.assert_close(model.styles(z, label), model.generator.style(z, label))


def test_the_mean_style_is_that_of_everybody():
    model = tiny("style-gan")
    model.calibrate(*batch())
    z = Noise(range(2000)).randn(8)
    everybody = model.generator.style(z, complete_attributes(None, range(2000)))
    torch.testing.assert_close(model.generator.mean_style[0], everybody.mean(0))


def test_both_sides_of_the_game_compare_a_forgery_with_a_real_picture():
    """As a whole, and by each value that the label tells."""
    model = tiny("style-gan", aux_weight=0.0, feature_matching_weight=0.0)
    x, label = batch(8)
    fake = model.fakes(label, torch.manual_seed(5)).detach()
    with torch.no_grad():
        real, forged = model.discriminator.look(x), model.discriminator.look(fake)
    lead, head = real.logit - forged.logit, model.discriminator.head
    by_value = torch.zeros(label[:, : len(CATEGORICAL)].shape)
    for name, logits in head(real.said)[0].items():
        asked, others = label[:, [*CATEGORICAL].index(name)], head(forged.said)[0][name]
        for row, value in enumerate(asked.tolist()):
            if value != IGNORE_INDEX:
                ahead = logits[row, value] - others[row, value]
                by_value[row, [*CATEGORICAL].index(name)] = ahead
    caught = model.discriminator_loss(x, label, torch.manual_seed(5))
    loss = F.softplus(-lead).mean() + F.softplus(-by_value).mean()
    assert caught["loss"].item() == pytest.approx(loss.item(), rel=1e-4)
    assert caught["accuracy"].item() == (lead > 0).float().mean().item()
    by_value[: int(MIXED * 8)] = 0  # nobody knows what these were to show
    fooled = model.generator_loss(x, label, torch.manual_seed(5))
    loss = F.softplus(lead).mean() + F.softplus(by_value).mean()
    assert fooled["loss"].item() == pytest.approx(loss.item(), rel=1e-4)


def test_besides_the_game_real_pictures_are_named_and_the_measures_of_forgeries_are_read():
    game, named = tiny("style-gan", aux_weight=0.0), tiny("style-gan", aux_weight=0.5)
    x, label = batch(8)
    fake, whole = named.mixed_fakes(label, torch.manual_seed(5))
    head = named.discriminator.head
    more = {
        "discriminator": head.loss(named.discriminator.look(x).said, label).total,
        "generator": head.loss(named.discriminator.look(fake[whole]).said, label[whole]).continuous,
    }
    for side, loss in more.items():
        without, with_it = (
            getattr(model, f"{side}_loss")(x, label, torch.manual_seed(5))
            for model in (game, named)
        )
        added = (with_it["loss"] - without["loss"]).item()
        assert added == pytest.approx(0.5 * loss.item(), rel=1e-3), side
        assert 0 <= with_it["right"].item() <= 1


def test_a_forgery_shall_look_like_its_real_portrait_to_each_layer_of_the_discriminator():
    """Wang et al. 2018, eq. 4; but for those drawn from two wishes."""
    game, matched = (
        tiny("style-gan", feature_matching_weight=0.0),
        tiny("style-gan", feature_matching_weight=3.0),
    )
    x, label = batch(8)
    fake, whole = matched.mixed_fakes(label, torch.manual_seed(5))
    seen: list[torch.Tensor] = []
    blocks = [layer for layer in matched.discriminator.body if isinstance(layer, PlainBlock)]
    hooks = [b.register_forward_hook(lambda block, given, out: seen.append(out)) for b in blocks]
    for pictures in (x[whole], fake[whole]):
        matched.discriminator.look(pictures)
    for hook in hooks:
        hook.remove()
    pairs = zip(seen[len(blocks) :], seen[: len(blocks)], strict=True)
    apart = [((mine - real).abs().mean() / real.abs().mean()).item() for mine, real in pairs]
    without, with_it = (
        model.generator_loss(x, label, torch.manual_seed(5)) for model in (game, matched)
    )
    mean = sum(apart) / len(apart)
    assert with_it["unlike"].item() == pytest.approx(mean, rel=1e-3) and len(apart) > 1
    assert (with_it["loss"] - without["loss"]).item() == pytest.approx(3 * mean, rel=1e-3)


def test_the_discriminator_is_penalised_at_real_pictures_and_at_forgeries():
    model = tiny("style-gan", r1=3.0)
    x, label = batch()
    fake = model.fakes(label, torch.manual_seed(5)).detach()
    expected = 1.5 * (model.slope(x, label) + model.slope(fake, label)).item()
    penalty = model.penalty(x, label, torch.manual_seed(5)).item()
    assert penalty == pytest.approx(expected, rel=1e-4) and expected > 0


def test_the_discriminator_can_be_asked_about_pictures_with_a_wish_and_without():
    model, (x, label) = tiny("style-gan"), batch(4)
    torch.testing.assert_close(model.judge(x), model.discriminator(x).detach())
    torch.testing.assert_close(model.judge(x, label), model.discriminator(x, label).detach())
    assert not torch.equal(model.judge(x, {"hat": "cap"}), model.judge(x, {"hat": "turban"}))
    with pytest.raises(KnobError, match="hat='crown'"):
        model.judge(x, {"hat": "crown"})


def test_what_is_left_open_is_drawn_by_lot_from_the_seed():
    model, noise = tiny("style-gan"), lambda: Noise([7, 8])
    anybody = final(model.sample(noise()))
    assert torch.equal(anybody, final(model.sample(noise(), label={})))
    by_rows = final(model.sample(noise(), label=model.condition.balanced([7, 8])))
    assert torch.equal(anybody, by_rows), "the people of the seeds"
    capped = final(model.sample(noise(), label={"hat": "cap"}))
    assert not torch.allclose(anybody, capped, atol=1e-4)
    each = final(model.sample(noise(), label=[{"hat": "cap"}, {}]))
    torch.testing.assert_close(each, torch.stack([capped[0], anybody[1]]), atol=1e-5, rtol=0)
    with pytest.raises(KnobError, match="hat='crown'"):
        next(model.sample(noise(), label={"hat": "crown"}))
