"""The Overview on portraits: columns are people, and rows say whether they were asked for them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest

from demos.page import shell
from demos.page.handlers import App
from demos.tabs import overview as tab
from demos.tabs.overview import panel as overview
from demos.tabs.overview.results import named, on_offer
from demos.tabs.overview.texts import FASHION, PORTRAITS
from gen_core import Noise, final, load
from gen_core.data.avatars import avatars, random_avatar
from gen_core.data.avatars.captions import caption
from gen_core.data.splits import AVATARS
from gen_core.knobs import KnobError
from gen_core.sampling import pixels
from overview_fixtures import run, sources, write_portraits, write_weights
from sampling_fixtures import picture


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    write_weights(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return tmp_path


def test_portraits_are_on_offer_only_where_there_is_something_to_compare(weights):
    assert on_offer() == [FASHION]
    write_portraits(weights)
    assert on_offer() == [PORTRAITS, FASHION]


def test_a_link_with_the_title_of_before_still_chooses_the_portraits():
    choice, *_ = overview._knobs([PORTRAITS, FASHION])
    for title in (PORTRAITS.title, "Portraits (drawn by rule)"):
        assert choice.from_text(title) == PORTRAITS.title
        assert named(choice.check(title)) is named(title) is PORTRAITS


def test_columns_of_portraits_are_people_and_rows_say_whether_they_were_asked(weights):
    write_portraits(weights)
    _, page = run(App("cpu"), data=PORTRAITS.title, count=3)
    people, _ = avatars([AVATARS["asked"][i] for i in range(3)])
    shown = [picture(url) for url in sources(page["asked"])]
    assert np.array_equal(np.stack(shown), people.permute(0, 2, 3, 1).numpy())
    assert "<b>Asked for them:</b> Flow matching" in page["asked"]
    assert "<b>Not asked:</b> VAE" in page["asked"]
    assert PORTRAITS.asked in page["flow"] and PORTRAITS.free in page["vae"]
    for name in ("asked", "vae", "flow"):
        assert page[name].count('ov-tile"') == 3 and page[name].count('tabindex="0"') == 1
    wanted = caption(random_avatar(AVATARS["asked"][2]))
    assert wanted in page["flow"] and wanted not in page["vae"]
    assert "ov-absent" in page["gan"] and "ov-absent" in page["diffusion"]


def test_a_row_of_portraits_is_what_its_model_draws_of_these_people(weights):
    write_portraits(weights)
    _, page = run(App("cpu"), data=PORTRAITS.title, seed=5, count=2, steps=2)
    model = load("flow-avatars", "cpu")
    knobs = model.published | {"steps": 2, "label": model.condition.balanced(range(2))}
    expected = pixels(final(model.sample(Noise([5, 6]), **knobs)))
    shown = np.stack([picture(url) for url in sources(page["flow"])])
    assert np.abs(shown.astype(int) - expected).max() <= 1
    other = pixels(final(model.sample(Noise([5, 6]), **model.published | {"steps": 2})))
    assert np.abs(shown.astype(int) - other).max() > 1  # the attributes do matter


def test_the_code_of_portraits_names_the_models_that_are_here(weights, capsys):
    write_portraits(weights)
    knobs = {"seed": 3, "count": 2, "steps": 2, "data": PORTRAITS.title}
    exec(textwrap.dedent(overview.code(knobs)), {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["vae-avatars", "flow-avatars"]


def test_the_choice_of_data_stops_a_run_before_its_example_arrives(weights):
    """In this order: who starts a run on seeing the example is not stopped by the choice before."""
    write_portraits(weights)
    config = shell.build_page(App("cpu"), [tab.TAB]).config
    radio = next(c["id"] for c in config["components"] if c["type"] == "radio")
    change = [
        d for d in config["dependencies"] if [*map(tuple, d["targets"])] == [(radio, "change")]
    ]
    told = [
        (bool(d["cancels"]), bool(d["outputs"])) for d in change if d["cancels"] or d["outputs"]
    ]
    assert told == [(True, False), (False, True)]


def test_another_data_set_is_refused_by_name():
    with pytest.raises(KnobError, match=r"data='Cats': choose one of Clothes \(Fashion-MNIST\), "):
        next(overview.draw(App("cpu"), 0, 4, 4, data="Cats"))
