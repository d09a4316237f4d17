"""How good is a text? What the judge counts, and what is measured of models of text."""

from __future__ import annotations

import math

import pytest
import torch

from gen_core import Noise, final, load
from gen_core.data.text import SOURCES, TextData, load_text
from gen_core.data.tokenizers import (
    CHARACTERS,
)
from gen_core.evaluation.evaluate import COMPLETE, Evaluation
from gen_core.evaluation.text_quality import PROBE, STRIDE, NGram, TextJudge, distinct, entropy
from gen_core.families import masked_diffusion
from gen_core.families.masked_diffusion import EVALUATIONS
from gen_core.families.text import TextFamily
from text_fixtures import BIRD, opinionated, write_pair

FEW = 6
"""Texts, where the real evaluation takes more."""


@pytest.fixture(scope="module")
def judge() -> TextJudge:
    return TextJudge.on(BIRD * 4)


@pytest.mark.parametrize("history", ["", "the", "king", "zzzz", "e k"])
def test_what_may_follow_has_probabilities_that_sum_to_one(judge, history):
    after = [float(judge.ngram.log_probs(history + c)[-1].exp()) for c in CHARACTERS]
    assert math.isclose(sum(after), 1, abs_tol=1e-9) and min(after) > 0


def test_back_off_by_hand():
    """ "ab" then "aa" once each after a: p(b | a) = (1 + 2 p(b)) / (2 + 2), p(b) by its count of 1
    in 4 and 2 kinds, and by chance."""
    ngram = NGram.of("abaa")
    p_b = (1 + 2 / 96) / (4 + 2)
    p_b_after_a = (1 + 2 * p_b) / (2 + 2)
    assert math.isclose(float(ngram.log_probs("ab")[1].exp()), p_b_after_a)


def test_its_own_text_surprises_the_judge_least(judge):
    known, new, noise = BIRD, "The queen asked a fox about the sky.", "xq zk!! vw 7Q"
    assert judge.bits_per_character(known) < 1.2
    assert judge.bits_per_character(known) < judge.bits_per_character(new)
    assert judge.bits_per_character(new) < judge.bits_per_character(noise)


def test_copied_runs_are_found(judge):
    copied = BIRD[40:140]
    found = judge.longest_copy(f"A fox said: {copied} and left.")
    assert 100 - 2 * STRIDE <= found <= 100
    assert judge.longest_copy("A fox went home and slept there for a week.") == 0
    assert judge.longest_copy(BIRD[: PROBE - 1]) == 0 and judge.longest_copy("") == 0


def test_a_judge_comes_back_from_what_a_checkpoint_keeps(judge):
    class Kept:
        extra = judge.tensors()

    again = TextJudge.of(Kept())
    assert again.bits_per_character(BIRD[:90]) == judge.bits_per_character(BIRD[:90])
    assert again.longest_copy(BIRD[:90]) == judge.longest_copy(BIRD[:90])


def test_dull_texts_have_little_entropy_and_few_new_runs():
    assert f"{entropy([1, 1]):.1f}" == "0.0" and entropy([1, 2, 3, 4]) == 2
    assert distinct([1, 2] * 10) == 2 / 17 and distinct([*range(9)]) == 1 == distinct([1, 2])


@pytest.mark.parametrize("family", ["gpt", "masked-diffusion"])
def test_a_model_of_text_is_measured_by_the_test_text_and_by_what_it_writes(tmp_path, family):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / SOURCES["tales"].file).write_text(BIRD * 40)
    model = opinionated(family)
    model.card = {"data": "tales"}
    seen = []
    evaluation = Evaluation(None, 100, 50, 0, str(tmp_path), seen.append, {"temperature": 0.0})
    found = model.extra_metrics(evaluation)
    rows = TextData("", load_text("tales", "test", tmp_path, False).text)
    x, _ = rows.windows(model.words, 24).batch(torch.tensor([0, 24]))
    nats = float(model.nats(x).mean()) / 24
    assert found["characters"] % 24 == 0 and found["samples"] == 100 and seen
    assert math.isclose(found[model.figure], nats / math.log(2), rel_tol=0.3)
    assert found["longest_copy"] == 0 and 0 < found["distinct_4"] <= 1
    assert found["judge_bits"] > 4 and 0 <= found["entropy"] <= math.log2(24)


@pytest.fixture
def diffusion(tmp_path, monkeypatch) -> TextFamily:
    """An untrained model in place of the tales' diffusion, and of what it began with."""
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / SOURCES["tales"].file).write_text(BIRD * 40)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    write_pair(tmp_path)
    monkeypatch.setattr(masked_diffusion, "TEXTS", FEW)
    model = opinionated("masked-diffusion", tokenizer="tales", length=12)
    model.card = {"data": "tales", "recipe": {"start": "gpt-tales"}}
    return model


def test_texts_of_few_evaluations_are_measured_beside_those_of_many(diffusion, tmp_path):
    """Each row is that of texts which anybody can draw again."""
    knobs = {"temperature": 0.5}
    evaluation = Evaluation(None, COMPLETE, 50, 0, str(tmp_path), lambda _: None, knobs)
    *found, other = diffusion.extra_metrics(evaluation)["by_evaluations"]
    assert [row["evaluations"] for row in found] == [*EVALUATIONS]
    assert {row["samples"] for row in found} == {FEW} and len({*map(str, found)}) == 3
    x = final(diffusion.sample(Noise(range(FEW)), steps=8, **knobs))
    assert found[0]["entropy"] == sum(map(entropy, x.tolist())) / FEW
    assert other["model"] == "gpt-tales" and other["evaluations"] == diffusion.config.length
    x = final(load("gpt-tales").sample(Noise(range(FEW)), tokens=12, **knobs))[:, :12]
    assert other["entropy"] == pytest.approx(sum(map(entropy, x.tolist())) / FEW)


def test_at_a_glance_no_more_texts_are_written(diffusion, tmp_path):
    glance = Evaluation(None, 100, 50, 0, str(tmp_path), lambda _: None)
    found = diffusion.extra_metrics(glance)
    assert "by_evaluations" not in found and "judge_bits" in found
    assert "take 2,000 samples or more" in found["left_out"]["by_evaluations"]


def test_where_the_text_is_missing_it_is_said_what_was_left_out(tmp_path):
    model = opinionated("gpt")
    model.card = {"data": "tales"}
    found = model.extra_metrics(Evaluation(None, 100, 50, 0, str(tmp_path), lambda _: None))
    assert "is not on this machine" in found["left_out"]["bits_per_character"]
