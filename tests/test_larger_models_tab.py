"""The panel A large one by name: its list, what it shows, its API and its page, with a tiny random
model and a server on this machine."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.utils import apply_diff
from playwright.sync_api import expect

from chat_server import KEY, NAME, WORDS, ChatServer, answer, chatting, event, place
from conftest import ROOT, free_port, wait_until
from demos.page import server as page_server
from demos.page.tab import Tab
from demos.tabs.autoregressive import larger
from demos.tabs.autoregressive.texts import LARGER
from gen_core.families.text import LONGEST
from gen_core.hub.allowance import Limits, host_s_limits
from gen_core.hub.answers import Asked
from gen_core.hub.language_models import LISTED, language_models
from gen_core.hub.text_server import TextServer
from gen_core.hub.writer import opened
from gen_core.hub.writer import write as write_here
from language_models import END, chat_entry, tiny_language_model
from sampling_fixtures import values
from serving import page_with_models

NEAR, DISTANT, LARGE, LOST = "Near <b>one</b>", "Distant", "Large", "Lost"
MARKUP = '<img src=x onerror="alert(1)"> ${1 + 1} {{x}} & "cat"'
JAPANESE = "むかしむかし"
TAB = Tab("autoregressive", "Autoregressive", 1, [larger.PANEL])
CALL = {"api_name": "/autoregressive_larger"}
CARD = "#autoregressive-larger"


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> Path:
    """A host's list: a model that runs here, one on a server, one nowhere, one whose server has no
    address."""
    folder = tmp_path_factory.mktemp("models")
    entries = [
        chat_entry(NEAR, tiny_language_model(folder / "tiny")),
        chat_entry(DISTANT, "some-model", server=NAME),
        chat_entry(LARGE, "someone/large", gigabytes=9000),
        chat_entry(LOST, "m", server="TWO"),
    ]
    path = folder / "models.json"
    path.write_text(json.dumps(entries))
    return path


@pytest.fixture(scope="module")
def served(listed) -> Iterator[tuple[ChatServer, str, TextServer]]:
    with pytest.MonkeyPatch.context() as patch, chatting(patch) as distant:
        patch.setenv("GEN_CHAT_VISITOR_REQUESTS", "1000")
        with page_with_models(TAB, LISTED, listed) as (app, page):
            address = page_server.serve(page, app, "127.0.0.1", free_port()).rstrip("/")
            texts = larger.slot(app.device, language_models(), host_s_limits())
            yield distant, address, texts
            texts.unload()


@pytest.fixture
def distant(served) -> ChatServer:
    """The server as it was at first."""
    distant = served[0]
    distant.stream, distant.status, distant.headers = answer(), 200, {}
    distant.silent = False
    return distant


def asked(**changes: object) -> dict:
    return {
        "prompt": "Who sings?",
        "form": "chat",
        "tokens": 12,
        "temperature": 0.7,
        "seed": 3,
        "top_p": 1.0,
    } | changes


def written(texts: TextServer, model: str, **changes: object) -> list[dict]:
    return values(larger.write(texts, model=model, **asked(**changes)))


# --- the list -------------------------------------------------------------------------------------


def page_of(page: gr.Blocks) -> str:
    return " ".join(str(b.value) for b in page.blocks.values() if isinstance(b, gr.HTML))


def button(page: gr.Blocks) -> gr.Button:
    return next(b for b in page.blocks.values() if getattr(b, "value", "") == "Write")


def test_the_list_says_where_each_model_runs_and_why_not(listed, monkeypatch):
    monkeypatch.setenv(f"GEN_CHAT_SERVER_{NAME}", "https://inner.example.org/v1")
    monkeypatch.setenv(f"GEN_CHAT_KEY_{NAME}", KEY)
    with page_with_models(TAB, LISTED, listed) as (app, page):
        told, everything = page_of(page), json.dumps(page.get_config_file(), default=str)
        assert button(page).interactive and larger.NONE_RUNS not in everything
        assert not larger.PANEL.rare(app)
    assert "no account" in told and "but for language models that the list places on" in told
    assert "Near &lt;b&gt;one&lt;/b&gt;" in told and "<b>one" not in told
    assert told.count("Runs here") == 1 and told.count(larger.ELSEWHERE) == 1
    assert "No: it needs a GPU, or each token takes seconds" in told and "9000.0 GB" in told
    assert "No: the host of this page has set no address for it (GEN_CHAT_SERVER_TWO)" in told
    assert KEY not in everything and "inner.example.org" not in everything


def test_where_none_can_be_used_it_says_so_offers_no_button_and_waits_behind_more(tmp_path):
    path = tmp_path / "models.json"
    path.write_text(json.dumps([chat_entry(LARGE, "a/b", gigabytes=9000)]))
    with page_with_models(TAB, LISTED, path) as (app, page):
        assert larger.NONE_RUNS in json.dumps(page.get_config_file(), default=str)
        assert not button(page).interactive
        assert larger.PANEL.rare(app)
    path.write_text("[]")
    with page_with_models(TAB, LISTED, path) as (app, page):
        assert larger.NONE_ALLOWED in page_of(page) and app.knobs == []
        assert larger.PANEL.rare(app)


@pytest.mark.heavy
def test_the_page_is_built_without_transformers():
    program = (
        "import sys; from demos.page.handlers import App;"
        "from demos.tabs import autoregressive as t;"
        "from demos.page.shell import build_page; build_page(App('cpu'), [t.TAB]);"
        "print('transformers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]


# --- an answer ------------------------------------------------------------------------------------


def test_an_answer_of_this_machine_is_that_of_the_library(served, listed):
    *growing, last = written(served[2], NEAR)
    same = write_here(opened(str(listed.parent / "tiny")), Asked("Who sings?", tokens=12, seed=3))
    assert last["tokens"] == [token.text for token in same.tokens] and last["whole"]
    assert last["bits"] == pytest.approx([token.bits for token in same.tokens], abs=0.01)
    assert last["read"] == f"<|im_start|>user\nWho sings?{END}\n<|im_start|>assistant\n"
    assert last["about"] == larger.READ_HERE and last["asked"] == "Who sings?"
    assert [*last["candidates"]] == [str(place) for place in range(len(same.tokens))]
    for token, rows in zip(same.tokens, last["candidates"].values(), strict=True):
        assert token.kind in [kind for kind, *_ in rows] and all(len(one) == 3 for one in rows)
        assert all(str(kind) in last["written"] for kind, *_ in rows)
    assert growing
    for value in growing:
        assert value["kinds"] == last["kinds"][: len(value["kinds"])]
    assert all(not value["whole"] and len(value["candidates"]) == 1 for value in growing)


def test_an_answer_of_a_server_is_shown_with_what_it_tells(served, distant):
    (*_, last) = written(served[2], DISTANT)
    assert "".join(last["tokens"]) == "".join(WORDS) and not last["plain"]
    assert last["bits"] == [1.0] * len(WORDS) and last["about"] == larger.SENT
    assert all(len(one) == 2 for rows in last["candidates"].values() for one in rows)
    assert json.loads(last["read"]) == [{"role": "user", "content": "Who sings?"}]
    assert "8 tokens in" in last["provenance"] and "another server" in last["provenance"]


def test_without_probabilities_it_is_a_plain_text_and_says_why(served, distant):
    distant.stream = answer(told=False)
    (*_, last) = written(served[2], DISTANT)
    assert "".join(last["tokens"]) == "".join(WORDS) and last["plain"] == larger.NO_TOKENS
    assert last["bits"] == [] and last["candidates"] == {}


@pytest.mark.parametrize("model", [NEAR, DISTANT])
@pytest.mark.parametrize("bare", [False, True], ids=["told", "told at first"])
def test_what_gradio_sends_of_a_growing_answer_puts_it_together_again(
    served, distant, monkeypatch, model, bare
):
    monkeypatch.setattr(larger, "UPDATE_SECONDS", 0)
    if bare:
        words = [*WORDS, *WORDS]
        distant.stream = [
            event(word, None if k == 9 else {"content": [place(word, others=k % 4)]})
            for k, word in enumerate(words)
        ] + [event(end="stop")]
    shown, *later = written(served[2], model, tokens=16)
    assert later
    for value in later:
        shown = apply_diff(shown, gr.utils.diff(shown, value))
        assert shown == value


def test_an_answer_without_a_word_is_told():
    fields = larger.shown([], whole=True)
    assert fields["plain"] == larger.NO_WORD and fields["bits"] == []


@pytest.mark.parametrize("form", ["chat", "text"])
@pytest.mark.parametrize("prompt", [MARKUP, JAPANESE, "a" * 60, "\x00\u202e"])
def test_any_text_is_answered(served, prompt, form):
    (*_, last) = written(served[2], NEAR, prompt=prompt, form=form, tokens=4)
    assert last["asked"] == prompt and prompt in last["read"]


def test_the_formula_says_what_every_symbol_means():
    for symbol, _ in LARGER.symbols:
        assert all(part in LARGER.formula for part in symbol.split(", ")), symbol


@pytest.mark.parametrize("model", [NEAR, DISTANT])
def test_the_printed_lines_write_the_same(served, distant, listed, monkeypatch, capsys, model):
    monkeypatch.chdir(listed.parent)
    knobs = asked(model=model, prompt=MARKUP, tokens=8)
    lines = larger.code(language_models_of(listed, monkeypatch), knobs)
    assert KEY not in lines and str(listed.parent) not in lines and distant.address not in lines
    if model == NEAR:
        exec(lines.replace("pick_device()", "'cpu'"), {})
        (*_, last) = written(served[2], NEAR, prompt=MARKUP, tokens=8)
        assert capsys.readouterr().out == f"{last['read']}\n{''.join(last['tokens'])}\n"
        return
    body = json.dumps({"choices": [{"message": {"content": "Nobody."}}]}).encode()
    distant.stream = [body]
    exec(lines, {})
    assert capsys.readouterr().out == "Nobody.\n" and distant.keys[-1] == f"Bearer {KEY}"
    assert distant.asked[-1]["messages"][0]["content"] == MARKUP


def language_models_of(path: Path, patch: pytest.MonkeyPatch):
    patch.setenv(LISTED, str(path))
    return language_models()


# --- the API --------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_the_api_writes_with_models_of_the_list_alone(served, distant):
    client = Client(served[1], verbose=False)
    told = client.predict("Who?", NEAR, "A question", 6, 0.7, 3, 1.0, **CALL)
    assert told["whole"] and told["asked"] == "Who?"
    for model in ("gpt-4", "some-model", distant.address, "../../etc", None, 7):
        with pytest.raises(Exception, match="choose one of Near"):
            client.predict("Who?", model, "A question", 6, 0.7, 3, 1.0, **CALL)
    wrong = [
        (LARGE, {}, "Large does not run here: it needs a GPU"),
        (LOST, {}, "Lost does not run here: the host of this page has set no address"),
        (DISTANT, {"form": "A beginning"}, "takes questions alone: choose a question"),
        (NEAR, {"prompt": "x" * (LONGEST + 1)}, "at most 20,000"),
        (NEAR, {"prompt": "x" * LONGEST}, "write from 1 to"),
        (NEAR, {"prompt": "  "}, "write a question, or a beginning"),
        (NEAR, {"tokens": 401}, "tokens=401: choose"),
    ]
    for model, changes, message in wrong:
        with pytest.raises(Exception, match=message):
            client.predict(**asked(model=model, form="A question") | changes, **CALL)


@pytest.mark.heavy
def test_the_key_is_in_no_answer_error_or_log(served, distant, caplog):
    client, told = Client(served[1], verbose=False), []
    with caplog.at_level(logging.DEBUG):
        for status in (200, 401, 500):
            distant.status, distant.body = status, f"wrong key: {KEY}".encode()
            try:
                told.append(json.dumps(client.predict(**asked(model=DISTANT), **CALL)))
            except Exception as error:
                told.append(str(error))
    assert distant.keys[-1] == f"Bearer {KEY}"
    assert "does not let this page in (error 401)" in told[1]
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("httpcore")]
    assert KEY not in "".join([*told, *ours]) and distant.address not in "".join(told)
    assert "Word by word needs no network" in told[2]


@pytest.mark.heavy
def test_a_visitor_who_has_asked_enough_is_told_when_to_come_again(served, distant, monkeypatch):
    texts = served[2]
    few = Limits(visitor_requests=texts.allowance._requests["visitor 127.0.0.1"] + 1)
    monkeypatch.setattr(texts.allowance, "limits", few)
    Client(served[1], verbose=False).predict(**asked(model=DISTANT), **CALL)
    another = Client(served[1], verbose=False)  # a new session, at the same address
    with pytest.raises(Exception, match="come again after midnight UTC, in "):
        another.predict(**asked(model=DISTANT), **CALL)


@pytest.mark.heavy
def test_stop_ends_the_text_and_not_the_model(served):
    client, texts = Client(served[1], verbose=False), served[2]
    asked_for = asked(model=NEAR, tokens=400)
    job = client.submit(**asked_for, **CALL)
    wait_until(lambda: any(told.get("tokens") for told in job.outputs()), 120)
    process = texts.worker.process
    job.cancel()
    wait_until(lambda: not texts._working.locked(), 60)
    assert client.predict(**asked_for | {"tokens": 2}, **CALL)["whole"]
    assert texts.worker.process is process


# --- in a browser ---------------------------------------------------------------------------------


@pytest.mark.browser
def test_on_a_phone_one_asks_goes_through_the_answer_and_looks_what_was_read(served, visit):
    page = visit(f"{served[1]}/?tab=autoregressive", viewport={"width": 390, "height": 844})
    page.locator(f"{CARD}-prompt textarea").fill(MARKUP)
    page.locator(f"{CARD}-tokens input[type=number]").fill("9")
    page.locator(f"{CARD}-tokens input[type=number]").press("Tab")
    page.get_by_role("button", name="Write", exact=True).click()
    card = page.locator(f"{CARD} .answer")
    expect(page.locator(f"{CARD}-run .run-said")).to_contain_text("Done in")
    expect(card.locator(".answer-asked")).to_have_text(MARKUP)
    expect(card.locator(".token-text-words span")).not_to_have_count(0)
    expect(card.locator(".answer-read pre")).to_be_hidden()
    card.get_by_text("What does the model really read?").click()
    expect(card.locator(".answer-read pre")).to_contain_text(f"user\n{MARKUP}{END}")
    expect(card.locator("img")).to_have_count(0)
    rows = card.locator(".candidates-row")
    expect(rows.first).to_be_disabled()
    assert 5 <= rows.count() <= 6
    card.locator(".timeline-track").focus()
    page.keyboard.press("End")
    expect(card.locator(".token-text-readout")).to_contain_text("surprise")
    card.get_by_label("Colour by surprise").check()
    expect(card.locator(".tokens-tinted")).to_have_count(1)
    listed = page.locator(f"{CARD}-list")
    expect(listed.get_by_role("row", name="Large")).to_contain_text("No: it needs a GPU")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0


@pytest.mark.browser
def test_a_plain_answer_says_why_and_an_error_is_a_sentence(served, distant, visit):
    distant.stream = answer(told=False)
    page = visit(f"{served[1]}/?tab=autoregressive&larger.model={DISTANT}")
    page.get_by_role("button", name="Write", exact=True).click()
    card = page.locator(f"{CARD} .answer")
    expect(card.locator(".answer-plain")).to_have_text("".join(WORDS))
    expect(card).to_contain_text("does not tell how likely each token was")
    for hidden in (".candidates", ".timeline-transport", ".token-text-tint"):
        expect(card.locator(hidden)).to_be_hidden()
    expect(page.locator(f"{CARD}-run .run-said")).to_contain_text("Done in")
    distant.status = 429
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_text("Try again in some minutes. The small one in")).to_be_visible()
    assert KEY not in page.content() and distant.address not in page.content()
