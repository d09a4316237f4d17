"""README and docs are true: figures are those in the checkpoints, what they link to is there, and
their recipes work. That the README's lines of the library run, also where only the package is
installed, is in `test_package`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from conftest import ROOT
from demos.page import shell
from demos.page.handlers import App
from gen_core.evaluation.card_texts import LICENSE
from gen_core.evaluation.cards import NOT_STATED, card_sections, renewed
from gen_core.knobs import KnobError
from gen_core.training import checkpoint
from gen_core.training.recipes import RECIPES

README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
PAGES = {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
SECTIONS = [
    "Model details",
    "Uses",
    "Limitations",
    "How to get started",
    "Training data",
    "Training procedure",
    "Evaluation",
]


def blocks(page: str) -> list[str]:
    """Its Python."""
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


# --- the README -----------------------------------------------------------------------------------


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 160


def test_its_table_names_every_module_of_the_library():
    table = README[README.index("| Module |") : README.index("On the command line")]
    named = {
        name.rstrip("/")
        for row in table.splitlines()
        for name in re.findall(r"`(\w+(?:\.py|/))`", row.split("|")[1] if "|" in row else "")
    }
    paths = {p.name for p in (ROOT / "gen_core").iterdir() if p.is_dir() or p.suffix == ".py"}
    assert named == {name for name in paths if not name.startswith("__")}


def test_its_table_names_every_tab():
    from demos.page.tab import declared

    assert re.findall(r"^\| \*\*(.+?)\*\*", README, re.MULTILINE) == [t.title for t in declared()]


def test_its_shortest_tab_draws():
    (block,) = (block for block in blocks(README) if "demos" in block)
    scope: dict = {}
    exec(block, scope)
    tab, app = scope["TAB"], App("cpu")
    page = shell.build_page(app, [tab])
    assert "/clothes_generate" in page.get_api_info()["named_endpoints"]
    (panel,) = tab.panels
    *_, last = panel.run(app, **panel.first_settings(app) | {"count": 1, "steps": 1})
    assert last.total == 1


def test_its_knob_is_one_that_a_family_has():
    (block,) = (block for block in blocks(README) if "knobs =" in block)
    (line,) = (line.strip() for line in block.splitlines() if line.startswith("knobs ="))
    family = (ROOT / "tests" / "one_family" / "rows.py").read_text(encoding="utf-8")
    assert line.removeprefix("knobs = (").removesuffix(")") in family


# --- links ----------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """What links can name in a page, as GitHub makes it of the headings."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_to_is_there(page):
    path = PAGES[page]
    found = re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8"))
    near = [target for target in found if not target.startswith("https://")]
    assert near or page in ("hosting.md", "what-can-go-wrong.md")
    for target in near:
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_are_there(page):
    named = re.findall(r"`((?:demos|docs|gen_core|tests)/[\w./]+)`", PAGES[page].read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_that_a_page_names_are_there(page, capsys):
    from gen_core.__main__ import main

    with pytest.raises(SystemExit):
        main(["--help"])
    known = capsys.readouterr().out.split()
    named = re.findall(r"python -m gen_core (\w+)", PAGES[page].read_text(encoding="utf-8"))
    assert set(named) - {"COMMAND"} <= set(known)


# --- the page of models ---------------------------------------------------------------------------


def test_its_tables_and_cards_are_what_the_checkpoints_say():
    """Else: python -m gen_core cards --into docs/models.md"""
    assert renewed(MODELS) == MODELS


def test_what_is_written_by_hand_stays_and_what_is_out_of_date_is_replaced():
    page = re.sub(r"\| `vae-fashion` \|.*", "| `vae-fashion` | as it was once |", MODELS)
    page = page.replace("### vae-fashion-2d\n", "### gone\n")
    assert page != MODELS and renewed(page) == MODELS
    assert "By hand." in renewed(MODELS + "By hand.\n")


@pytest.mark.parametrize("marker", ["tables", "cards"])
def test_a_page_without_a_place_for_them_is_refused(marker):
    with pytest.raises(KnobError, match=f"0 places for the {marker}: write <!-- {marker} -->"):
        renewed(MODELS.replace(f"<!-- {marker} -->", ""))


@pytest.mark.parametrize("name", checkpoint.available())
def test_every_section_of_a_card_is_filled(name):
    sections = card_sections(name)
    assert list(sections) == SECTIONS
    for title, text in sections.items():
        assert len(text) > 20 and NOT_STATED not in text, title
    assert f"- License: {LICENSE}" in sections["Model details"]
    assert "License: " in sections["Training data"]
    card = checkpoint.card(name)
    for said in (f"{card['steps']:,}", f"{card['hours']:.2f} hours", card["hardware"]):
        assert said in sections["Training procedure"]
    assert f"{card['metrics']['samples']:,}" in sections["Evaluation"]


def test_the_license_is_that_of_the_project():
    assert f"license: {LICENSE.lower()}\n" in README.split("---\n")[1]
    assert f'license = "{LICENSE}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.heavy
@pytest.mark.parametrize("name", checkpoint.available())
def test_the_code_of_a_card_runs(name):
    scope: dict = {}
    exec(blocks(card_sections(name)["How to get started"])[0], scope)
    drawn = scope.get("answers", scope["x"])
    assert len(drawn) == 4 and torch.isfinite(drawn).all()


SHIPPED = [name for name in RECIPES if name.partition("/")[0] in checkpoint.available()]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_card_tells_how_its_checkpoint_came_about(name):
    whole, _, part = name.partition("/")
    card = checkpoint.card(whole)["parts"][part] if part else checkpoint.card(name)
    assert {"recipe", "data", "steps", "seed", "hardware", "hours", "metrics"} <= card.keys()
    assert card["steps"] == RECIPES[name].steps
    learned = {"vocabulary"}  # of the tokenizer, not of the recipe
    assert card["recipe"]["config"].keys() - learned == RECIPES[name].config.keys()
