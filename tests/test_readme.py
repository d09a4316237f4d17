"""The README is true: its figures are those in the checkpoints, its lines of Python run."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT
from gen_core import checkpoint
from gen_core.recipes import RECIPES
from gen_core.report import markdown_table

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_is_what_the_checkpoints_say():
    assert markdown_table() in README


@pytest.mark.heavy
def test_its_lines_of_python_run():
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        scope = {}
        exec(block, scope)
        assert scope["x"].shape == (16, 1, 28, 28) and scope["x"].abs().max() < 2


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\((\w[\w/.]+)\)", README))))
def test_what_it_links_to_is_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", RECIPES)
def test_a_card_tells_how_its_checkpoint_came_about(name):
    card = checkpoint.card(name)
    assert {"recipe", "data", "steps", "seed", "hardware", "hours", "metrics"} <= card.keys()
    assert card["steps"] == RECIPES[name].steps
    assert card["recipe"]["config"].keys() == RECIPES[name].config.keys()
