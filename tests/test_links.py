"""A link restores a tab with its knobs; what it asks for wrongly falls back, with a message."""

from __future__ import annotations

import gradio as gr
import pytest

from demos.page.controls import ALL_CLASSES, Knob, Knobs
from demos.page.handlers import App
from demos.page.links import HOSTS, SCRIPT, Links
from demos.page.tab import Tab

KNOBS = [
    Knob("steps", "Steps", "whole", 20, 1, 1000),
    Knob("guidance_scale", "Guidance", "number", 2.0, 0, 20, advanced=True),
    Knob("label", "Class", "label", "Bag", all_classes=True),
    Knob("solver", "Solver", "choice", "ddim", options=["ddim", "heun"], known_as="sampler"),
    Knob("mixed", "Real ones too", "flag", False),
    Knob("seed", "Seed", "seed", 0),
]


@pytest.fixture
def links():
    app = App("cpu")
    with gr.Blocks(), gr.Tabs(), gr.Tab("Diffusion", id="diffusion"):
        with gr.Tabs() as panels:
            app.panels["diffusion"] = panels
            with gr.Tab("Generate", id="generate"):
                app.add(Knobs("diffusion", "generate", KNOBS)).build()
                words = Knob("words", "Words", "text", "", high=9)
                app.add(Knobs("diffusion", "search", [words])).build()  # a part of that panel
            with gr.Tab("Compare", id="compare"):
                app.add(Knobs("diffusion", "compare", [Knob("seed", "Seed", "seed", 0)])).build()
        switch = gr.Checkbox()
        tabs = [Tab("diffusion", "Diffusion", 1, [])]
        yield Links(app, tabs, {"diffusion": switch})


def values(links, query):
    updates, problems = links.read(query)
    built = links.knobs[0].built
    return {n: updates[c] for n, c in built.items() if c in updates}, problems


def test_every_kind_of_knob_is_restored(links):
    query = {
        "tab": "diffusion",
        "panel": "generate",
        "generate.steps": "7",
        "guidance_scale": "3.5",
        "generate.label": ALL_CLASSES,
        "solver": "heun",
        "mixed": "true",
        "seed": "41",
    }
    found, problems = values(links, query)
    assert problems == []
    assert found == {
        "steps": 7,
        "guidance_scale": 3.5,
        "label": ALL_CLASSES,
        "solver": "heun",
        "mixed": True,
        "seed": 41,
    }


@pytest.mark.parametrize("name", ["sampler", "solver"])
def test_a_knob_that_has_another_name_now_is_found_under_both(links, name):
    found, problems = values(links, {"tab": "diffusion", f"generate.{name}": "heun"})
    assert found == {"solver": "heun"} and problems == []


@pytest.mark.parametrize("panel", ["generate", "compare"])
def test_a_name_that_several_panels_have_is_that_of_the_panel_named(links, panel):
    updates, problems = links.read({"tab": "diffusion", "panel": panel, "seed": "5"})
    knobs = next(knobs for knobs in links.knobs if knobs.panel == panel)
    assert updates == {knobs.built["seed"]: 5} and problems == []


def test_an_advanced_knob_brings_the_advanced_ones_into_sight(links):
    switch = links.switches["diffusion"]
    assert switch not in links.read({"tab": "diffusion", "steps": "7"})[0]
    assert links.read({"tab": "diffusion", "guidance_scale": "3"})[0][switch] is True


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("steps", "0", "steps=0: choose a whole number from 1 to 1000"),
        ("steps", "nan", "steps=nan: choose a whole number from 1 to 1000"),
        ("steps", "many", "steps='many': choose a whole number from 1 to 1000"),
        ("solver", "magic", "solver='magic': choose one of ddim, heun"),
        ("mixed", "perhaps", "mixed='perhaps': choose true or false"),
        ("panel", "cellar", "panel='cellar': choose one of generate, compare"),
        ("panel", "search", "panel='search': choose one of generate, compare"),
        ("stepps", "9", "'stepps' is not a setting of this tab: write steps"),
    ],
)
def test_a_bad_value_keeps_the_default_and_says_so(links, key, text, message):
    found, problems = values(links, {"tab": "diffusion", key: text, "seed": "5"})
    assert found == {"seed": 5}
    assert problems == [message]


def test_an_unknown_tab_is_named(links):
    assert links.read({"tab": "cellar"}) == ({}, ["tab='cellar': choose one of diffusion"])


def test_the_knobs_of_a_part_of_a_panel_are_restored(links):
    updates, problems = links.read({"tab": "diffusion", "search.words": "a cat"})
    assert updates[links.knobs[1].built["words"]] == "a cat" and problems == []


def test_no_link_no_change(links):
    assert links.read({}) == ({}, [])


@pytest.mark.parametrize(
    "name", ["__theme", "__lang", "__sign", "hf_space", "utm_source", "fbclid", "gclid"]
)
def test_what_the_host_puts_into_the_address_is_no_setting(links, name):
    found, problems = values(links, {"tab": "diffusion", name: "dark", "seed": "5"})
    assert found == {"seed": 5} and problems == []


def test_the_browser_knows_the_hosts_parameters_by_the_same_names():
    assert f"const HOSTS = /{HOSTS.pattern}/;" in (SCRIPT.parent / "address.js").read_text("utf-8")
