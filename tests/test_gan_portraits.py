"""The GAN's portraits: what is drawn, whose style each layer follows, and how a visitor sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from core_fixtures import tiny
from demos.page.handlers import App
from demos.tabs import gan as tab
from demos.tabs.gan import portraits
from demos.tabs.gan.portraits import JUDGE, MODEL
from gan_portraits_fixtures import write_portraits
from gen_core import Noise, final
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from gen_core.training import checkpoint
from sampling_fixtures import defaults, picture, served, values

ALL = portraits.LAYERS


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_portraits(tmp_path_factory.mktemp("portraits"))


@pytest.fixture
def app(folder, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    return App("cpu")


def drawn(app: App, **changes: Any) -> dict[str, Any]:
    panel = portraits.PANEL
    return values(panel.run(app, **defaults(panel, **changes)))[-1]


def mixed(app: App, **changes: Any) -> np.ndarray:
    """The pictures of the table, (1 + R, 1 + C, 64, 64, 3)."""
    panel = portraits.STYLES_PANEL
    rows = values(panel.run(app, **defaults(panel, **changes)))[-1]["rows"]
    return np.array([[picture(cell["picture"]) for cell in row["cells"]] for row in rows], int)


def alone(app: App, seed: int, psi: float) -> np.ndarray:
    return pixels(final(app.model(MODEL).sample(Noise([seed]), truncation_psi=psi)))[0].astype(int)


# --- portraits ------------------------------------------------------------------------------------


def test_every_portrait_is_the_one_of_its_seed_and_truncation(app):
    value = drawn(app, count=5, seed=7, truncation_psi=1.3)
    assert [tile["title"] for tile in value["tiles"]] == [f"seed {7 + k}" for k in range(5)]
    for k in (0, 4):
        shown = picture(value["tiles"][k]["picture"])
        assert abs(shown - alone(app, 7 + k, 1.3)).max() <= 1
    assert value["live"] and "ms per picture" in value["provenance"]


def test_everybody_gets_what_is_asked_for_and_what_is_left_open_stays(app):
    value = drawn(app, count=2, seed=7, truncation_psi=1.0, wish="hat:turban;smile:0.5")
    wish = {"hat": "turban", "smile": 0.5}
    x = pixels(final(app.model(MODEL).sample(Noise([7, 8]), label=wish))).astype(int)
    for tile, expected in zip(value["tiles"], x, strict=True):
        assert abs(picture(tile["picture"]) - expected).max() <= 1
    anybody = drawn(app, count=2, seed=7, truncation_psi=1.0)["tiles"]
    assert abs(picture(anybody[0]["picture"]) - x[0]).max() > 1


def test_without_its_style_a_seed_gives_the_mean_portrait_and_its_grain(app):
    def spread(psi: float) -> float:
        tiles = drawn(app, truncation_psi=psi)["tiles"]
        return np.std([picture(tile["picture"]) for tile in tiles], axis=0).mean()

    assert spread(0.0) < 0.5 * spread(1.0)
    assert "average portrait" in drawn(app, truncation_psi=0.0)["headline"]


@pytest.mark.parametrize(
    ("psi", "said"), [(1.0, "no truncation"), (0.5, "safer"), (1.5, "further out than training")]
)
def test_the_headline_says_what_truncation_does(psi, said):
    assert said in portraits.meaning(psi)


# --- styles ---------------------------------------------------------------------------------------


def test_the_edges_of_the_table_are_the_seeds_themselves(app):
    table = mixed(app, seed=3, column_seed=40, layers=4, truncation_psi=0.7)
    for k in range(portraits.ROWS):
        assert abs(table[1 + k, 0] - alone(app, 3 + k, 0.7)).max() <= 1
    for k in range(portraits.COLUMNS):
        assert abs(table[0, 1 + k] - alone(app, 40 + k, 0.7)).max() <= 1
    model = app.model(MODEL)
    mean = pixels(model.generator.synthesize(model.generator.mean_style))[0].astype(int)
    assert abs(table[0, 0] - mean).max() <= 1


def test_without_layers_a_row_gives_nothing_and_with_all_everything(app):
    none, every = mixed(app, layers=0), mixed(app, layers=ALL)
    assert abs(none[1:, 1:] - none[:1, 1:]).max() <= 1
    assert abs(every[1:, 1:] - every[1:, :1]).max() <= 1
    some = mixed(app, layers=4)
    assert abs(some[1, 1] - some[1, 0]).max() > 1 and abs(some[1, 1] - some[0, 1]).max() > 1


@pytest.mark.parametrize("layers", [1, 3, ALL - 1])
def test_the_first_layers_follow_the_row_and_the_rest_the_column(app, layers):
    model, sides = app.model(MODEL), app.model(MODEL).generator.sides
    sources = []
    for seed in (1, 100):  # the second row, the first column
        noise = Noise([seed])
        w = model.styles(noise.randn(model.config.latent), model.wanted(None, [seed]), 0.7)
        sources.append((w, [noise.randn(1, side, side) for side in sides]))
    (row, row_grain), (column, column_grain) = sources
    w = torch.stack([row if k < layers else column for k in range(ALL)], dim=1)
    grain = row_grain[:layers] + column_grain[layers:]
    expected = pixels(model.generator.synthesize(w, grain))[0].astype(int)
    table = mixed(app, layers=layers, truncation_psi=0.7)
    assert abs(table[2, 1] - expected).max() <= 1


def test_the_caption_says_which_layers_follow_whom(app):
    model = app.model(MODEL)
    assert portraits.split(model, 1).startswith("From the row: layer 1, with maps of up to 4 by 4")
    assert "layers 1 to 3, with maps of up to 8 by 8" in portraits.split(model, 3)
    assert "From the column: layer 9, up to 64 by 64" in portraits.split(model, 8)
    assert "every row is the same" in portraits.split(model, 0)
    assert "every column is the same" in portraits.split(model, ALL)


def test_what_a_smaller_generator_cannot_do_is_refused(tmp_path, monkeypatch):
    model = tiny("style-gan", size=16)  # of five layers
    checkpoint.save(model, tmp_path / f"{MODEL}.safetensors", {"data": "avatars"})
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    with pytest.raises(KnobError, match="layers=9: choose a whole number from 0 to 5"):
        mixed(App("cpu"), layers=9)


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ("seed", r"^seed=4294967295: choose 0 to 4294967293"),
        ("column_seed", r"^column_seed=4294967295: choose 0 to 4294967292"),
    ],
)
def test_seeds_beyond_the_last_are_refused(app, knob, message):
    with pytest.raises(KnobError, match=message):
        mixed(app, **{knob: 2**32 - 1})


def test_the_printed_lines_draw_what_is_on_screen(app):
    names: dict[str, Any] = {}
    changes = {"count": 3, "truncation_psi": 0.5, "wish": "hair:bob"}
    exec(portraits.code(defaults(portraits.PANEL, **changes)), names)
    tiles = drawn(app, **changes)["tiles"]
    shown = np.array([picture(tile["picture"]) for tile in tiles], int)
    assert abs(shown - pixels(names["x"])).max() <= 1
    exec(portraits.mix_code(defaults(portraits.STYLES_PANEL, layers=5)), names)
    table = mixed(app, layers=5)[1:, 1:]
    assert abs(table.reshape(-1, 64, 64, 3) - pixels(names["x"])).max() <= 1


# --- the panels -----------------------------------------------------------------------------------


def built(app: App) -> list[str]:
    """The ids of the tab's panels, in order."""
    app.knobs.clear()
    with gr.Blocks():
        tab.TAB.build(app)
    return [knobs.panel for knobs in app.knobs]


def test_the_panels_are_there_where_the_weights_are(app, tmp_path, monkeypatch):
    assert built(app)[-2:] == ["portraits", "styles"] == built(app)[-2:]  # and can be built twice
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    assert "collapse" in built(app) and "portraits" not in built(app)


def test_what_is_kept_for_the_first_moment_can_be_made(app):
    for panel in (portraits.PANEL, portraits.STYLES_PANEL):
        assert panel.keep().make(app)["live"] and panel.keep().models == (MODEL,)


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    with served(tab.TAB, folder) as url:
        yield url


@pytest.mark.browser
def test_a_visitor_draws_truncates_and_reads_what_is_missing(visit, address):
    page = visit(f"{address}?tab=gan&panel=portraits&portraits.seed=9")
    expect(page.locator("#gan-portraits-seed input")).to_have_value("9")
    page.get_by_role("button", name="Draw portraits").click()
    tiles = page.locator("#gan-portraits .tiles-list li")
    expect(page.locator("#gan-portraits .card-live")).to_be_visible()
    expect(tiles.first).to_contain_text("seed 9")
    page.locator("#gan-portraits-truncation_psi input[type=range]").focus()
    page.keyboard.press("Home")
    expect(page.locator("#gan-portraits .tiles-headline")).to_contain_text("ψ = 0")
    page.keyboard.press("End")
    expect(page.locator("#gan-portraits .tiles-headline")).to_contain_text("ψ = 2")
    anybody = tiles.first.locator("img").get_attribute("src")
    page.get_by_label("Hat", exact=True).select_option("turban")  # and they are drawn again at once
    expect(tiles.first.locator("img")).not_to_have_attribute("src", anybody)
    page.get_by_text("Show the code").locator("visible=true").click()
    expect(page.get_by_text("attributes = {'hat': 'turban'}")).to_be_visible()
    expect(page.get_by_text("91 of 95 values")).to_be_visible()
    hats = page.get_by_role("table", name="Hat", exact=True)
    expect(hats.get_by_role("row", name="turban")).to_contain_text("missing")
    expect(hats.get_by_role("columnheader", name="generated", exact=True)).to_be_attached()
    smile = page.get_by_role("table", name="Smile", exact=True)
    expect(smile).to_be_hidden()
    page.locator("summary", has_text="ten parts each").press("Enter")
    expect(smile).to_be_visible()


@pytest.mark.browser
def test_on_a_phone_styles_follow_the_slider_and_nothing_is_too_wide(visit, address):
    size = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}
    page = visit(f"{address}?tab=gan&panel=styles&styles.column_seed=50", **size)
    expect(page.locator("#gan-styles-column_seed input")).to_have_value("50")
    page.get_by_role("button", name="Mix them").click()
    expect(page.locator("#gan-styles .card-live")).to_be_visible()
    expect(page.get_by_role("img", name="Seed 0, seed 50 for the fine layers")).to_be_visible()
    page.locator("#gan-styles-layers input[type=range]").focus()
    page.keyboard.press("End")
    expect(page.get_by_text("every column is the same")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("tab", name="Portraits").click()
    expect(page.get_by_role("table", name="Hat", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_without_counts_a_line_says_how_to_count(visit, tmp_path):
    with served(tab.TAB, write_portraits(tmp_path, counted=False)) as url:
        page = visit(f"{url}?tab=gan&panel=portraits")
        expect(page.get_by_text(f"python -m gen_core evaluate {JUDGE} --write")).to_be_visible()
        assert page.locator(".census").count() == 0
        page.close()  # before the server goes


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "knobs", "message"),
    [
        ("portraits", (2.5, 0, 4), "truncation_psi=2.5: choose a number from 0 to 2"),
        ("portraits", ("nan", 0, 4), "truncation_psi='nan'"),
        ("portraits", (1.0, None, 4), "seed=None: choose a whole number from 0"),
        ("portraits", (1.0, 0, 65), "count=65: choose a whole number from 1 to 64"),
        ("portraits", (1.0, 0, 4, "hat:crown"), "hat='crown'"),
        ("portraits", (1.0, 0, 4, 3), "wish=3: takes attributes and values"),
        ("styles", (10, 0, 9, 1.0), "layers=10: choose a whole number from 0 to 9"),
        ("styles", (2.5, 0, 9, 1.0), "layers=2.5: choose a whole number from 0 to 9"),
        ("styles", (3, 0, -1, 1.0), "column_seed=-1: choose a whole number from 0"),
    ],
)
def test_a_bad_knob_gets_a_message_from_the_api_too(address, name, knobs, message):
    with pytest.raises(AppError, match=re.escape(message)):
        Client(address, verbose=False).predict(*knobs, api_name=f"/gan_{name}")
