"""The visitor as the discriminator: what is real in a round, what the network says of it, how
scores are counted, and the real pictures that travel with the app."""

from __future__ import annotations

import base64
import contextlib
import io
import math
import os
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from conftest import answer_of
from core_fixtures import write_fashion
from demos.page.examples import example
from demos.page.handlers import App
from demos.tabs.gan import real_clothes as shipped
from demos.tabs.gan import real_or_fake
from demos.tabs.gan.real_or_fake import FIRST, OPPONENTS, PANEL, TEN, YOUNG
from gen_core import Noise, final
from gen_core.data import MissingData, load_data
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from sampling_fixtures import picture, values

QUICK = [FIRST, f"{YOUNG}/13500", "gan-fashion", "vae-fashion"]
"""Opponents that take no steps."""


@pytest.fixture(scope="module")
def app() -> App:
    return App("cpu")


def dealt(app: App, opponent: str = FIRST, seed: int = 0) -> dict[str, Any]:
    (value,) = values(real_or_fake.deal(app, opponent=opponent, seed=seed))
    return value


def truth(value: dict[str, Any]) -> np.ndarray:
    """(10, 3): whether it is real, how likely the network calls it so, what it shows."""
    return np.frombuffer(base64.b64decode(value["sealed"]), np.float32).reshape(TEN, 3)


def shown(value: dict[str, Any]) -> np.ndarray:
    return np.stack([picture(url) for url in value["pictures"]])


# --- a round --------------------------------------------------------------------------------------


@pytest.mark.parametrize("opponent", QUICK)
def test_real_ones_are_of_the_test_set_and_the_others_are_not(app, opponent):
    value = dealt(app, opponent, seed=4)
    real, _, kinds = truth(value).T
    clothes = shipped.real_clothes()
    known = {image.numpy().tobytes(): int(c) for image, c in zip(*clothes_of(), strict=True)}
    for image, is_real, kind in zip(shown(value), real, kinds, strict=True):
        assert (image.tobytes() in known) == bool(is_real)
        assert not is_real or known[image.tobytes()] == kind
        assert is_real or kind == -1 or opponent == "gan-fashion"
    assert value["classes"] == [*clothes.classes]


def clothes_of() -> tuple[torch.Tensor, torch.Tensor]:
    clothes = shipped.real_clothes()
    return clothes.images[:, 0], clothes.labels


def test_the_network_s_word_is_the_discriminator_s(app):
    value = dealt(app, seed=2)
    x = torch.from_numpy(shown(value)).float()[:, None] / 127.5 - 1
    logits = app.model(YOUNG).judge(x)
    assert np.allclose(truth(value)[:, 1], logits.sigmoid().numpy(), atol=0.02)  # in 8 bits


def test_a_coin_says_which_are_real():
    """Not always five of ten; the truth of one opponent tells nothing of another's."""
    rounds = [real_or_fake.dealt(real_or_fake.number_of(FIRST, seed))[0] for seed in range(200)]
    real = torch.stack(rounds).double()
    assert abs(real.mean() - 0.5) < 3 * 0.5 / math.sqrt(2000)
    assert len(real.sum(1).unique()) >= 6
    other = real_or_fake.dealt(real_or_fake.number_of("vae-fashion", 0))[0]
    assert (other.double() != real[0]).any()


def test_rounds_show_other_pictures(app):
    """Of all that is shipped, and no seed shows a picture of the one before again."""
    seen = {image.tobytes() for image in clothes_of()[0].numpy()}
    met: set[bytes] = set()
    for seed in range(60):
        _, x, _ = real_or_fake.dealt(real_or_fake.number_of(FIRST, seed))
        round_ = {image.tobytes() for image in pixels(x)}
        assert len(round_) == TEN and round_ <= seen
        met |= round_
    assert len(met) > 200
    one, other = (real_or_fake.noise_seeds(real_or_fake.number_of(FIRST, s)) for s in (0, 1))
    assert not {*one} & {*other}


@pytest.mark.parametrize("opponent", ["diffusion-fashion", "flow-fashion"])
def test_a_model_of_steps_is_asked_for_few_of_them(app, monkeypatch, opponent):
    monkeypatch.setattr(real_or_fake, "STEPS", 2)
    pieces = [*real_or_fake.deal(app, opponent=opponent, seed=1)]
    value = pieces[-1].to_json()
    assert [piece.total for piece in pieces[:-1]] == [2] * len(pieces[:-1])
    assert (truth(value)[:, 2] >= 0).all()  # it was asked for a class, real or not


def test_the_example_is_a_first_round_without_answers():
    kept = example(PANEL.name).value
    assert len(kept["pictures"]) == TEN and kept["opponent"] == FIRST and kept["seed"] == 0
    by_place = {key for key, part in kept.items() if isinstance(part, list) and len(part) == TEN}
    assert by_place == {"pictures", "classes"}  # nobody reads the truth at a glance


def test_every_snapshot_of_the_training_is_an_opponent(app):
    steps = [int(name.split("/")[1]) for name in OPPONENTS.values() if "/" in name]
    assert steps == app.model(YOUNG).snapshots
    assert max(map(len, OPPONENTS)) <= 30


def test_an_opponent_that_a_checkpoint_has_not_kept_is_named(app):
    with pytest.raises(KnobError, match="snapshot=51: choose one of 50, 90"):
        dealt(app, f"{YOUNG}/51")


# --- the score ------------------------------------------------------------------------------------


def tallied(app: App, *rounds: list[Any], opponent: str = FIRST) -> dict[str, Any]:
    return answer_of(app.serve(real_or_fake.tally), {"rounds": [*rounds], "opponent": opponent})


def test_rounds_are_counted_by_opponent_from_the_youngest_on(app):
    found = tallied(app, ["gan-fashion", 1, 5, 7], [FIRST, 0, 7, 10], [FIRST, 8, 8, 9])
    assert found["lines"] == [
        "A GAN after 518 steps: you 15 of 20 (53 to 89%), the discriminator 19 of 20 (76 to 99%)",
        "The finished GAN: you 5 of 10 (24 to 76%), the discriminator 7 of 10 (40 to 89%)",
    ]
    assert found["said"].startswith(
        "A tossed coin gets 15 or more of 20 right in 2.1% of all tries"
    )
    assert "speaks for seeing" in found["said"] and "too often" not in found["said"]


@pytest.mark.parametrize(
    ("right", "said"),
    [
        (5, "gets 5 of 10 right on average."),
        (0, "gets 5 of 10 right on average."),
        (7, "gets 7 or more of 10 right in 17.2% of all tries: too often"),
        (
            9,
            "gets 9 or more of 10 right in 1.1% of all tries: that speaks for seeing a difference.",
        ),
    ],
)
def test_ten_pictures_cannot_tell_seven_from_five(right, said):
    assert said in real_or_fake.beside_a_coin(right, TEN)
    assert "less than once in 1,000" in real_or_fake.beside_a_coin(30, 30)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (None, "give a list"),
        ({"rounds": "x"}, "give a list"),
        ({"rounds": [[FIRST, 0, 1]]}, "give a list"),
        ({"rounds": [], "opponent": FIRST}, "choose a whole number from 1 to 200"),
        ({"rounds": [[FIRST, 0, 11, 1]], "opponent": FIRST}, "choose a whole number from 0 to 10"),
        ({"rounds": [[FIRST, 0, 1, math.nan]], "opponent": FIRST}, "from 0 to 10"),
        ({"rounds": [["nobody", 0, 1, 1]], "opponent": FIRST}, "opponent='nobody': choose one of"),
        ({"rounds": [[FIRST, 0, 1, 1]], "opponent": "vae-fashion"}, f"choose one of {FIRST}"),
    ],
)
def test_what_no_page_asks_is_named(app, asked, said):
    assert said in answer_of(app.serve(real_or_fake.tally), asked)["error"]


# --- the printed code -----------------------------------------------------------------------------


@pytest.mark.parametrize("opponent", QUICK)
def test_the_printed_code_deals_the_same(app, opponent):
    value = dealt(app, opponent, seed=6)
    scope, said = {}, io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(real_or_fake.code({"opponent": opponent, "seed": 6}), scope)
    assert abs(pixels(scope["x"]).astype(int) - shown(value)).max() <= 1
    real, chance, _ = truth(value).T
    right = int(((chance > 0.5) == (real > 0)).sum())
    assert said.getvalue() == f"The discriminator: {right} of 10\n"


def test_the_printed_code_asks_for_as_many_steps(app, monkeypatch):
    monkeypatch.setattr(real_or_fake, "STEPS", 2)
    scope: dict[str, Any] = {}
    exec(real_or_fake.code({"opponent": "flow-fashion", "seed": 3}), scope)
    value = dealt(app, "flow-fashion", seed=3)
    assert abs(pixels(scope["x"]).astype(int) - shown(value)).max() <= 1


# --- the real pictures ----------------------------------------------------------------------------


def test_thirty_pictures_of_each_class_travel_with_the_app():
    clothes = shipped.real_clothes()
    assert (
        clothes.images.shape == (300, 1, 28, 28) and clothes.labels.bincount().tolist() == [30] * 10
    )
    assert len({image.numpy().tobytes() for image in clothes.images}) == 300
    assert os.path.getsize(shipped.PATH) < 150_000


def test_they_are_written_from_the_data_set(tmp_path, monkeypatch):
    write_fashion(tmp_path, train=64, test=600)
    data = load_data("fashion", "test", tmp_path, download=False)
    shipped.write(str(tmp_path), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        rows = np.asarray(sheet)
    second = (data.labels == 3).nonzero()[1, 0]
    assert (rows[3 * 28 : 4 * 28, 28:56] == data.images[second, 0].numpy()).all()
    monkeypatch.delenv("GEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    with pytest.raises(MissingData):
        shipped.write(str(tmp_path / "none"))


def test_they_are_those_of_the_test_set():
    try:
        data = load_data("fashion", "test", download=False)
    except MissingData:
        pytest.skip("Fashion-MNIST is not on this machine")
    for c in range(10):
        first = data.images[data.labels == c][:30]
        assert torch.equal(shipped.real_clothes().images[30 * c : 30 * c + 30], first)


def test_a_model_by_class_draws_the_class_that_the_truth_names(app):
    value = dealt(app, "gan-fashion", seed=4)
    real, _, kinds = truth(value).T
    place = int(np.flatnonzero(real == 0)[0])
    seeds = real_or_fake.noise_seeds(real_or_fake.number_of("gan-fashion", 4))
    alone = final(app.model("gan-fashion").sample(Noise([seeds[place]]), label=int(kinds[place])))
    assert abs(pixels(alone)[0].astype(int) - shown(value)[place]).max() <= 1
