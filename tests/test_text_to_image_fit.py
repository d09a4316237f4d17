"""Does it fit the words? Scores, search, and what was measured of guidance and sharpness."""

from __future__ import annotations

import json
import shutil
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect
from safetensors.torch import save_file
from torch.nn import functional as F

from conftest import free_port
from demos import server, shell
from demos.cache import write
from demos.handlers import App
from demos.tabs import text_to_image
from demos.text_to_image import fit, search, tradeoff
from demos.text_to_image.generate import MODEL
from demos.texts.text_to_image import NO_SEARCH, NO_TRADEOFF
from demos.widgets import chart
from emoji_fixtures import drawn_emoji, write_emoji
from emoji_pipeline import tiny_pipeline
from gen_core import Noise, final
from gen_core.checkpoint import CheckpointError
from gen_core.checks import KnobError
from gen_core.data.emoji import Emoji
from gen_core.data.scenes import COLOURS, portrait
from gen_core.text_to_image import measure, sharpness
from gen_core.text_to_image import tradeoff as core
from gen_core.text_to_image.__main__ import main as command_line
from gen_core.text_to_image.batches import in_range
from gen_core.text_to_image.card import EMOJI, add_measured, measured
from gen_core.text_to_image.export import export
from gen_core.text_to_image.match import Matcher
from gen_core.text_to_image.pipeline import open_pipeline
from gen_core.text_to_image.search import Search
from gen_core.text_to_image.sharpness import compared, laplacian_variance, sharpened
from gen_core.text_to_image.tradeoff import GUIDANCE, curve, diversity, single_things
from gen_core.text_to_image.training import part
from sampling_fixtures import defaults, picture, values

CPU = torch.device("cpu")
FEW = Emoji(drawn_emoji().pictures[:60], drawn_emoji().items[:60])
"""Twenty concepts in three styles, to be searched."""
POINT = {
    "score": 20.0, "score_error": 0.5, "recognised": 0.5, "diversity": 0.4,
    "diversity_error": 0.01, "clipped": 0.02,
}  # fmt: skip
CURVE = {
    "points": [
        POINT | {"guidance": g, "score": 20.0 + g, "diversity": 1 / (1 + g)} for g in GUIDANCE
    ],
    "prompts": 40, "seeds": 8, "pictures": 320, "steps": 20, "sampler": "DPM-Solver++",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """runs/ with untrained parts, weights/ with the pipeline, data/ with drawn emoji."""
    folder = tmp_path_factory.mktemp("fit")
    with pytest.MonkeyPatch.context() as patch:
        made = tiny_pipeline(folder, patch, FEW)
        (folder / "weights").mkdir()
        made.rename(folder / "weights" / MODEL)
    write_emoji(folder / "data")
    return folder


@pytest.fixture(scope="module")
def folder(home) -> Path:
    return home / "weights" / MODEL


@pytest.fixture
def app(home, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(home / "weights"))
    monkeypatch.delenv("GEN_DATA", raising=False)
    return App("cpu", str(home / "data"))


@pytest.fixture
def own(home, tmp_path, monkeypatch) -> Path:
    """A copy of the pipeline's folder, to be changed."""
    shutil.copytree(home / "weights", tmp_path / "weights")
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights" / MODEL


# What is measured


def grey(luminance: torch.Tensor) -> torch.Tensor:
    """A picture (1, 3, H, W) from its luminance, 0 to 255."""
    return (luminance / 127.5 - 1).expand(1, 3, -1, -1)


def test_the_laplacian_answers_to_edges_and_to_nothing_else():
    ramp = torch.arange(64.0).expand(64, 64)
    stripes = 255.0 * (torch.arange(64) % 2).expand(64, 64)
    board = 255.0 * ((torch.arange(64)[:, None] + torch.arange(64)) % 2)
    pictures = torch.full((64, 64), 80.0), ramp, stripes, board
    flat, rising, striped, chequered = (float(laplacian_variance(grey(p))) for p in pictures)
    assert flat == pytest.approx(0, abs=1e-6) and rising == pytest.approx(0, abs=1e-6)
    assert striped == pytest.approx(510**2, rel=1e-4)  # two neighbours differ by 255
    assert chequered == pytest.approx(1020**2, rel=1e-4)  # all four
    green = torch.full((1, 3, 64, 64), -1.0)
    green[:, 1] = grey(stripes)[:, 1]
    assert float(laplacian_variance(green)) == pytest.approx((0.587 * 510) ** 2, rel=1e-4)


def test_sharpness_is_compared_in_pairs():
    before = torch.tensor([1.0, 10.0, 100.0])
    same = compared(before, 2 * before)
    assert same["ratio"] == 2 and same["ratio_error"] == 0 and same["sharper"] == 1
    mixed = compared(before, before * torch.tensor([0.5, 2.0, 1.0]))
    assert mixed["ratio"] == 1 and mixed["sharper"] == pytest.approx(1 / 3, abs=1e-4)
    assert mixed["ratio_error"] == pytest.approx(0.6931 / 3**0.5, abs=1e-3)
    assert compared(torch.zeros(2), torch.zeros(2))["ratio"] == 1


def test_diversity_is_zero_for_equal_pictures_whatever_their_contrast():
    x = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert diversity(x.repeat(4, 1, 1, 1)) == pytest.approx(0, abs=1e-6)
    assert diversity(torch.cat([x, 0.2 * x + 0.3])) == pytest.approx(0, abs=1e-6)
    assert diversity(torch.cat([x, -x])) == pytest.approx(2, abs=1e-5)
    waves = torch.linspace(0, 2 * torch.pi, 65)[:-1]
    assert diversity(torch.stack([waves.sin(), waves.cos()])) == pytest.approx(1, abs=1e-5)
    assert diversity(torch.ones(3, 3, 8, 8)) == 0


def test_the_curve_is_of_the_model_s_own_pictures(home, folder):
    model, matcher = open_pipeline(folder, "cpu"), Matcher.open(folder)
    ticks = []
    told = curve(
        model, matcher, part("judge", home / "runs"), count=2, seeds=3, steps=1,
        tick=lambda *done: ticks.append(done),
    )  # fmt: skip
    assert [p["guidance"] for p in told["points"]] == list(GUIDANCE)
    assert (told["prompts"], told["seeds"], told["pictures"], told["steps"]) == (2, 3, 6, 1)
    assert ticks[-1] == (30, 30) and [done for done, _ in ticks] == sorted(d for d, _ in ticks)
    words = [a.prompt for a in single_things(2)]
    alone = [
        model.decode(final(model.sample(Noise(range(3)), prompt=w, steps=1, guidance_scale=30)))
        for w in words
    ]
    point = told["points"][-1]
    score = torch.cat([matcher.score(x, [w] * 3) for x, w in zip(alone, words, strict=True)]).mean()
    assert point["score"] == pytest.approx(float(score), abs=0.05)
    apart = sum(map(diversity, alone)) / 2
    assert point["diversity"] == pytest.approx(apart, abs=1e-3)
    assert 0 <= point["recognised"] <= 1 and 0 <= point["clipped"] <= 1


def test_prompts_of_the_curve_ask_for_one_thing_that_training_showed():
    asked = single_things(100)
    assert len({a.scene.things for a in asked}) == 100
    assert not any(a.held_out or a.scene.relation or any(a.scene.tints) for a in asked)
    with pytest.raises(KnobError, match="prompts=101: choose a whole number from 2 to 100"):
        single_things(101)


def test_a_negative_prompt_that_says_nothing_changes_nothing(folder):
    model = open_pipeline(folder, "cpu")
    told = sharpened(model, "", pictures=3, steps=1)
    assert (told["ratio"], told["ratio_error"], told["sharper"]) == (1, 0, 0)
    told = sharpened(model, pictures=2, steps=1)
    assert told["negative_prompt"] == "blurry" and told["before"] != told["after"]


def test_the_commands_put_their_figures_into_the_card(home, own, monkeypatch, capsys):
    for how in (core.KNOBS, sharpness.KNOBS):
        monkeypatch.setitem(how, "steps", 1)
    for name, few in (("BACKGROUNDS", 2), ("TINTED", 1), ("PAIRS", 1)):
        monkeypatch.setattr(measure, name, few)
    before = json.loads((own / "card.json").read_text())
    runs = ["--runs", str(home / "runs"), "--device", "cpu"]
    for words in (
        ["measure", "--data", str(home / "data")], ["tradeoff", "--prompts", "2", "--seeds", "2"],
        ["sharpness", "--pictures", "2"],
    ):  # fmt: skip
        assert command_line([*words, *runs]) == 0
    card = json.loads((own / "card.json").read_text())
    figures = card.pop("measured")
    assert card == before and not list(own.glob("*.partial"))
    assert figures.keys() == {"shares", "guidance", "sharpness"}
    assert figures["shares"]["pictures"] == 8 and "seen" in figures["shares"]["judge"]
    assert figures["guidance"]["pictures"] == 4 and figures["sharpness"]["pictures"] == 2
    assert all(figures[name]["hardware"] and figures[name]["date"] for name in figures)
    capsys.readouterr()
    assert command_line(["tradeoff", "--prompts", "1", *runs]) == 1
    assert "prompts=1: choose a whole number from 2 to 100" in capsys.readouterr().err


def test_a_figure_takes_the_place_of_its_older_self_alone(own, tmp_path):
    add_measured(own, "guidance", {"a": 1}, CPU)
    add_measured(own, "sharpness", {"b": 2}, CPU)
    add_measured(own, "guidance", {"a": 3}, CPU)
    assert {k: v.get("a", v.get("b")) for k, v in measured(own).items()} == {
        "guidance": 3, "sharpness": 2,
    }  # fmt: skip
    assert measured(tmp_path) == {}
    with pytest.raises(CheckpointError, match=r"no card.json in .*export"):
        add_measured(tmp_path, "guidance", {}, CPU)
    (own / "card.json").write_text("{")
    assert measured(own) == {}


def test_figures_stay_with_the_parts_that_they_were_measured_of(home, own):
    add_measured(own, "guidance", {"a": 1}, CPU)
    export(home / "runs", own)
    assert measured(own)["guidance"]["a"] == 1
    card = json.loads((own / "card.json").read_text())
    card["t2i-denoiser"]["steps"] = 12  # as of another training
    (own / "card.json").write_text(json.dumps(card))
    export(home / "runs", own)
    assert measured(own) == {} and "t2i-denoiser" in json.loads((own / "card.json").read_text())


# Search


def test_an_emoji_is_found_by_its_own_vector_and_with_the_matcher_s_score(folder, monkeypatch):
    index = Search.open(folder)
    assert len(index.items) == 60
    for row in (0, 31, 59):
        monkeypatch.setattr(index.matcher, "of_words", lambda texts, row=row: index.vectors[[row]])
        first = index.nearest("itself", 3)[0]
        assert first.score == pytest.approx(100, abs=0.1)
        assert index.vectors[first.index] == pytest.approx(index.vectors[row], abs=1e-3)
    monkeypatch.undo()
    words = "a red cat"
    found = index.nearest(words, 20)
    drawn = [FEW.at(f.index) for f in found]
    views = [
        index.matcher.of_pictures(in_range(np.stack([portrait(d, colour) for d in drawn])))
        for colour in COLOURS
    ]
    mean = F.normalize(sum(views), dim=1)
    expected = 100 * mean @ index.matcher.of_words([words])[0]
    assert [f.score for f in found] == pytest.approx(expected.clamp(min=0).tolist(), abs=0.1)
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    names = [(i.name, i.style) for i in (index.items[f.index] for f in found)]
    assert names == [(f.name, f.style) for f in found]


@pytest.mark.parametrize(
    ("words", "k", "message"),
    [("a cat", 0, "k=0: choose a whole number from 1 to 60"), (None, 3, "words=None: write some"),
     ("a" * 2001, 3, "words has 2,001 characters")],
)  # fmt: skip
def test_a_search_that_cannot_be_is_refused(folder, words, k, message):
    with pytest.raises(KnobError, match=message):
        Search.open(folder).nearest(words, k)


def test_weights_without_vectors_say_how_to_get_them(home, own):
    export(home / "runs", own)  # without the drawings
    assert not (own / EMOJI).exists()
    with pytest.raises(CheckpointError, match="came without the emoji's vectors.*export --data"):
        Search.open(own)
    (own / EMOJI).write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(CheckpointError, match=f"{EMOJI} is damaged"):
        Search.open(own)
    save_file({"vectors": torch.zeros(1, 7)}, own / EMOJI, {"items": '[["1f431", "3d", "cat"]]'})
    with pytest.raises(CheckpointError, match="of another encoder"):
        Search.open(own)


def test_names_are_found_everywhere_and_pictures_where_they_are(app, home):
    shown = search.nearest(app, "a red cat")
    index = Search.open(home / "weights" / MODEL)
    found = index.nearest("a red cat", search.SHOWN)
    assert [tile["title"] for tile in shown["tiles"]] == [f.name for f in found]
    assert shown["tiles"][0]["note"] == f"{found[0].style} · {found[0].score:.1f}"
    assert "of 60 emoji" in shown["headline"] and search.CREDIT in shown["provenance"]
    drawn = portrait(drawn_emoji().at(found[0].index))
    assert (picture(shown["tiles"][0]["picture"]) == drawn).all()
    elsewhere = search.nearest(App("cpu", str(home / "runs")), "a red cat")
    assert [tile["title"] for tile in elsewhere["tiles"]] == [f.name for f in found]
    assert not any(tile["picture"] for tile in elsewhere["tiles"])
    assert "names alone" in elsewhere["provenance"]


def test_the_kept_search_ships_no_picture(app, tmp_path):
    write(search.keep(), app, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{search.NAME}.json"]
    assert "data:image" not in (tmp_path / f"{search.NAME}.json").read_text()


# The panel


def test_every_picture_has_its_score_with_every_text(app, folder):
    texts = "a blue dog\n\n  a <b>house</b> \na blue dog"
    knobs = defaults(fit.PANEL, prompt="a red cat", texts=texts, count=3, seed=7, steps=2)
    (value,) = values(fit.PANEL.run(app, **knobs))
    assert value["columns"] == ["7", "8", "9"]
    assert [row["note"] for row in value["rows"][1:]] == [
        "a red cat", "a blue dog", "a <b>house</b>",
    ]  # fmt: skip
    model, matcher = open_pipeline(folder, "cpu"), Matcher.open(folder)
    x = model.decode(final(model.sample(Noise(range(7, 10)), prompt="a red cat", steps=2)))
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
    with pytest.raises(CheckpointError, match="no pipeline in"):
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
    shown = search.nearest(app, "a 'red' cat")["tiles"]
    assert [line.split(maxsplit=1)[1].rsplit(" (", 1)[0] for line in lines] == [
        tile["title"] for tile in shown
    ]


def test_the_chart_has_the_five_values_and_better_is_up_and_right():
    tree = ElementTree.fromstring(tradeoff.section({"guidance": CURVE | made()}))
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
        "shares": {"judge": {"seen": {"concept": 0.964}}},
        "sharpness": {
            "negative_prompt": "<i>blurry</i>", "sharper": 0.91, "pictures": 200, "ratio": 1.42,
            "ratio_error": 0.031, "guidance_scale": 5.0, **made(),
        },
    }  # fmt: skip
    said = "".join(ElementTree.fromstring(tradeoff.section(figures)).itertext())
    assert "It recognises 96% of things in real drawings." in said
    assert "“<i>blurry</i>” made 91% of 200 pictures sharper" in said and "1.42 ± 0.03" in said


def test_an_axis_takes_any_values():
    axis = chart.Axis.around([0.26, 0.61], 0, 100)
    assert axis.ticks() == pytest.approx([0.3, 0.4, 0.5, 0.6]) and 0 < axis.at(0.26) < axis.at(0.61)
    for alone in (0.0, 3.0, -2.0):
        assert chart.Axis.around([alone], 0, 100).at(alone) == pytest.approx(50)


def texts_of(page: gr.Blocks) -> list[str]:
    return [str(b.value) for b in page.blocks.values() if isinstance(b, gr.Markdown | gr.HTML)]


def test_what_is_not_there_is_said_in_words(home, own):
    add_measured(own, "guidance", CURVE, CPU)
    with gr.Blocks() as page:
        search.build(App("cpu"))
        tradeoff.build()
    assert not any(NO_SEARCH in text for text in texts_of(page))
    assert any('class="chart"' in text for text in texts_of(page))
    export(home / "runs", own)
    (own / "card.json").write_text("{}")
    with gr.Blocks() as page:
        search.build(App("cpu"))
        tradeoff.build()
    assert any(NO_SEARCH in text for text in texts_of(page))
    assert NO_TRADEOFF in texts_of(page) and not any("<svg" in text for text in texts_of(page))


@pytest.fixture(scope="module")
def address(home, tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(home / "weights", folder / "weights")
    add_measured(folder / "weights" / MODEL, "guidance", CURVE, CPU)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_WEIGHTS", str(folder / "weights"))
        page = shell.build_page(App("cpu", str(home / "data")), [text_to_image.TAB])
        yield server.serve(page, "127.0.0.1", free_port())
        page.close()


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
    expect(tiles).to_have_count(search.SHOWN)
    names = page.locator("#text-to-image-tradeoff svg .name")
    expect(names).to_have_count(5)
    assert sorted(names.all_text_contents()) == ["15", "3", "30", "7.5", "guidance 1"]


@pytest.mark.browser
def test_a_link_brings_its_words_to_the_search(address, visit):
    page = visit(f"{address}?tab=text-to-image&panel=fit&search.words=two+dogs")
    expect(page.locator("#text-to-image-search-words textarea")).to_have_value("two dogs")
    expect(page.locator("#text-to-image-search .card-live")).to_be_visible()
