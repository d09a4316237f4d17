"""Left to right, or everywhere at once: what appeared when, what it cost, how good it is."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Locator, Page, expect

from demos.page import examples
from demos.page.handlers import App
from demos.tabs import autoregressive
from demos.tabs.autoregressive import evaluations, everywhere
from demos.widgets.measured import figures_of
from demos.widgets.text_timeline import TextLane
from gen_core import Noise, final
from gen_core.evaluation.cards import card_sections
from gen_core.evaluation.text_quality import TextJudge, distinct, entropy
from gen_core.progress import Progress
from sampling_fixtures import defaults, values
from serving import page_of
from text_fixtures import TALE, write_pair

FEW = {"prompt": "A king", "tokens": 12, "steps": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights")
    write_pair(path)
    return path


@pytest.fixture
def app(folder, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    return App("cpu")


def last(app: App, **knobs: Any) -> dict[str, Any]:
    return values(everywhere.compare(app, **defaults(everywhere.PANEL, **FEW | knobs)))[-1]


def drawn(app: App, name: str, **knobs: Any) -> list[int]:
    model = app.model(name)
    return final(model.sample(Noise([3]), prompt="A king", temperature=0.5, **knobs))[0].tolist()


# --- the texts ------------------------------------------------------------------------------------


def test_both_texts_are_those_of_the_models_from_one_seed(app):
    value = last(app, seed=3, temperature=0.5)
    left, every = value["lanes"]
    words = app.model(everywhere.LEFT).words.tokens
    begun = len(app.model(everywhere.LEFT).condition.tokens("A king"))
    for lane, text in (
        (left, drawn(app, everywhere.LEFT, tokens=12)),
        (every, drawn(app, everywhere.EVERY, steps=5)),
    ):
        assert lane["tokens"] == [words[token] for token in text[: begun + 12]]
        assert "".join(lane["tokens"][:begun]) == "A king"
        assert lane["appeared"][:begun] == [0] * begun and min(lane["appeared"][begun:]) >= 1


def test_one_appears_from_left_to_right_and_the_other_everywhere(app):
    left, every = last(app)["lanes"]
    own = left["appeared"][-12:]
    assert own == [*range(1, 13)] and left["total"] == 12 and not left["masks"]
    appeared = every["appeared"][-12:]
    assert appeared != sorted(appeared) and len(set(appeared)) > 1 and max(appeared) <= 5
    assert every["total"] == 5 and every["masks"]


@pytest.mark.parametrize("steps", [1, 7])
def test_each_moment_of_the_diffusion_is_that_of_its_frames(app, steps):
    every = last(app, steps=steps)["lanes"][1]
    count = len(every["tokens"])
    model = app.model(everywhere.EVERY)
    for frame in model.sample(Noise([1]), prompt="A king", temperature=0.8, steps=steps):
        there = (frame.x[0, :count] >= 0).tolist()
        assert there == [step <= frame.step for step in every["appeared"]]


def test_costs_are_counted(app):
    left, every = last(app)["lanes"]
    assert re.fullmatch(r"12 network evaluations in [\d.]+ m?s", left["cost"])
    assert re.fullmatch(r"5 network evaluations in [\d.]+ m?s", every["cost"])


def test_without_a_beginning_every_token_is_drawn(app):
    for lane in last(app, prompt="", tokens=24)["lanes"]:
        assert len(lane["tokens"]) == 24 and min(lane["appeared"]) == 1


def test_it_tells_each_step_and_can_be_stopped(app):
    run = everywhere.compare(app, **defaults(everywhere.PANEL, **FEW))
    steps = [next(run) for _ in range(12 + 1 + 3)]
    assert all(isinstance(step, Progress) for step in steps)
    assert {step.stage for step in steps} == {"Token", "Step"}
    run.close()
    assert next(run, None) is None


def test_steps_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="tokens appear in steps from 0 to 3"):
        TextLane("a", ["x"], [4], 3, "step", True, "")
    with pytest.raises(ValueError, match="1 entries for 2 tokens"):
        TextLane("a", ["x", "y"], [1], 3, "step", True, "")


# --- how good they are ----------------------------------------------------------------------------


def figures(value: dict[str, Any]) -> dict[str, list[str]]:
    return {row["title"]: [c["note"] for c in row["cells"]] for row in value["quality"]["rows"]}


def test_the_figures_are_those_of_the_text_without_its_beginning(app):
    judge = TextJudge.of(app.model(everywhere.JUDGE))
    words = app.model(everywhere.LEFT).words
    value = last(app, seed=4)
    shown = [*figures(value).values()]
    for lane, row in zip(value["lanes"], shown, strict=False):
        tokens = lane["tokens"][-12:]
        assert row[0] == f"{judge.bits_per_character(''.join(tokens)):.2f}"
        kinds = [words.index[token] for token in tokens]
        assert row[1] == f"{entropy(kinds):.2f} bits" and row[2] == f"{distinct(kinds):.0%}"


def test_a_dull_text_wins_by_bits_alone_and_chance_by_the_others(app):
    rows = figures(last(app, prompt="", tokens=24))
    number = {
        title: [float(cell.split()[0].strip("%")) for cell in row[:3]]
        for title, row in rows.items()
    }
    dull, chance = number["One phrase again and again"], number["Tokens at random"]
    assert dull[0] < chance[0] and dull[1] < chance[1] and dull[2] < chance[2]


def test_what_is_copied_is_told(app):
    judge, words = TextJudge.of(app.model(everywhere.JUDGE)), app.model(everywhere.LEFT).words
    *_, copied = everywhere.cells(judge, words, words.encode(TALE[20:120]))
    assert 70 <= int(copied.note.split()[0]) <= 100
    *_, own = everywhere.cells(judge, words, words.encode("xyzzy" * 9))
    assert own.note == "none found"


def test_the_printed_lines_write_and_measure_the_same(app, capsys):
    knobs = defaults(everywhere.PANEL, **FEW, seed=6)
    exec(textwrap.dedent(everywhere.code(knobs)), {})
    printed = capsys.readouterr().out
    value = last(app, **knobs)
    for lane, row in zip(value["lanes"], figures(value).values(), strict=False):
        assert "".join(lane["tokens"]) in printed
        assert f"{row[0]} bits per character" in printed and f"{row[2]} of its 4-grams" in printed
        assert f"{row[1]}: the entropy of its tokens" in printed


def test_the_table_below_says_what_the_card_holds():
    row = {"samples": 40, "judge_bits": 3.217, "entropy": 7.3, "distinct_4": 0.998}
    told = {
        "by_evaluations": [
            {"evaluations": 8, **row, "longest_copy": 18},
            {"model": "gpt-tales", "evaluations": 256, **row, "judge_bits": 2.104}
            | {"longest_copy": 31},
        ],
        "knobs": {"temperature": 0.5},
        "date": "2026-11-22",
        "hardware": "a laptop",
    }
    shown = evaluations.section(told)
    heads, *rows = (
        re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in re.findall("<tr>.*?</tr>", shown)
    )
    _, few, many = zip(heads, *rows, strict=True)
    for column, parts in (
        (few, ("8", "3.22", "7.30 ", "99.80%", "18")),
        (many, ("GPT: 256", "2.10", "7.30 ", "99.80%", "31")),
    ):
        assert all(cell.startswith(part) for cell, part in zip(column, parts, strict=True))
    for part in ("40 texts", "temperature 0.5", "22 November 2026, a laptop"):
        assert part in shown


def test_the_shipped_card_tells_the_figures_at_three_numbers_of_evaluations():
    *every, left = figures_of(everywhere.EVERY)["by_evaluations"]
    assert [row["evaluations"] for row in every] == [8, 32, 128]
    assert left["model"] == everywhere.LEFT and left["evaluations"] == 256
    written = card_sections(everywhere.EVERY)["Evaluation"]
    for row in (*every, left):
        assert f"{row['judge_bits']:.3f}" in written and f"{row['entropy']:.2f}" in written


# --- the page -------------------------------------------------------------------------------------


def test_an_example_shows_texts_and_figures_as_it_was_made(app, tmp_path, monkeypatch):
    keep = everywhere.PANEL.keep()
    made = {name: FEW.get(name, value) for name, value in everywhere.PANEL.kept(app).items()}
    monkeypatch.setattr(type(everywhere.PANEL), "kept", lambda panel, app: made)
    examples.write(keep, app, tmp_path)
    kept = examples.example(keep.name, tmp_path)
    monkeypatch.setattr("demos.page.panel.example", lambda name: kept)
    first = everywhere.PANEL.at_first(app)
    assert first["example"] and not first["live"] and first["provenance"] == kept.note
    grid = everywhere.PANEL.figures(first).value
    assert grid["example"] and grid["provenance"] == kept.note and len(grid["rows"]) == 4


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("demos.page.panel.example", lambda name: None)
        with page_of(autoregressive.TAB, weights=folder) as address:
            yield address


def test_the_api_answers_with_texts_and_figures(address):
    client = Client(address, verbose=False)
    ask = {"prompt": "A king", "steps": 4, "tokens": 8, "temperature": 1, "seed": 1}
    texts, grid = client.predict(**ask, api_name="/autoregressive_everywhere")
    assert [len(lane["appeared"]) for lane in texts["lanes"]] == [
        len(texts["lanes"][0]["tokens"])
    ] * 2
    assert len(grid["rows"]) == 4
    with pytest.raises(AppError, match="tokens=0: choose a whole number from 1 to 255"):
        client.predict(**ask | {"tokens": 0}, api_name="/autoregressive_everywhere")
    with pytest.raises(AppError, match="prompt has 20,001 characters"):
        client.predict(**ask | {"prompt": "a" * 20_001}, api_name="/autoregressive_everywhere")


def written(visit: Any, address: str, **options: Any) -> Page:
    query = "&".join(f"everywhere.{name}={value}" for name, value in FEW.items())
    page = visit(f"{address}?tab=autoregressive&panel=everywhere&{query}", **options)
    expect(page.locator("#autoregressive-everywhere-tokens input[type=number]")).to_have_value("12")
    page.get_by_role("button", name="Write both", exact=True).click()
    expect(page.locator("#autoregressive-everywhere .card-live")).to_be_visible()
    return page


def lanes(page: Page) -> list[Locator]:
    return page.locator("#autoregressive-everywhere .pointed-text").all()


@pytest.mark.browser
def test_arrow_keys_take_both_texts_back_in_time(visit, address):
    page = written(visit, address)
    left, every = lanes(page)
    whole = left.inner_text(), every.inner_text()
    assert all(text.startswith("A king") for text in whole)
    track = page.locator("#autoregressive-everywhere").get_by_role(
        "slider", name="Position in time"
    )
    track.focus()
    page.keyboard.press("Home")
    expect(track).to_have_attribute("aria-valuetext", re.compile("token 0 of 12.*step 0 of 5"))
    expect(every.locator(".text-mask")).to_have_count(12)
    expect(left.locator(".text-later")).to_have_count(12)
    expect(every).to_have_text("A king")
    page.keyboard.press("ArrowRight")
    expect(left.locator(".text-later")).to_have_count(11)
    expect(left.locator(".text-new")).to_have_count(1)
    page.keyboard.press("End")
    expect(every.locator(".text-mask")).to_have_count(0)
    assert (left.inner_text(), every.inner_text()) == whole


@pytest.mark.browser
def test_it_plays_to_the_end(visit, address):
    page = written(visit, address)
    card = page.locator("#autoregressive-everywhere")
    card.get_by_role("button", name="Play", exact=True).click()
    expect(card.locator(".text-later").first).to_be_attached()
    expect(card.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(card.locator(".text-later")).to_have_count(0)
    expect(card.get_by_role("slider")).to_have_attribute("aria-valuenow", "12")


@pytest.mark.browser
def test_each_token_tells_its_step(visit, address):
    page = written(visit, address)
    told = page.locator("#autoregressive-everywhere .text-told")
    _, every = lanes(page)
    every.focus()
    page.keyboard.press("Home")
    expect(told).to_have_text("Everywhere at once, place 1: A given")
    page.keyboard.press("End")
    expect(told).to_contain_text(re.compile(r"step [1-5] of 5$"))
    expect(page.locator("#autoregressive-everywhere .timeline-track")).to_have_attribute(
        "aria-valuenow", "12"
    )  # the text's arrow keys are not those of the track


@pytest.mark.browser
def test_a_phone_shows_all_in_its_width_and_saves_a_picture(visit, address):
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    page = written(visit, address, **phone)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    card = page.locator("#autoregressive-everywhere .card")
    assert card.evaluate("e => e.scrollWidth <= e.clientWidth")
    expect(page.get_by_text("No figure is enough alone")).to_be_visible()
    with page.expect_download() as saved:
        card.get_by_role("button", name="Download these texts as PNG").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")
