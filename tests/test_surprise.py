"""How surprising? Each token of a text of any length, measured, told and shown."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, expect

from core_fixtures import tiny
from demos.page.handlers import App
from demos.tabs import autoregressive
from demos.tabs.autoregressive import surprise
from demos.widgets.surprise import SurpriseValue
from gen_core.families.gpt import GPT
from gen_core.families.text import LONGEST
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from sampling_fixtures import defaults, values
from serving import page_of
from text_fixtures import LENGTH, write_gpts

MARKUP = "<b>king</b> & <img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights")
    write_gpts(path)
    return path


@pytest.fixture
def app(folder, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(folder))
    return App("cpu")


# --- texts of any length --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gpt() -> GPT:
    return tiny("gpt")


def random_rows(gpt: GPT, count: int, length: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(0)
    return torch.randint(len(gpt.words), (count, length), generator=rng)


@pytest.mark.parametrize("length", [1, 2, 23, 24])
def test_what_the_network_sees_whole_is_read_in_one_pass(gpt, length):
    x = random_rows(gpt, 3, length)
    logits, _ = gpt.net(torch.cat([torch.full((3, 1), gpt.special), x[:, :-1]], dim=1))
    by_hand = logits.log_softmax(-1).gather(-1, x[..., None])[..., 0]
    assert torch.allclose(gpt.token_log_probs(x), by_hand, atol=1e-6)
    assert [start for start, _ in gpt.reading(x)] == [0]


@pytest.mark.parametrize("length", [25, 36, 37, 200])
def test_of_a_long_text_every_token_has_half_a_window_before_it(gpt, length):
    x, seen = random_rows(gpt, 2, length), gpt.config.length
    read = gpt.token_log_probs(x)
    assert read.shape == x.shape and torch.equal(read[:, :seen], gpt.token_log_probs(x[:, :seen]))
    starts = [start for start, _ in gpt.reading(x)]
    assert starts == [0, *range(seen, length, seen // 2)]
    for start, end in zip(starts, [*starts[1:], length], strict=True):
        window = x[:, max(0, end - seen) : end]
        assert start == 0 or window.shape[1] - (end - start) >= seen // 2
        own = gpt.token_log_probs(window)[:, start - end :]
        assert torch.allclose(read[:, start:end], own, atol=1e-6)


def test_a_long_text_is_judged_by_what_came_before_alone(gpt):
    x = random_rows(gpt, 1, 60)
    other = x.clone()
    other[:, 40:] = (other[:, 40:] + 1) % len(gpt.words)
    same = gpt.token_log_probs(x)[:, :40], gpt.token_log_probs(other)[:, :40]
    assert torch.allclose(*same, atol=1e-5)


# --- the panel ------------------------------------------------------------------------------------


def rows(value: dict[str, Any]) -> dict[str, Any]:
    """The value with its rows of numbers as lists, those of others three to a token."""
    told = {name: [float(n) for n in value[name].split()] for name in ("bits", "shares")}
    told |= {name: [int(n) for n in value[name].split()] for name in ("tokens", "instead")}
    for name in ("instead", "shares"):
        told[name] = [told[name][k : k + 3] for k in range(0, len(told[name]), 3)]
    return value | told


def last(app: App, **knobs: Any) -> dict[str, Any]:
    return rows(values(surprise.measure(app, **defaults(surprise.PANEL, **knobs)))[-1])


@pytest.mark.parametrize("model", surprise.MODELS)
def test_every_token_is_told_with_its_surprise_and_what_was_likelier(app, model):
    text = "The king, who had a bird,\nslept. " * 3
    value = last(app, text=text, model=model)
    gpt = app.model(surprise.MODELS[model])
    x = torch.tensor([gpt.words.encode(text)])
    bits = -gpt.token_log_probs(x)[0] / math.log(2)
    assert "".join(value["pieces"][token] for token in value["tokens"]) == text
    assert value["bits"] == pytest.approx(bits.tolist(), abs=0.006)
    for place in (0, 5, x.shape[1] - 1):
        log_p = torch.cat([log_p for _, log_p in gpt.reading(x)], dim=1)[0, place]
        own = value["tokens"][place]
        assert own not in value["instead"][place] and len(set(value["instead"][place])) == 3
        likeliest = log_p.exp().sort(descending=True).values[:4].tolist()
        for share in value["shares"][place]:
            assert any(share == pytest.approx(p, abs=1e-4) for p in likeliest)
        assert value["shares"][place] == sorted(value["shares"][place], reverse=True)


def test_the_figures_are_those_of_the_printed_lines(app, capsys):
    knobs = defaults(surprise.PANEL, text="Es war einmal ein König. " * 9)
    exec(textwrap.dedent(surprise.code(knobs)), {})
    printed = capsys.readouterr().out
    per_character, perplexity, tokens = (f["value"] for f in last(app, **knobs)["figures"])
    assert f"{per_character} bits per character" in printed
    assert f"{perplexity} perplexity per token, {tokens} tokens" in printed


def test_bits_per_character_spread_the_surprise_over_the_same_characters(app):
    """Whatever the tokens of a model are."""
    text = "Once upon a time there was a king"
    pairs, letters = (last(app, text=text, model=name) for name in [*surprise.MODELS][:2])
    assert len(letters["tokens"]) == len(text) > len(pairs["tokens"])
    for value in (pairs, letters):
        bits = sum(value["bits"])
        assert float(value["figures"][0]["value"]) == pytest.approx(bits / len(text), abs=0.02)


def test_long_texts_are_told_as_they_are_read_and_can_be_stopped(app):
    run = surprise.measure(app, text="a king " * (LONGEST // 7), model="gpt-tales-characters")
    first = next(run)
    assert isinstance(first, Progress) and first.done == LENGTH and first.total == LONGEST // 7 * 7
    run.close()
    assert next(run, None) is None


@pytest.mark.parametrize("text", ["", "日本語", "🦊", "\x00"])
def test_a_text_without_letters_that_are_read_is_refused_with_a_way_out(app, text):
    with pytest.raises(KnobError, match="no letter that the model reads: write some English"):
        last(app, text=text)


def test_letters_that_are_not_read_are_told(app):
    value = last(app, text="The 狐 said «naïve» 🦊 things")
    assert value["caption"].endswith("Not read: 狐 🦊")
    assert "".join(value["pieces"][t] for t in value["tokens"]) == 'The  said "naive"  things'


def test_values_whose_lengths_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="bits has 1 entries for 2 tokens"):
        SurpriseValue(["a"], [0, 0], [1.0], [[0]] * 2, [[1.0]] * 2, [], provenance="")


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    with page_of(autoregressive.TAB, weights=folder) as address:
        yield address


def open_panel(visit: Any, address: str, text: str = "", **options: Any) -> Page:
    page = visit(f"{address}?tab=autoregressive&panel=surprise", **options)
    if text:
        page.get_by_label("Your text").fill(text)
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.locator("#autoregressive-surprise .card-live")).to_be_visible()
    return page


def test_the_api_answers_like_the_panel(address, app):
    client = Client(address, verbose=False)
    value = client.predict("A king", "Tales, letters", api_name="/autoregressive_surprise")
    assert rows(value)["bits"] == last(app, text="A king", model="Tales, letters")["bits"]
    with pytest.raises(AppError, match="20,001 characters: write at most 20,000"):
        client.predict("a" * 20_001, "Tales, letters", api_name="/autoregressive_surprise")
    with pytest.raises(AppError, match="choose one of Tales, byte pairs"):
        client.predict("a", "gpt-2", api_name="/autoregressive_surprise")


@pytest.mark.browser
def test_arrow_keys_go_through_the_text_and_tell_each_token(visit, address):
    page = open_panel(visit, address, "The king slept")
    text = page.get_by_role("group", name=re.compile("arrow keys go from token to token"))
    told = page.locator("#autoregressive-surprise [role=status].surprise-told")
    expect(text).to_have_text("The king slept")
    expect(told).to_contain_text("bits")  # the most surprising token, at first
    text.focus()
    page.keyboard.press("Home")
    expect(told).to_contain_text("The")
    first = told.text_content()
    assert re.search(r"(\d%|1 in [\d,]+), \d+\.\d bits", first), first
    assert told.locator(".surprise-others > span").count() == 3
    page.keyboard.press("ArrowRight")
    expect(told).not_to_have_text(first)
    expect(text.locator(".tokens-chosen")).to_have_count(1)
    text.locator("span").last.hover()
    expect(text.locator("span").last).to_have_class(re.compile("tokens-chosen"))


@pytest.mark.browser
def test_markup_stays_text(visit, address):
    page = open_panel(visit, address, MARKUP)
    text = page.locator("#autoregressive-surprise .pointed-text")
    expect(text).to_have_text(MARKUP)
    assert page.locator("#autoregressive-surprise .card").locator("b b, img").count() == 0


@pytest.mark.browser
def test_the_longest_text_on_a_phone(visit, address):
    """Twenty thousand letters without a space; the page stays as wide as the screen."""
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    page = open_panel(visit, address, "x" * LONGEST, **phone)
    expect(page.locator("#autoregressive-surprise .surprise-figures")).to_contain_text("tokens")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    card = page.locator("#autoregressive-surprise .card")
    assert card.evaluate("e => e.scrollWidth <= e.clientWidth")
    with page.expect_download() as saved:
        card.get_by_role("button", name="Download this text as PNG").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.browser
def test_an_error_leaves_the_text_before_it(visit, address):
    page = open_panel(visit, address, "The king")
    page.get_by_label("Your text").fill("狐")
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_text("write some English")).to_be_visible()
    expect(page.locator("#autoregressive-surprise .pointed-text")).to_have_text("The king")
