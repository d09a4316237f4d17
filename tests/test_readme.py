"""The README is true: its figures are those in the checkpoints. That its lines of Python run, also
where only the package is installed, is in `test_package`."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from gen_core.evaluation.report import markdown_figures, markdown_table
from gen_core.training import checkpoint
from gen_core.training.recipes import RECIPES

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_is_what_the_checkpoints_say():
    assert markdown_table() in README
    assert markdown_figures() in README


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((\w[\w/.]+)\)", README))))
def test_what_it_links_to_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", RECIPES)
def test_a_card_tells_how_its_checkpoint_came_about(name):
    whole, _, part = name.partition("/")
    card = checkpoint.card(whole)["parts"][part] if part else checkpoint.card(name)
    assert {"recipe", "data", "steps", "seed", "hardware", "hours", "metrics"} <= card.keys()
    assert card["steps"] == RECIPES[name].steps
    learned = {"vocabulary"}  # of the tokenizer, not of the recipe
    assert card["recipe"]["config"].keys() - learned == RECIPES[name].config.keys()
