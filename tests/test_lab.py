"""The adversarial lab: every help changes what it should, a run alone is a run in company, and what
is called covered or collapsed is."""

import dataclasses
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gen_core.data.planes import EDGE, load_plane
from gen_core.data.yardstick import Yardstick
from gen_core.knobs import KnobError
from gen_core.lab import KNOBS, Game, Settings, settings_from
from gen_core.lab.game import Batch
from gen_core.lab.measures import CELLS, COUNTED, SHOWN, Camera, modes_of
from gen_core.lab.networks import Discriminator, minibatch_features
from gen_core.lab.settings import MISTAKES
from gen_core.nets.adversarial_losses import LOSSES
from gen_core.nets.stacked import MLP, adam, initial_learner

SMALL = Settings(batch=32, width=16)
HELPS = {
    "R1": {"r1": 1.0},
    "R2": {"r2": 1.0},
    "gradient penalty": {"gradient_penalty": 1.0},
    "clipping": {"clip": 0.05},
    "spectral norm": {"spectral_norm": True},
    "minibatch discrimination": {"minibatch_discrimination": True},
    "packing": {"packing": 2},
    "unrolled": {"unrolled": 2},
    "input noise": {"input_noise": 0.5, "noise_steps": 100},
    "data set": {"data_size": 40},
    "five steps": {"discriminator_steps": 5},
    **{name: {"loss": name} for name in LOSSES if name != SMALL.loss},
    **{name: {"mistake": name} for name in MISTAKES if name != "none"},
}


def played(settings: Settings, seeds=(0, 1, 2), steps: int = 3) -> Game:
    game = Game(settings, seeds)
    for _ in range(steps):
        game.step()
    return game


def weights(game: Game) -> Tensor:
    """Of both players, (runs, all)."""
    return torch.cat([game.state.generator.weights, game.state.discriminator.weights], dim=1)


def outcome(game: Game) -> Tensor:
    """(runs, all) the generator and both losses. Not the discriminator's last bias: where it plays
    no part, as in a relativistic pair, Adam makes whole steps of its gradient's rounding."""
    return torch.cat([game.state.generator.weights, torch.stack(game.state.losses, 1)], dim=1)


# --- networks -------------------------------------------------------------------------------------


def test_each_row_of_weights_is_a_network_of_its_own():
    net, x = MLP([3, 8, 8, 2]), torch.randn(4, 5, 3)
    rows = net.initial(torch.rand(4, net.size))
    for row, points, found in zip(rows, x, net(rows, x), strict=True):
        for k, part in enumerate(parts := [p[0] for p in net.parts(row[None])]):
            if k % 2 == 0:
                points = points @ part + parts[k + 1]
                points = F.relu(points) if k < len(parts) - 2 else points
        assert torch.allclose(found, points, atol=1e-6)


def test_adam_takes_the_steps_that_torch_takes():
    player = initial_learner(torch.randn(3, 40))
    theirs = player.weights.clone().requires_grad_()
    optimiser = torch.optim.Adam([theirs], lr=1e-2, betas=(0.5, 0.99))
    for _ in range(20):
        theirs.grad = torch.randn(3, 40) * (torch.arange(40) > 3)  # some never have a gradient
        player = adam(player, theirs.grad, 1e-2, (0.5, 0.99))
        optimiser.step()
    assert torch.allclose(player.weights, theirs, atol=1e-6)


def test_spectral_normalisation_divides_by_the_largest_singular_value():
    net = Discriminator(2, 12, 2)
    rows = net.initial(torch.rand(3, net.size)).double()
    directions = net.initial_directions(torch.randn(3, sum(net.outputs)).double())
    for _ in range(300):
        directions = net.power_iteration(rows, directions)
    matrices = net.parts(rows)[::2]
    for matrix, divided in zip(matrices, net._normalised(matrices, directions), strict=True):
        largest = torch.linalg.svdvals(matrix)[:, :1, None]
        assert torch.allclose(divided, matrix / largest, rtol=1e-6)
    x = torch.randn(3, 50, 2).double()
    logit = net(rows, x, directions)
    slope = (logit[:, 1:] - logit[:, :-1]).abs() / (x[:, 1:] - x[:, :-1]).norm(dim=2)
    assert slope.max() <= 1  # Lipschitz, as all its layers are


def test_minibatch_discrimination_sums_over_the_others_of_a_group():
    m = torch.randn(2, 12, 16)
    found = minibatch_features(m, None, 6)
    for run in range(2):
        for i in range(12):
            others = [j for j in range(i // 6 * 6, i // 6 * 6 + 6) if j != i]
            apart = (m[run, others] - m[run, i]).unflatten(1, (4, 4)).abs().sum(2)
            assert torch.allclose(found[run, i], (-apart).exp().sum(0), atol=1e-5)
    among = minibatch_features(m[:, :6], m[:, 6:], 6)
    apart = (m[0, 6:] - m[0, 0]).unflatten(1, (4, 4)).abs().sum(2)
    assert torch.allclose(among[0, 0], (-apart).exp().sum(0), atol=1e-5)


# --- the game -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HELPS)
def test_whatever_is_set_changes_the_game(name):
    """But a forgotten detach that is mended by zeroing: it costs time alone."""
    changed = weights(played(SMALL.but(**HELPS[name])))
    plain = weights(played(SMALL))
    alike = changed.shape == plain.shape and torch.equal(changed, plain)
    assert alike == (name == "no detach")
    assert changed.isfinite().all()


@pytest.mark.parametrize("name", ["none", *HELPS])
def test_a_run_alone_is_the_run_in_company(name):
    settings = SMALL.but(**HELPS.get(name, {}))
    seeds = (5, 8, 2**32 - 1)
    company = outcome(played(settings, seeds))
    for k, seed in enumerate(seeds):
        assert torch.allclose(outcome(played(settings, [seed]))[0], company[k], atol=1e-5)
    assert not torch.allclose(company[0], company[1], atol=1e-2)


def test_seeds_that_differ_in_their_high_bits_differ():
    first, other = outcome(played(SMALL, (0, 2**28)))
    assert not torch.allclose(first, other, atol=1e-2)


def test_arrows_show_the_way_of_the_loss_that_the_generator_descends():
    """Who helps to be caught goes the other way."""
    frames = []
    for mistake in ("none", "both descend the discriminator's loss"):
        game = Game(SMALL.but(mistake=mistake, loss="minimax"), [0])
        frames.append(Camera(game).frame())
    assert torch.allclose(frames[0].pull, -frames[1].pull, atol=1e-6)


@pytest.mark.parametrize("name", ["none", "spectral norm", "input noise", "unrolled"])
def test_a_kept_state_goes_on_as_if_nothing_had_happened_since(name):
    game = played(SMALL.but(**HELPS.get(name, {})))
    kept, picture = game.state, Camera(game).frame()
    straight = [weights(played(game.settings, steps=n)) for n in (4, 6)]
    for _ in range(3):
        game.step()
    assert torch.equal(weights(game), straight[1])
    game.state = kept  # scrub back
    again = Camera(game).frame()
    assert torch.equal(again.samples, picture.samples) and torch.equal(again.field, picture.field)
    game.step()
    assert torch.equal(weights(game), straight[0]) and game.state.step == 4


def test_one_player_moves_while_the_other_stands_still():
    game = played(SMALL)
    before = game.state
    game.step("discriminator")
    assert game.state.generator is before.generator
    assert not torch.equal(game.state.discriminator.weights, before.discriminator.weights)
    game.step("generator")
    assert not torch.equal(game.state.generator.weights, before.generator.weights)
    assert game.state.step == before.step + 2
    with pytest.raises(KnobError, match="who='nobody': choose one of both, discriminator"):
        game.step("nobody")


def test_a_discriminator_left_to_itself_learns_to_tell_and_then_the_generator_to_pass():
    game = Game(SMALL, range(3))
    first = game.step("discriminator").losses[0]
    for _ in range(100):
        game.step("discriminator")
    assert (game.state.losses[0] < 0.5 * first).all()
    begun = game.step("generator").losses[1]
    for _ in range(100):
        game.step("generator")
    assert (game.state.losses[1] < 0.5 * begun).all()


def batch_of(game: Game) -> tuple[Batch, Tensor, Tensor]:
    batch = game._batch(0)
    fake = game.generator(game.state.generator.weights, batch.z)
    return batch, fake, game.state.discriminator.weights


def test_penalties_are_the_squared_slopes_at_data_and_at_forgeries():
    plain = Game(SMALL, [0, 1])
    batch, fake, mine = batch_of(plain)
    loss = plain._discriminator_loss(mine, batch, fake)
    for name, points in (("r1", batch.real), ("r2", fake)):
        x = points.clone().requires_grad_()
        (slope,) = torch.autograd.grad(plain._logit(mine, x).sum(), x)
        added = Game(SMALL.but(**{name: 3.0}), [0, 1])._discriminator_loss(mine, batch, fake) - loss
        assert torch.allclose(added, 1.5 * slope.square().sum(2).mean(1), atol=1e-5)


def test_clipping_and_noise_do_what_they_say():
    assert played(SMALL.but(clip=0.05)).state.discriminator.weights.abs().max() <= 0.05
    game = Game(SMALL.but(input_noise=0.5, noise_steps=4), [0])
    spread = []
    for _ in range(6):
        spread.append(float(game._batch(0).blur[0].std()))
        game.step()
    assert spread[0] == pytest.approx(0.5, rel=0.3) and spread == sorted(spread, reverse=True)
    assert spread[4:] == [0, 0]


def test_a_pack_is_neighbours_side_by_side():
    game = Game(SMALL.but(packing=2), [0])
    x = torch.arange(8.0).view(1, 4, 2)
    assert game._packed(x).tolist() == [[[0, 1, 2, 3], [4, 5, 6, 7]]]


def test_unrolling_foresees_the_discriminators_own_steps():
    """Against one batch, and differentiably: the generator feels how it would be answered."""
    game = Game(SMALL.but(unrolled=3), [0, 1])
    batch, fake, _ = batch_of(game)
    fake = fake.detach().requires_grad_()
    foreseen = game._foreseen(batch, fake, game.state.discriminator)
    for _ in range(3):
        game._batch = lambda part: batch
        game._discriminator_turn(batch)
    assert torch.allclose(foreseen, game.state.discriminator.weights, atol=1e-6)
    (felt,) = torch.autograd.grad(foreseen.square().sum(), fake)
    assert felt.abs().sum() > 0


def test_the_mistakes_are_the_mistakes():
    """The same loss for both: the discriminator learns to help, and data do not count."""
    settings = SMALL.but(mistake="both descend the generator's loss")
    on_ring, on_moons = (played(settings.but(data=d)) for d in ("ring", "moons"))
    assert torch.equal(weights(on_ring), weights(on_moons))
    assert not torch.equal(*(weights(played(SMALL.but(data=d))) for d in ("ring", "moons")))
    game = played(settings, steps=60)
    assert (game.state.losses[0] < 0.2).all() and (game.state.losses[1] < 0.2).all()
    # Simultaneous: the generator answers the discriminator as it was.
    both, alone = Game(SMALL.but(mistake="simultaneous"), [0]), Game(SMALL, [0])
    both.step()
    alone.step("generator")
    assert torch.equal(both.state.generator.weights, alone.state.generator.weights)
    # No detach, not zeroed: the generator's step is that of the sum of two gradients.
    game = Game(SMALL.but(mistake="no detach, not zeroed"), [0])
    batch, _, mine = batch_of(game)
    theirs = game.state.generator.weights.clone().requires_grad_()
    loss = game._discriminator_loss(mine, batch, game.generator(theirs, batch.z)).sum()
    (leak,) = torch.autograd.grad(loss, theirs)
    assert torch.allclose(game._discriminator_turn(batch), leak, atol=1e-7)


# --- data and definitions -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ring", "grid", "moons", "spiral", "points"])
def test_points_of_a_plane_have_its_density(name):
    points = [(-1.0, 0.5), (2.0, -2.0), (2.0, -1.9)] if name == "points" else ()
    plane = load_plane(name, points)
    rng = torch.Generator().manual_seed(0)
    x = plane.points(torch.rand(COUNTED, generator=rng), torch.randn(COUNTED, 2, generator=rng))
    measure = Yardstick(plane)
    assert measure.divergence(x[None]).item() < 0.02
    assert measure.divergence(x[None] + 0.3).item() > 0.1
    assert measure.wasserstein(x[None]).item() < 0.1
    aside = measure.wasserstein(x[None] + torch.tensor([1.0, 0.0])).item()
    assert aside == pytest.approx(2 / math.pi, abs=0.1)  # the mean of |cos|
    assert (plane.modes is not None) == (name in ("ring", "grid"))
    assert float(measure.shares.sum()) == pytest.approx(1, abs=1e-3)


def test_divergence_is_zero_for_the_density_itself_and_one_for_none_of_it():
    measure = Yardstick(load_plane("ring"))
    assert measure.divergence(torch.full((1, 50, 2), 99.0)).item() == pytest.approx(1, abs=1e-6)
    assert measure.divergence(torch.full((1, 50, 2), math.nan)).item() == pytest.approx(1, abs=1e-6)
    shares = measure.shares / measure.shares.sum()
    assert float(shares[:-1].sum()) == pytest.approx(1, abs=1e-6)


def on(counts: list[int], stray: int = 0) -> Tensor:
    """Samples on the ring's modes, so many on each, and others in the middle of nowhere."""
    ring = load_plane("ring")
    rows = [mode.expand(n, 2) for mode, n in zip(ring.modes, counts, strict=True)]
    return torch.cat([*rows, torch.zeros(stray, 2)])


@pytest.mark.parametrize(
    ("counts", "stray", "covered", "collapsed", "not_converged"),
    [
        ([100] * 8, 0, 8, False, False),
        ([400, 400, 0, 0, 0, 0, 0, 0], 0, 2, True, False),
        ([200] * 4 + [0] * 4, 0, 4, True, False),  # half of the modes, and no more
        ([160] * 5 + [0] * 3, 0, 5, False, False),
        ([128] * 6 + [16, 16], 0, 8, False, False),  # a tenth of 100 is 10
        ([782, 9, 9, 0, 0, 0, 0, 0], 0, 1, True, False),
        ([780, 10, 10, 0, 0, 0, 0, 0], 0, 3, True, False),
        ([640, 0, 0, 0, 0, 0, 0, 0], 160, 1, True, False),  # 80% on modes
        ([639, 0, 0, 0, 0, 0, 0, 0], 161, 1, False, True),
        ([0] * 8, 800, 0, False, True),
    ],
)
def test_covered_collapsed_and_not_converged(counts, stray, covered, collapsed, not_converged):
    ring = load_plane("ring")
    found = modes_of(on(counts, stray)[None], ring.modes, ring.std)
    told = int(found.covered), bool(found.collapsed), bool(found.not_converged)
    assert told == (covered, collapsed, not_converged)


def test_a_sample_is_on_a_mode_within_three_standard_deviations():
    ring = load_plane("ring")
    for away, there in ((0.299, True), (0.301, False)):
        found = modes_of(ring.modes[:1][None] + torch.tensor([away, 0.0]), ring.modes, ring.std)
        assert bool(found.on_modes == 1) == there
    lost = modes_of(torch.full((1, 10, 2), math.nan), ring.modes, ring.std)
    assert bool(lost.not_converged) and not bool(lost.collapsed)


# --- frames ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"data": "spiral", "latent": 1},
        {"latent": 5, "packing": 2, "minibatch_discrimination": True},
        {"loss": "relativistic", "spectral_norm": True, "depth": 1},
    ],
)
def test_a_frame_shows_what_the_players_do(changes):
    game = played(SMALL.but(**changes))
    frame = Camera(game).frame()
    assert frame.step == 3 and frame.samples.shape == frame.pull.shape == (3, SHOWN, 2)
    assert frame.field.shape == (3, CELLS, CELLS)
    assert frame.lattice.shape == (3, 17, 17, 2)
    assert (frame.modes is None) == (game.settings.data == "spiral")
    for value in (*frame.losses, frame.divergence, frame.wasserstein):
        assert value.shape == (3,) and value.isfinite().all()
    # A sample that follows its arrow a little looks more real.
    camera = Camera(game)
    with torch.no_grad():
        here, there = (
            camera._logit(frame.samples + d * F.normalize(frame.pull, dim=2)) for d in (0, 1e-2)
        )
    assert (there >= here - 1e-4).float().mean() > 0.95


def test_the_field_is_what_the_discriminator_says_at_each_place():
    game = played(SMALL)
    field = Camera(game).frame().field
    place = torch.tensor([(3 + 0.5) / CELLS * 2 - 1, (20 + 0.5) / CELLS * 2 - 1]) * EDGE
    logit = game.discriminator(game.state.discriminator.weights, place.expand(3, 1, 2))
    assert torch.allclose(field[:, 3, 20], logit[:, 0], atol=1e-5)


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_every_bad_value_is_refused_with_its_name_and_range(knob):
    for value in knob.bad_values():
        with pytest.raises(KnobError, match=knob.name) as refused:
            Settings(**{knob.name: value})
        assert "choose" in str(refused.value)
    assert [f.name for f in dataclasses.fields(Settings) if f.name != "points"] == [
        k.name for k in KNOBS
    ]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"data": "points"}, "draw at least one point"),
        ({"data": "points", "points": [(0, math.nan)]}, r"points\[0\]=.*from -3 to 3"),
        ({"data": "points", "points": [(0, 0), (99, 0)]}, r"points\[1\]=.*from -3 to 3"),
        ({"data": "points", "points": [(1, 2, 3)]}, r"points\[0\]="),
        ({"data": "points", "points": [(0, 0)] * 1001}, "=1001: choose a whole number from 1"),
        ({"data": "points", "points": "abc"}, "give a list of pairs"),
        ({"data": "points", "points": None}, "give a list of pairs"),
        ({"points": [(0, 0)]}, "choose data='points'"),
        ({"batch": 33, "packing": 2}, "choose a multiple of packing=2"),
        ({"batch": 36, "minibatch_discrimination": True}, "choose a multiple of 8"),
        ({"speed": 3}, "speed=3: the settings of a game are data"),
    ],
)
def test_what_does_not_go_together_says_the_way_out(values, says):
    with pytest.raises(KnobError, match=says):
        settings_from(values)


@pytest.mark.parametrize("count", [1, 2, 1000])
def test_points_of_a_visitor_are_a_game(count):
    angle = torch.arange(count) / count * 2 * math.pi
    points = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    game = played(SMALL.but(data="points", points=points.tolist()))
    frame = Camera(game).frame()
    assert frame.divergence.isfinite().all() and (frame.modes is None) == (count == 1000)


def test_runs_and_seeds_have_limits():
    for seeds, says in (([], "number of runs=0"), (range(101), "runs=101"), ([-1], "seed=-1")):
        with pytest.raises(KnobError, match=says):
            Game(SMALL, seeds)
