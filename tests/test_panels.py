"""Every panel stands on one class, tabs only declare them, and a new tab is one declaration."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import gradio as gr
import pytest

from code_panels import code_panels, lines_of
from conftest import told_by
from demos import tabs
from demos.page import examples, shell
from demos.page.controls import Knob
from demos.page.handlers import App
from demos.page.links import Links
from demos.page.panel import Panel
from demos.page.tab import Tab, declared, discover
from gen_core import available

FOLDER = Path(tabs.__path__[0])
PANELS = [(tab, panel) for tab in declared() for panel in tab.panels]
DECLARED = '''
"""A tab made for a test."""

from demos.page.tab import Tab
from demos.tabs.newcomer.double import PANEL

TAB = Tab("newcomer", "Newcomer", 99, [PANEL])
'''
DOUBLE = '''
"""Its one panel."""

from __future__ import annotations

import inspect

from demos.page.explain import Explanation
from demos.page.controls import Knob
from demos.page.panel import Panel
from demos.widgets.card import card
from gen_core.knobs import KnobError


def double(app, *, number):
    if number == 13:
        raise KnobError("number=13: choose a luckier one")
    yield {"headline": f"{2 * number} <b>", "provenance": "live"}


def screen(**shared):
    return card("tiles", **shared)


PANEL = Panel(
    tab="newcomer", id="double", title="Double", button="Double it",
    text=Explanation("One sentence.", "More.", "2 x", [("x", "a number")], "nobody"),
    knobs=[Knob("number", "Number", "whole", 4, 1, 20)], run=double,
    code=lambda k: f"print(2 * {k['number']})", calls=inspect.getsource, screen=screen,
    shows="Twice the number",
)
'''


def ids(value: object) -> str:
    return getattr(value, "id", "")


@pytest.mark.parametrize(("tab", "panel"), PANELS, ids=ids)
def test_every_panel_stands_on_the_class(tab, panel):
    assert isinstance(tab, Tab) and isinstance(panel, Panel)
    assert panel.tab == tab.id and panel.title and panel.text
    assert all(isinstance(part, Panel) and part.tab == tab.id for part in panel.parts)


def test_no_two_panels_share_a_name():
    names = [panel.name for _, panel in PANELS]
    names += [part.name for _, panel in PANELS for part in panel.parts]
    assert len(names) >= 34 and len(set(names)) == len(names)


@pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=lambda p: p.name)
def test_no_two_controls_of_a_panel_share_a_label(panel):
    """Also of those that another choice shows."""
    labels = [knob.label for knob in panel.declared(App("cpu"))[0]]
    assert len(set(labels)) == len(labels), labels


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("__init__.py")), ids=str)
def test_files_of_tabs_hold_nothing_but_declarations(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(body[0], ast.Expr)  # the docstring
    assert {type(node) for node in body[1:]} <= {ast.Import, ast.ImportFrom, ast.Assign}
    assert not any(isinstance(node, ast.Lambda) for node in ast.walk(ast.Module(body, [])))


def test_every_kept_example_is_that_of_a_panel():
    """Each file is one that some panel reads at the page's first moment, and none is left over."""
    kept = [keep.name for keep in examples.kept() if {*keep.models} <= {*available()}]
    assert sorted(kept) == sorted(path.stem for path in examples.FOLDER.glob("*.json"))


@pytest.mark.parametrize("panel", [p for _, p in PANELS if p.example], ids=lambda p: p.name)
def test_an_example_is_what_the_page_s_controls_say(panel):
    """It may take something besides the knobs, but sets none of them."""
    assert not panel.example.keys() & {knob.name for knob in panel.declared(App("cpu"))[0]}


# --- a new tab ------------------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path, monkeypatch) -> tuple[App, gr.Blocks]:
    """A page with one tab more, which is a folder and nothing else."""
    folder = tmp_path / "newcomer"
    folder.mkdir()
    (folder / "__init__.py").write_text(DECLARED, encoding="utf-8")
    (folder / "double.py").write_text(DOUBLE, encoding="utf-8")
    monkeypatch.setattr(tabs, "__path__", [str(tmp_path)])
    for name in ("newcomer", "newcomer.double"):
        monkeypatch.delitem(sys.modules, f"demos.tabs.{name}", raising=False)
    app = App("cpu")
    return app, shell.build_page(app)


def endpoint(page: gr.Blocks, name: str):
    return next(fn for fn in page.fns.values() if fn.api_name == name)


def test_a_new_tab_is_a_folder_with_a_panel(page):
    app, blocks = page
    (tab,) = discover()
    assert (tab.id, [panel.id for panel in tab.panels]) == ("newcomer", ["double"])
    said = json.dumps(blocks.get_config_file(), default=str)
    for words in ("Newcomer", "One sentence.", "Double it", "Press Double it.", "newcomer-double"):
        assert words in said
    assert [(knobs.tab, knobs.panel) for knobs in app.knobs] == [("newcomer", "double")]


def test_its_link_sets_the_knob_and_says_what_is_wrong(page):
    app, _ = page
    links = Links(app, discover(), {})
    knob = app.knobs[0].built["number"]
    query = {"tab": "newcomer", "panel": "double"}
    assert links.read(query | {"double.number": "7"})[0][knob] == 7
    updates, (problem,) = links.read(query | {"double.number": "21"})
    assert knob not in updates and problem.startswith("number=21: choose")


def test_its_endpoint_takes_the_knob_and_answers_or_says_what_is_wrong(page):
    _, blocks = page
    (told,) = blocks.get_api_info()["named_endpoints"]["/newcomer_double"]["parameters"]
    assert told["parameter_name"] == "number"
    run = endpoint(blocks, "newcomer_double").fn
    assert [value["headline"] for value in told_by(run, 8)] == ["16 <b>"]
    for asked, message in ((21, "number=21: choose"), (13, "choose a luckier one")):
        with pytest.raises(gr.Error, match=message) as raised:
            told_by(run, asked)
        assert raised.value.title == "Please check"


def test_its_code_runs_and_follows_the_knob(page, capsys):
    app, blocks = page
    lines, called = next(pair for pair in code_panels(app, blocks) if "print(2 *" in pair[0])
    exec(lines, {})
    assert capsys.readouterr().out == "8\n" and "getsource" in called
    listed = next(fn.fn for fn in blocks.fns.values() if fn.fn and fn.fn.__name__ == "listed")
    assert "print(2 * 6)" in lines_of(listed(6)["html"])
    assert "# number=0: choose" in lines_of(listed(0)["html"])


def test_a_panel_whose_checkpoint_is_missing_is_left_out(page, monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    (tab,) = discover()
    (panel,) = tab.panels
    absent = Panel(
        tab="newcomer",
        id="absent",
        title="Absent",
        text="",
        run=panel.run,
        needs=("nothing",),
        knobs=[Knob("number", "Number", "whole", 4, 1, 20)],
        example=None,
    )
    app = App("cpu")
    shell.build_page(app, [Tab("newcomer", "Newcomer", 99, [panel, absent])])
    assert [inner.id for inner in app.panels["newcomer"].children] == ["double"]


def test_each_example_was_made_with_what_the_page_begins_with():
    """Else the page would show a picture beside settings that did not make it."""
    app = App("cpu")
    made = {
        k.name: (examples.example(k.name), examples.plain(k.asked(app))) for k in examples.kept()
    }
    assert len(made) > 20
    stale = [name for name, (before, asked) in made.items() if before and before.asked != asked]
    assert stale == [], "make them anew: python -m demos.page.examples NAME ..."
