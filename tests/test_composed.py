"""The card of the Ask for a person panel that says whether a model composes: from its metrics."""

from __future__ import annotations

import re

import gradio as gr
import pytest

from demos.sampling.attributes import composed, composed_card
from gen_core.training import checkpoint
from person_fixtures import write_people


def told(share: float) -> dict:
    return {
        "share": share,
        "by_rule": 0.9,
        "alone": [share, 1.0],
        "pictures": 40,
        "by_pair": [
            [{"hat": "none", "glasses": "sun"}, 0.0],
            [{"hair": "afro", "hair_colour": "<b>blond</b>"}, 2 * share],
        ],
    }


METRICS = {
    "hardware": "an abacus",
    "composing": {
        "knobs": {"steps": 20, "guidance_scale": 2.0},
        "held_out": told(0.25),
        "seen": told(0.5),
    },
}


def test_both_kinds_stand_beside_what_drawing_by_rule_reaches():
    html = composed(METRICS)
    assert re.findall(r"<b>(\d+%)</b>", html) == ["25%", "50%"]
    assert html.count("show both; of portraits drawn by a program, 90%") == 2
    assert html.count("--rule:0.900") == 2 and "--share:0.250" in html
    assert (
        "40 pictures for 2 pairs of each kind, 20 steps, guidance 2" in html and "an abacus" in html
    )


def test_pairs_come_best_first_and_are_text():
    html = composed(METRICS)
    first, second = "hair: afro, hair colour: &lt;b&gt;blond", "no hat, glasses: sun"
    assert html.index(first) < html.index(second)
    assert "<b>blond" not in html


@pytest.mark.parametrize(
    ("metrics", "shown"),
    [
        (METRICS, "Can it combine what it never saw"),
        ({}, "evaluate flow-avatars --write"),
    ],
)
def test_without_figures_a_line_says_how_to_measure(tmp_path, monkeypatch, metrics, shown):
    write_people(tmp_path)
    model = checkpoint.load("flow-avatars", "cpu", tmp_path)
    card = {"data": "avatars", "metrics": metrics}
    checkpoint.save(model, tmp_path / "flow-avatars.safetensors", card)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    with gr.Blocks() as page:
        composed_card("flow-avatars")
    words = [b.value for b in page.blocks.values() if isinstance(b, gr.Markdown)]
    assert len(words) == 1 and shown in words[0]
