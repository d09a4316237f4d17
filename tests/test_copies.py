"""Is it a copy? The nearest training portraits, the yardstick, and the card on its page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect
from torch.nn import functional

from core_fixtures import avatars_once, portraits, tiny
from demos.page import examples
from demos.page.handlers import App
from demos.page.image_io import png_data_url
from demos.tabs import overview
from demos.tabs.overview import memorization
from demos.tabs.overview.texts import PORTRAITS
from gen_core.classifiers.images import ImageClassifier
from gen_core.data.splits import AVATARS
from gen_core.evaluation import memorization as measuring
from gen_core.evaluation.memorization import (
    CANDIDATES,
    FRESH,
    Yardstick,
    candidates,
    fresh,
    measured,
    nearest,
)
from gen_core.evaluation.reference import TrainingIndex, classified
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.training.checkpoint import CheckpointError, save
from serving import page_of

TRAINING = 60
"""Portraits that the judge of these tests knows: seeds 0 to 59, as in training."""
FEW = range(FRESH.start, FRESH.start + 4)


@pytest.fixture(scope="module", autouse=True)
def drawn_once() -> Iterator[None]:
    """Each picture is held against the same few training portraits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "avatars", avatars_once)
        yield


def knowing_judge() -> ImageClassifier:
    """Untrained, but evaluated: it knows where each training portrait lies."""
    judge = tiny("avatar-judge")
    known = portraits(TRAINING, 64).pictures(slice(None))
    judge.extra = TrainingIndex.of(classified(judge, [known]).features).tensors()
    return judge


@pytest.fixture(scope="module")
def judge() -> ImageClassifier:
    return knowing_judge()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, judge) -> Path:
    """Weights of a judge, and of two models of portraits."""
    folder = tmp_path_factory.mktemp("weights")
    save(judge, folder / "judge-avatars.safetensors", {"metrics": {}}, extra=judge.extra)
    vae = tiny("vae", channels=3, size=64, latent=6)
    for name, model in (("vae-avatars", vae), ("gan-avatars", tiny("style-gan"))):
        save(model, folder / f"{name}.safetensors", {"data": "avatars", "metrics": {}})
    return folder


@pytest.fixture
def app(folder, monkeypatch) -> App:
    """No example was computed before, and few portraits are measured."""
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    monkeypatch.setattr(memorization, "FRESH", FEW)
    monkeypatch.setattr(memorization, "example", lambda name: None)
    return App("cpu")


def picked(x: torch.Tensor, who: str = "GAN, seed 3") -> dict[str, str]:
    """What the page sends of a picture (1, 3, 64, 64)."""
    levels = ((x[0].permute(1, 2, 0) + 1) * 127.5).round().byte()
    return {"picture": png_data_url(levels.numpy()), "who": who}


def blurred(x: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(functional.pad(x, (1, 1, 1, 1), "reflect"), 3, 1)


# --- nearest, and how near that is ----------------------------------------------------------------


def test_a_training_portrait_finds_itself(judge):
    for seed in (0, 17, 59):
        found = nearest(judge, fresh(AVATARS["train"][seed]), 3)
        assert found[0].index == seed and found[0].difference == pytest.approx(0, abs=1e-6)
        assert 0 < found[1].difference <= found[2].difference


def test_candidates_are_the_portraits_that_training_showed_and_their_differences(judge):
    x, found = fresh(FRESH.start), list(candidates(judge, fresh(FRESH.start)))
    assert len({one.index for one in found}) == len(found) == CANDIDATES
    shown = portraits(TRAINING, 64).images
    for one in found[:5]:
        assert torch.equal(one.picture, shown[one.index])
        by_hand = np.abs(shown[one.index].numpy() / 255 - (x[0].numpy() + 1) / 2).mean()
        assert one.difference == pytest.approx(by_hand, abs=1e-6)
    assert nearest(judge, x)[0].difference == min(one.difference for one in found)


def test_fresh_portraits_are_in_no_data_set_and_nobody_is_asked_for_them():
    assert FRESH.stop <= AVATARS["asked"].start, (
        "any seed of a picture asks for a person from there on"
    )
    for split in ("train", "test"):
        assert not set(FRESH) & set(AVATARS[split])


@pytest.mark.heavy
def test_a_blurred_training_portrait_is_a_copy_and_a_fresh_one_is_none(judge):
    yardstick = Yardstick(list(measured(judge, FEW)))
    assert yardstick.says(nearest(judge, blurred(fresh(5)))[0].difference) == "copy"
    others = range(FRESH.stop, FRESH.stop + 4)
    assert "copy" not in {yardstick.says(share) for share in measured(judge, others)}


@pytest.mark.parametrize(
    ("own", "verdict"), [(0.0, "copy"), (0.039, "copy"), (0.05, "near"), (0.06, "new"), (1, "new")]
)
def test_only_what_is_clearly_nearer_than_any_fresh_one_is_a_copy(own, verdict):
    yardstick = Yardstick([0.09, 0.06, 0.07])
    assert yardstick.says(own) == verdict
    assert yardstick.limit < yardstick.least == 0.06


def test_a_judge_that_was_not_evaluated_says_what_to_run():
    with pytest.raises(CheckpointError, match="python -m gen_core evaluate judge-avatars --write"):
        next(candidates(tiny("avatar-judge"), fresh(0)))


@pytest.mark.parametrize("shape", [(1, 1, 28, 28), (2, 3, 64, 64), (3, 64, 64), (1, 3, 64, 48)])
def test_a_picture_of_another_shape_is_refused(judge, shape):
    with pytest.raises(KnobError, match=r"takes one in colour and square, \(1, 3, N, N\)"):
        next(candidates(judge, torch.zeros(shape)))


# --- the card -------------------------------------------------------------------------------------


def answered(app: App, asked: Any) -> tuple[list[Progress], dict]:
    *working, value = memorization.compare(app, asked)
    return working, value


@pytest.mark.heavy
def test_the_card_shows_the_nearest_and_holds_them_against_fresh_ones(app):
    _, value = answered(app, picked(fresh(5)))
    assert value["verdict"] == "copy" and value["headline"].startswith("A copy, or nearly one: ")
    assert value["own"] == pytest.approx(0, abs=1e-6) and value["who"] == "GAN, seed 3"
    assert value["nearest"][0]["number"] == 5
    assert len(value["nearest"]) == memorization.SHOWN
    assert value["nearest"][0]["picture"] == value["picture"]  # pixel for pixel
    judge = app.model("judge-avatars")
    assert value["fresh"] == list(measured(judge, FEW))
    _, other = answered(app, picked(fresh(FRESH.stop)))
    assert other["verdict"] != "copy" and other["headline"] != value["headline"]


@pytest.mark.heavy
def test_the_yardstick_is_measured_once_for_all_visitors(app):
    first, value = answered(app, picked(fresh(1)))
    then, again = answered(app, picked(fresh(2)))
    doing = [{step.stage for step in steps} for steps in (first, then)]
    assert doing[0] - doing[1] == {"Measuring new portraits"} and len(then) == CANDIDATES
    assert again["fresh"] == value["fresh"]


@pytest.mark.heavy
def test_a_kept_example_spares_the_measuring(app, tmp_path, monkeypatch):
    examples.write(memorization.PANEL.keep(), app, tmp_path)
    kept = examples.example(memorization.NAME, tmp_path)
    assert kept.models == ("gan-avatars", "judge-avatars") and kept.value["who"] == "GAN, seed 0"
    monkeypatch.setattr(memorization, "example", lambda name: kept)
    working, value = answered(App("cpu"), picked(fresh(2)))
    assert len(working) == CANDIDATES and value["fresh"] == kept.value["fresh"]
    assert kept.note in value["about"]


BAD = [
    (None, "picture: press one of the portraits first"),
    ("portrait", "picture: press one of the portraits first"),
    ({"who": "GAN, seed 3"}, "picture: press one of the portraits first"),
    ({"picture": 3}, "picture: takes a PNG data URL"),
    ({"picture": "data:image/png;base64,####"}, "picture: its data URL is damaged"),
    ({"picture": "data:image/png;base64,AAAA"}, "picture: this file cannot be read as a picture"),
    ({"picture": "data:", "who": float("nan")}, "who=nan: write some text"),
    ({"picture": "data:", "who": "x" * 81}, "who has 81 characters: write at most 80"),
]


@pytest.mark.parametrize(("asked", "message"), BAD)
def test_what_is_no_picture_gets_a_message(app, asked, message):
    with pytest.raises(KnobError, match=re.escape(message)):
        next(memorization.compare(app, asked))


def test_without_a_judge_it_says_so(app, monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    with pytest.raises(CheckpointError, match="no weights named 'judge-avatars'"):
        next(memorization.compare(app, picked(fresh(0))))


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memorization, "FRESH", FEW)
        patch.setattr(memorization, "example", lambda name: None)
        patch.setattr("demos.page.panel.example", lambda name: None)
        with page_of(overview.TAB, weights=folder) as address:
            yield address


@pytest.mark.browser
def test_a_portrait_is_pressed_with_the_keyboard_on_a_phone(visit, address):
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    page = visit(f"{address}?tab=overview&data={PORTRAITS.title.replace(' ', '+')}", **phone)
    card = page.locator(f"#{memorization.NAME} .copies")
    expect(card.get_by_text("Press one of the portraits above.")).to_be_visible()
    tiles = page.locator(".ov-rule .ov-tile")
    tiles.first.focus()
    page.keyboard.press("End")
    expect(tiles.nth(5)).to_be_focused()
    page.keyboard.press("Enter")
    expect(tiles.nth(5)).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".card-live")).to_contain_text("Drawn by a program, person 5")
    expect(card).to_have_attribute("data-verdict", re.compile("new|near"))
    expect(card.locator(".copies-nearest img")).to_have_count(memorization.SHOWN)
    expect(card.locator(".copies-track .copies-fresh")).to_have_count(len(FEW))
    assert all(image.get_attribute("alt") for image in card.locator("img").all())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert card.evaluate("e => e.scrollWidth <= e.clientWidth")
    expect(card).to_be_in_viewport()


@pytest.mark.browser
def test_the_api_answers_like_the_page(address):
    client = Client(address, verbose=False)
    with pytest.raises(AppError, match="press one of the portraits first"):
        client.predict(None, api_name="/overview_copies")
    value = client.predict(picked(fresh(5)), api_name="/overview_copies")
    assert value["verdict"] == "copy" and value["nearest"][0]["number"] == 5  # and the app goes on
