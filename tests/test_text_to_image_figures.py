"""What the card says of the pipeline: fit against diversity, sharpness, and how both are kept."""

from __future__ import annotations

import json

import pytest
import torch

from gen_core import Noise, final, load
from gen_core.__main__ import main as command_line
from gen_core.evaluation import guidance, prompt_accuracy
from gen_core.evaluation.guidance import (
    GUIDANCE,
    compared,
    sharpness,
    single_things,
    tradeoff,
)
from gen_core.evaluation.pictures import diversity, laplacian_variance
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.families.text_to_image.folder import NAME, classifier_of, export, measured
from gen_core.families.text_to_image.training import part
from gen_core.knobs import KnobError
from gen_core.training import checkpoint
from gen_core.training.checkpoint import CheckpointError


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
    model, matcher = load(NAME, "cpu", emoji_weights.parent), ClipScorer.open(emoji_weights)
    reports = []
    told = tradeoff(
        model,
        matcher,
        classifier_of(emoji_weights),
        count=2,
        seeds=3,
        steps=1,
        progress=reports.append,
    )
    assert [p["guidance"] for p in told["points"]] == list(GUIDANCE)
    assert (told["prompts"], told["seeds"], told["pictures"], told["steps"]) == (2, 3, 6, 1)
    done = [report.done for report in reports]
    assert done == sorted(done) and done[-1] == reports[-1].total == 30
    words = [a.prompt for a in single_things(2)]
    alone = [
        final(model.sample(Noise(range(3)), prompt=w, steps=1, guidance_scale=30)) for w in words
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
    model = load(NAME, "cpu", emoji_weights.parent)
    told = sharpness(model, "", pictures=3, steps=1)
    assert (told["ratio"], told["ratio_error"], told["sharper"]) == (1, 0, 0)
    told = sharpness(model, pictures=2, steps=1)
    assert told["negative_prompt"] == "blurry" and told["before"] != told["after"]


@pytest.mark.heavy
def test_the_commands_put_their_figures_into_the_card(emoji_home, own_weights, monkeypatch, capsys):
    monkeypatch.setitem(guidance.KNOBS, "steps", 1)
    for name, few in (("BACKGROUNDS", 2), ("TINTED", 1), ("PAIRS", 1)):
        monkeypatch.setattr(prompt_accuracy, name, few)
    before = json.loads((own_weights / "card.json").read_text())
    rest = ["--device", "cpu", "--json"]
    said = {}
    for section, words in (
        ("metrics", ["evaluate", NAME, "--data", str(emoji_home / "data"), "--steps", "1"]),
        ("guidance", ["tradeoff", NAME, "--prompts", "2", "--seeds", "2"]),
        ("sharpness", ["sharpness", "--pictures", "2"]),
    ):
        assert command_line([*words, *rest]) == 0
        assert section not in measured(own_weights)
        assert command_line([*words, *rest, "--write"]) == 0
        said[section] = json.loads(capsys.readouterr().out.partition("\n}\n")[2])
    card = json.loads((own_weights / "card.json").read_text())
    assert not list(own_weights.glob("*.partial"))
    assert card == before | said and measured(own_weights) == said
    shares = said["metrics"]["shares"]
    assert said["metrics"]["samples"] == shares["pictures"] == 8 and "seen" in shares["judge"]
    assert said["metrics"]["knobs"] == {"steps": 1} and 0 <= said["metrics"]["accuracy"] <= 1
    assert said["guidance"]["pictures"] == 4 and said["sharpness"]["pictures"] == 2
    assert all(figures["hardware"] and figures["date"] for figures in said.values())
    for words, message in (
        (["tradeoff", "--prompts", "1"], "prompts=1: choose a whole number from 2 to 100"),
        (["tradeoff", "--seeds", "many"], "seeds='many': choose a whole number from 2 to 64"),
        (["sharpness", "--pictures", "1"], "pictures=1: choose a whole number from 2"),
        (["evaluate", NAME, "--data", str(own_weights)], "no emoji in"),
        (["evaluate", NAME, "--sampler", "ddim"], None),
    ):
        if message is None:
            with pytest.raises(SystemExit):
                command_line([*words, *rest])
        else:
            assert command_line([*words, *rest]) == 2
            assert message in capsys.readouterr().err


def test_fewer_samples_ask_fewer_of_the_prompts():
    asked = prompt_accuracy.prompts()
    some = prompt_accuracy.some_of(asked, 100)
    assert len(some) == 100 and [a for a in asked if a in some] == some
    assert prompt_accuracy.some_of(asked, 10_000) == asked


def test_the_judge_is_shipped_with_the_pipeline(emoji_home, emoji_weights):
    shipped = classifier_of(emoji_weights)
    trained = part("judge", emoji_home / "runs" / NAME)
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for name, logits in trained(x).items():
        assert shipped(x)[name] == pytest.approx(logits, abs=2e-3)  # in half precision


def test_a_figure_takes_the_place_of_its_older_self_alone(own_weights, tmp_path):
    for section, value in (("guidance", 1), ("sharpness", 2), ("guidance", 3)):
        checkpoint.amend(NAME, {"value": value}, section=section)
    assert measured(own_weights) == {"guidance": {"value": 3}, "sharpness": {"value": 2}}
    assert measured(tmp_path) == {}
    (own_weights / "card.json").write_text("{")
    assert measured(own_weights) == {}
    with pytest.raises(CheckpointError, match="card.json is damaged"):
        checkpoint.amend(NAME, {}, section="guidance")


def test_figures_stay_with_the_parts_that_they_were_measured_of(emoji_home, own_weights):
    checkpoint.amend(NAME, {"a": 1}, section="guidance")
    export(emoji_home / "runs" / NAME, own_weights)
    assert measured(own_weights)["guidance"]["a"] == 1
    card = json.loads((own_weights / "card.json").read_text())
    card["parts"]["denoiser"]["steps"] = 12  # as of another training
    (own_weights / "card.json").write_text(json.dumps(card))
    export(emoji_home / "runs" / NAME, own_weights)
    assert measured(own_weights) == {} and "denoiser" in checkpoint.card(NAME)["parts"]
