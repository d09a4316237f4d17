"""What the card says of the pipeline: fit against diversity, sharpness, and how both are kept."""

from __future__ import annotations

import json

import pytest
import torch

from gen_core import Noise, final
from gen_core.checkpoint import CheckpointError
from gen_core.checks import KnobError
from gen_core.text_to_image import measure, sharpness
from gen_core.text_to_image import tradeoff as core
from gen_core.text_to_image.__main__ import main as command_line
from gen_core.text_to_image.card import JUDGE, add_measured, measured
from gen_core.text_to_image.export import export
from gen_core.text_to_image.match import Matcher
from gen_core.text_to_image.parts import read_part
from gen_core.text_to_image.pipeline import open_pipeline
from gen_core.text_to_image.sharpness import compared, laplacian_variance, sharpened
from gen_core.text_to_image.tradeoff import GUIDANCE, curve, diversity, single_things

CPU = torch.device("cpu")


def grey(luminance: torch.Tensor) -> torch.Tensor:
    """A picture (1, 3, H, W) from its luminance, 0 to 255."""
    return (luminance / 127.5 - 1).expand(1, 3, -1, -1)


def test_the_laplacian_answers_to_edges_and_to_nothing_else():
    ramp = torch.arange(64.0).expand(64, 64)
    stripes = 255.0 * (torch.arange(64) % 2).expand(64, 64)
    board = 255.0 * ((torch.arange(64)[:, None] + torch.arange(64)) % 2)
    pictures = torch.full((64, 64), 80.0), ramp, stripes, board
    flat, rising, striped, chequered = (float(laplacian_variance(grey(p))) for p in pictures)
    assert flat == pytest.approx(0, abs=1e-6) and rising == pytest.approx(0, abs=1e-6)
    assert striped == pytest.approx(510**2, rel=1e-4)  # two neighbours differ by 255
    assert chequered == pytest.approx(1020**2, rel=1e-4)  # all four
    green = torch.full((1, 3, 64, 64), -1.0)
    green[:, 1] = grey(stripes)[:, 1]
    assert float(laplacian_variance(green)) == pytest.approx((0.587 * 510) ** 2, rel=1e-4)


def test_sharpness_is_compared_in_pairs():
    before = torch.tensor([1.0, 10.0, 100.0])
    same = compared(before, 2 * before)
    assert same["ratio"] == 2 and same["ratio_error"] == 0 and same["sharper"] == 1
    mixed = compared(before, before * torch.tensor([0.5, 2.0, 1.0]))
    assert mixed["ratio"] == 1 and mixed["sharper"] == pytest.approx(1 / 3, abs=1e-4)
    assert mixed["ratio_error"] == pytest.approx(0.6931 / 3**0.5, abs=1e-3)
    assert compared(torch.zeros(2), torch.zeros(2))["ratio"] == 1


def test_diversity_is_zero_for_equal_pictures_whatever_their_contrast():
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert diversity(x.repeat(4, 1, 1, 1)) == pytest.approx(0, abs=1e-6)
    assert diversity(torch.cat([x, 0.2 * x + 0.3])) == pytest.approx(0, abs=1e-6)
    assert diversity(torch.cat([x, -x])) == pytest.approx(2, abs=1e-5)
    waves = torch.linspace(0, 2 * torch.pi, 65)[:-1]
    assert diversity(torch.stack([waves.sin(), waves.cos()])) == pytest.approx(1, abs=1e-5)
    assert diversity(torch.ones(3, 3, 8, 8)) == 0


def test_the_curve_is_of_the_model_s_own_pictures(emoji_weights):
    model, matcher = open_pipeline(emoji_weights, "cpu"), Matcher.open(emoji_weights)
    ticks = []
    told = curve(
        model, matcher, read_part(emoji_weights / JUDGE), count=2, seeds=3, steps=1,
        tick=lambda *done: ticks.append(done),
    )  # fmt: skip
    assert [p["guidance"] for p in told["points"]] == list(GUIDANCE)
    assert (told["prompts"], told["seeds"], told["pictures"], told["steps"]) == (2, 3, 6, 1)
    assert ticks[-1] == (30, 30) and [done for done, _ in ticks] == sorted(d for d, _ in ticks)
    words = [a.prompt for a in single_things(2)]
    alone = [
        model.decode(final(model.sample(Noise(range(3)), prompt=w, steps=1, guidance_scale=30)))
        for w in words
    ]
    point = told["points"][-1]
    score = torch.cat([matcher.score(x, [w] * 3) for x, w in zip(alone, words, strict=True)]).mean()
    assert point["score"] == pytest.approx(float(score), abs=0.05)
    apart = sum(map(diversity, alone)) / 2
    assert point["diversity"] == pytest.approx(apart, abs=1e-3)
    assert 0 <= point["recognised"] <= 1 and 0 <= point["clipped"] <= 1


def test_prompts_of_the_curve_ask_for_one_thing_that_training_showed():
    asked = single_things(100)
    assert len({a.scene.things for a in asked}) == 100
    assert not any(a.held_out or a.scene.relation or any(a.scene.tints) for a in asked)
    with pytest.raises(KnobError, match="prompts=101: choose a whole number from 2 to 100"):
        single_things(101)


def test_a_negative_prompt_that_says_nothing_changes_nothing(emoji_weights):
    model = open_pipeline(emoji_weights, "cpu")
    told = sharpened(model, "", pictures=3, steps=1)
    assert (told["ratio"], told["ratio_error"], told["sharper"]) == (1, 0, 0)
    told = sharpened(model, pictures=2, steps=1)
    assert told["negative_prompt"] == "blurry" and told["before"] != told["after"]


def test_the_commands_put_their_figures_into_the_card(emoji_home, own_weights, monkeypatch, capsys):
    for how in (core.KNOBS, sharpness.KNOBS):
        monkeypatch.setitem(how, "steps", 1)
    for name, few in (("BACKGROUNDS", 2), ("TINTED", 1), ("PAIRS", 1)):
        monkeypatch.setattr(measure, name, few)
    before = json.loads((own_weights / "card.json").read_text())
    cpu = ["--device", "cpu"]
    for words in (
        ["measure", "--data", str(emoji_home / "data")],
        ["tradeoff", "--prompts", "2", "--seeds", "2"],
        ["sharpness", "--pictures", "2"],
    ):
        assert command_line([*words, *cpu]) == 0
    card = json.loads((own_weights / "card.json").read_text())
    figures = card.pop("measured")
    assert card == before and not list(own_weights.glob("*.partial"))
    assert figures.keys() == {"shares", "guidance", "sharpness"}
    assert figures["shares"]["pictures"] == 8 and "seen" in figures["shares"]["judge"]
    assert figures["guidance"]["pictures"] == 4 and figures["sharpness"]["pictures"] == 2
    assert all(figures[name]["hardware"] and figures[name]["date"] for name in figures)
    capsys.readouterr()
    assert command_line(["tradeoff", "--prompts", "1", *cpu]) == 1
    assert "prompts=1: choose a whole number from 2 to 100" in capsys.readouterr().err


def test_the_judge_is_shipped_with_the_pipeline(emoji_home, emoji_weights):
    shipped = read_part(emoji_weights / JUDGE)
    trained = read_part(emoji_home / "runs/judge/final.safetensors")
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for name, logits in trained(x).items():
        assert shipped(x)[name] == pytest.approx(logits, abs=2e-3)  # in half precision


def test_a_figure_takes_the_place_of_its_older_self_alone(own_weights, tmp_path):
    add_measured(own_weights, "guidance", {"a": 1}, CPU)
    add_measured(own_weights, "sharpness", {"b": 2}, CPU)
    add_measured(own_weights, "guidance", {"a": 3}, CPU)
    assert {k: v.get("a", v.get("b")) for k, v in measured(own_weights).items()} == {
        "guidance": 3, "sharpness": 2,
    }  # fmt: skip
    assert measured(tmp_path) == {}
    with pytest.raises(CheckpointError, match=r"no card.json in .*export"):
        add_measured(tmp_path, "guidance", {}, CPU)
    (own_weights / "card.json").write_text("{")
    assert measured(own_weights) == {}


def test_figures_stay_with_the_parts_that_they_were_measured_of(emoji_home, own_weights):
    add_measured(own_weights, "guidance", {"a": 1}, CPU)
    export(emoji_home / "runs", own_weights)
    assert measured(own_weights)["guidance"]["a"] == 1
    card = json.loads((own_weights / "card.json").read_text())
    card["t2i-denoiser"]["steps"] = 12  # as of another training
    (own_weights / "card.json").write_text(json.dumps(card))
    export(emoji_home / "runs", own_weights)
    assert measured(own_weights) == {} and "t2i-denoiser" in json.loads(
        (own_weights / "card.json").read_text()
    )
