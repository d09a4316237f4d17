"""Does it fit the words? Scores, search, and what was measured of guidance and sharpness."""

from __future__ import annotations

import shutil
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import gradio as gr
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from demos.page.handlers import App
from demos.tabs import text_to_image
from demos.tabs.text_to_image import fit, search
from demos.tabs.text_to_image.generate import MODEL
from demos.tabs.text_to_image.search import SHOWN
from demos.tabs.text_to_image.texts import NO_ACCURACY, NO_SEARCH, NO_TRADEOFF
from demos.widgets import chart
from gen_core import Noise, final, load
from gen_core.evaluation.guidance import GUIDANCE
from gen_core.evaluation.report import HEADS, markdown_prompt_accuracy
from gen_core.families.text_to_image.clip_score import ClipScorer
from gen_core.families.text_to_image.folder import export
from gen_core.knobs import KnobError
from gen_core.training import checkpoint
from gen_core.training.checkpoint import CheckpointError
from sampling_fixtures import defaults, values
from serving import page_of

POINT = {
    "score": 20.0,
    "score_error": 0.5,
    "recognised": 0.5,
    "diversity": 0.4,
    "diversity_error": 0.01,
    "clipped": 0.02,
}
CURVE = {
    "points": [
        POINT | {"guidance": g, "score": 20.0 + g, "diversity": 1 / (1 + g)} for g in GUIDANCE
    ],
    "prompts": 40,
    "seeds": 8,
    "pictures": 320,
    "steps": 20,
    "solver": "dpm++2m",
}


@pytest.fixture
def app(emoji_home, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(emoji_home / "weights"))
    monkeypatch.delenv("GEN_DATA", raising=False)
    return App("cpu", str(emoji_home / "data"))


# The panel


def test_every_picture_has_its_score_with_every_text(app, emoji_weights):
    texts = "a blue dog\n\n  a <b>house</b> \na blue dog"
    knobs = defaults(fit.PANEL, prompt="a red cat", texts=texts, count=3, seed=7, steps=2)
    (value,) = values(fit.PANEL.run(app, **knobs))
    assert value["columns"] == ["7", "8", "9"]
    assert [row["note"] for row in value["rows"][1:]] == [
        "a red cat",
        "a blue dog",
        "a <b>house</b>",
    ]
    model, matcher = load(MODEL, "cpu", emoji_weights.parent), ClipScorer.open(emoji_weights)
    x = final(model.sample(Noise(range(7, 10)), prompt="a red cat", steps=2))
    for row in value["rows"][1:]:
        score = matcher.score(x, [row["note"]] * 3)
        assert [float(c["note"]) for c in row["cells"]] == pytest.approx(score.tolist(), abs=0.1)
    assert [c["note"] for c in value["rows"][0]["cells"]] == [
        c["note"] for c in value["rows"][1]["cells"]
    ]
    for column in range(3):
        figures = [row["cells"][column] for row in value["rows"][1:]]
        (best,) = (f for f in figures if f["best"])
        assert float(best["note"]) == max(float(f["note"]) for f in figures)
        assert all(0 <= f["shade"] <= 1 for f in figures)
    won = sum(c["best"] for c in value["rows"][1]["cells"])
    assert f"fits best in {won} of 3 pictures" in value["caption"]


def test_the_prompt_may_stand_alone_and_long_texts_are_cut(app):
    knobs = defaults(fit.PANEL, prompt="a" * 500, texts=" \n", count=1, steps=1)
    (value,) = values(fit.PANEL.run(app, **knobs))
    assert len(value["rows"]) == 2 and "says little" in value["caption"]
    assert len(value["rows"][1]["note"]) == fit.LONGEST_SHOWN
    (value,) = values(fit.PANEL.run(app, **knobs | {"prompt": " ", "texts": "a cat"}))
    assert value["rows"][1]["note"] == "(no words)"


def test_too_many_texts_are_refused_before_anything_is_drawn(app):
    many = "\n".join(f"text {k}" for k in range(9))
    with pytest.raises(KnobError, match="texts has 9 lines: write at most 8"):
        next(fit.PANEL.run(app, **defaults(fit.PANEL, texts=many)))


def test_missing_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    app = App("cpu")
    with pytest.raises(CheckpointError, match=f"no weights named '{MODEL}'"):
        next(fit.PANEL.run(app, **defaults(fit.PANEL)))
    with pytest.raises(CheckpointError, match="no clip/ in"):
        search.nearest(app, "a cat")


def test_the_printed_lines_give_what_the_panel_shows(app, capsys):
    knobs = defaults(fit.PANEL, steps=1, count=2, prompt='it\'s a "cat"', texts="a dog\n\\")
    scope: dict = {}
    exec(textwrap.dedent(fit.code(knobs)), scope)
    (value,) = values(fit.PANEL.run(app, **knobs))
    shown = [[c["note"] for c in row["cells"]] for row in value["rows"][1:]]
    shown = torch.tensor([[float(note) for note in row] for row in shown])
    assert pytest.approx(shown, abs=0.1) == scope["scores"].T
    exec(textwrap.dedent(search.code({"words": "a 'red' cat"})), {})
    lines = capsys.readouterr().out.splitlines()
    shown = search.nearest(app, "a 'red' cat").to_json()["tiles"]
    assert [line.split(maxsplit=1)[1].rsplit(" (", 1)[0] for line in lines] == [
        tile["title"] for tile in shown
    ]


def test_the_chart_has_the_five_values_and_better_is_up_and_right():
    tree = ElementTree.fromstring(fit.tradeoff({"guidance": CURVE | made()}))
    names = [t.text for t in tree.iter("text") if t.get("class") == "name"]
    assert sorted(names) == ["15", "3", "30", "7.5", "guidance 1"]
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in tree.iter("circle")]
    circles.sort(reverse=True)  # the most diverse is the one with the least guidance
    assert [y for _, y in circles] == sorted((y for _, y in circles), reverse=True)
    assert all(0 < x < chart.WIDTH and 0 < y < chart.HEIGHT for x, y in circles)
    said = "".join(tree.itertext())
    assert "320 pictures, 40 prompts with the same 8 seeds, 20 steps of DPM-Solver++" in said
    assert "Measured on 21 November 2026, A <b>Machine</b>." in said
    assert "It recognises" not in said and "sharper" not in said


def made() -> dict[str, str]:
    return {"date": "2026-11-21", "hardware": "A <b>Machine</b>"}


def test_what_else_was_measured_stands_beside_the_chart():
    figures = {
        "guidance": CURVE | made(),
        "metrics": {"shares": {"judge": {"seen": {"concept": 0.964}}}},
        "sharpness": {
            "negative_prompt": "<i>blurry</i>",
            "sharper": 0.91,
            "pictures": 200,
            "ratio": 1.42,
            "ratio_error": 0.031,
            "guidance_scale": 5.0,
            **made(),
        },
    }
    said = "".join(ElementTree.fromstring(fit.tradeoff(figures)).itertext())
    assert "It recognises 96% of things in real drawings." in said
    assert "“<i>blurry</i>” made 91% of 200 pictures sharper" in said and "1.42 ± 0.03" in said


def test_a_row_for_each_question_that_was_asked():
    seen, held = {"background": 0.96, "relation": 0.714}, {"background": 0.944, "relation": 0.7}
    told = {
        "model": {"seen": seen, "held out": held},
        "judge": {"seen": seen, "held out": held},
        "pictures": 500,
    }
    figures = {"samples": 500, "shares": told, **made()}
    tree = ElementTree.fromstring(fit.prompt_accuracy(figures))
    cells = [[cell.text for cell in row] for row in tree.iter("tr")]
    assert cells[0] == list(HEADS)
    assert cells[1:] == [
        ["the background's colour", "96%", "94%", "95%"],
        ["two things, and they stand as asked", "71%", "70%", "71%"],
    ]
    assert "500 prompts, a picture of each. Measured on" in "".join(tree.itertext())
    assert [line.count("|") for line in markdown_prompt_accuracy(told).splitlines()] == [5] * 4


def test_an_axis_takes_any_values():
    axis = chart.Axis.around([0.26, 0.61], 0, 100)
    assert axis.ticks() == pytest.approx([0.3, 0.4, 0.5, 0.6]) and 0 < axis.at(0.26) < axis.at(0.61)
    for alone in (0.0, 3.0, -2.0):
        assert chart.Axis.around([alone], 0, 100).at(alone) == pytest.approx(50)


def texts_of(page: gr.Blocks) -> list[str]:
    return [str(b.value) for b in page.blocks.values() if isinstance(b, gr.Markdown | gr.HTML)]


def test_what_is_not_there_is_said_in_words(emoji_home, own_weights):
    checkpoint.amend(MODEL, CURVE | made(), section="guidance")
    with gr.Blocks() as page:
        search.PANEL.build(App("cpu"))
        fit.measured_cards()
    assert NO_ACCURACY in texts_of(page)
    assert not any(NO_SEARCH in text for text in texts_of(page))
    assert any('class="chart"' in text for text in texts_of(page))
    export(emoji_home / "runs" / MODEL, own_weights)
    (own_weights / "card.json").write_text("{}")
    with gr.Blocks() as page:
        search.PANEL.build(App("cpu"))
        fit.measured_cards()
    assert any(NO_SEARCH in text for text in texts_of(page))
    assert NO_TRADEOFF in texts_of(page) and not any("<svg" in text for text in texts_of(page))


@pytest.fixture(scope="module")
def address(emoji_home, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(emoji_home / "weights", folder / "weights")
    checkpoint.amend(MODEL, CURVE | made(), folder=folder / "weights", section="guidance")
    data = emoji_home / "data"
    with page_of(text_to_image.TAB, weights=folder / "weights", data=data) as address:
        yield address


@pytest.mark.heavy
def test_both_answer_through_the_api(address):
    client = Client(address, verbose=False)
    found = client.predict("a red cat", api_name="/text_to_image_search")
    assert "of 60 emoji" in str(found)
    with pytest.raises(AppError, match="words has 2,001 characters: write at most 2,000"):
        client.predict("a" * 2001, api_name="/text_to_image_search")
    knobs = defaults(fit.PANEL, steps=1, count=1, texts="a <b>dog</b>")
    scored = client.predict(*knobs.values(), api_name="/text_to_image_fit")
    assert "a <b>dog</b>" in str(scored)
    many = knobs | {"texts": "\n".join(map(str, range(9)))}
    with pytest.raises(AppError, match="texts has 9 lines"):
        client.predict(*many.values(), api_name="/text_to_image_fit")


@pytest.mark.browser
def test_score_search_and_read_the_chart(address, visit):
    page = visit(
        f"{address}?tab=text-to-image&panel=fit&fit.steps=1&fit.count=2&fit.texts=a+<b>dog"
    )
    expect(page.locator("#text-to-image-fit-steps input").first).to_have_value("1")
    page.get_by_role("button", name="Generate and score").click()
    grid = page.locator("#text-to-image-fit")
    expect(grid.locator("img")).to_have_count(2)
    expect(grid.locator(".labelled-grid-best")).to_have_count(2)
    expect(grid.get_by_text("a <b>dog", exact=True)).to_be_visible()
    with page.expect_download() as saved:
        grid.get_by_role("button", name="PNG").click()
    assert saved.value.suggested_filename == "text-to-image-fit-0.png"
    page.locator("#text-to-image-search-words textarea").fill("a blue <i>dog</i>")
    tiles = page.locator("#text-to-image-search .tiles-list li img")
    expect(tiles).to_have_count(SHOWN)
    names = page.locator("#text-to-image-tradeoff svg .name")
    expect(names).to_have_count(5)
    assert sorted(names.all_text_contents()) == ["15", "3", "30", "7.5", "guidance 1"]


@pytest.mark.browser
def test_a_link_brings_its_words_to_the_search(address, visit):
    page = visit(f"{address}?tab=text-to-image&panel=fit&search.words=two+dogs")
    expect(page.locator("#text-to-image-search-words textarea")).to_have_value("two dogs")
    expect(page.locator("#text-to-image-search .card-live")).to_be_visible()
