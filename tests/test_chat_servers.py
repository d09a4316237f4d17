"""Language models on a server of the host's choice: the protocol, the key, which arrives there, and
how much visitors may ask in a day. What can go wrong is in `test_field_chat_servers`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import torch

from chat_server import KEY, NAME, WORDS, ChatServer, answer, chatting, event, place
from gen_core.hub import remote
from gen_core.hub.allowance import DAY, Allowance, Limits, host_s_limits
from gen_core.hub.answers import Asked, Written
from gen_core.hub.language_models import LanguageModel
from gen_core.hub.text_server import TextServer
from gen_core.knobs import KnobError
from gen_core.progress import result_of
from language_models import chat_entry, tiny_language_model

QUESTION = Asked("Who sings? <b>", tokens=20, temperature=0.5, top_p=0.9, seed=7)
MODEL = LanguageModel(**chat_entry("Distant", "some-model", server=NAME))


@pytest.fixture
def server(monkeypatch) -> Iterator[ChatServer]:
    with chatting(monkeypatch) as server:
        yield server


# --- an answer ------------------------------------------------------------------------------------


def test_the_protocol_is_spoken_and_the_key_arrives(server):
    told: list = []
    said = remote.write(MODEL, QUESTION, told.append)
    assert server.paths == ["/v1/chat/completions"] and server.keys == [f"Bearer {KEY}"]
    assert server.asked == [
        {
            "model": "some-model",
            "messages": [{"role": "user", "content": "Who sings? <b>"}],
            "max_tokens": 20,
            "temperature": 0.5,
            "top_p": 0.9,
            "stream": True,
            "seed": 7,
            "logprobs": True,
            "top_logprobs": 5,
        }
    ]
    assert said.text == "".join(WORDS) and said.told and not said.cut and said.count == len(WORDS)
    assert json.loads(said.read) == server.asked[0]["messages"] and KEY not in repr(said)
    assert [told_of.done for told_of in told if isinstance(told_of, Written)] == [*range(1, 9)]
    first = said.tokens[0]
    assert first.text == "Who" and first.bits == pytest.approx(1)
    assert [round(c.p, 3) for c in first.candidates] == [0.5, 0.5, 0.25]
    assert all(candidate.drawn is None for candidate in first.candidates)
    assert first.kind in [candidate.kind for candidate in first.candidates]


def test_what_a_server_does_not_take_is_not_sent(server):
    server.stream = answer(told=False)
    plain = LanguageModel(**chat_entry("D", "m", server=NAME, candidates=0, seed=False))
    said = remote.write(plain, QUESTION)
    assert not server.asked[0].keys() & {"seed", "logprobs", "top_logprobs"}
    assert said.text == "".join(WORDS) and not said.told


def test_a_server_without_a_key_is_sent_none(monkeypatch):
    with chatting(monkeypatch, key="") as server:
        remote.write(MODEL, QUESTION)
    assert server.keys == [None]


def test_a_character_of_several_tokens_comes_with_its_last_one(server):
    dice, split = "🎲".encode(), []
    for k, byte in enumerate(dice):
        text = "🎲" if k == len(dice) - 1 else ""
        split.append(event(text, {"content": [place(f"\\x{byte:x}", spelt=[byte])]}))
    server.stream = [*split, event(end="stop")]
    said = remote.write(MODEL, QUESTION)
    assert [token.text for token in said.tokens] == ["", "", "", "🎲"] and said.told


@pytest.mark.parametrize("bare", [0, 3, 7])
def test_where_one_place_has_no_probability_none_is_shown(server, bare):
    server.stream = [
        event(word, None if k == bare else {"content": [place(word)]})
        for k, word in enumerate(WORDS)
    ] + [event(end="stop")]
    said = remote.write(MODEL, QUESTION)
    assert said.text == "".join(WORDS) and not said.told


def test_probabilities_of_another_text_are_not_shown(server):
    server.stream = [event("Yes", {"content": [place("No")]}), event(end="stop")]
    said = remote.write(MODEL, QUESTION)
    assert said.text == "Yes" and not said.told


def test_an_answer_that_heeds_no_limit_is_cut(server):
    server.stream = lambda: (event("again ", {"content": [place("again ")]}) for _ in range(9999))
    said = remote.write(MODEL, QUESTION)
    assert said.cut and len(said.tokens) <= QUESTION.tokens + 1
    assert server.left.wait(30)


def test_a_beginning_is_for_models_that_run_here(server):
    with pytest.raises(KnobError, match="takes questions alone: choose a question, or"):
        remote.write(MODEL, Asked("Once", chat=False))
    assert server.asked == []


# --- both, and how much in a day ------------------------------------------------------------------

CPU = torch.device("cpu")


@pytest.fixture
def texts(server, tmp_path) -> Iterator[TextServer]:
    here = LanguageModel(**chat_entry("Near", tiny_language_model(tmp_path / "model")))
    lost = LanguageModel(**chat_entry("Lost", "m", server="TWO"))
    texts = TextServer(CPU, [here, MODEL, lost], Limits())
    yield texts
    texts.unload()


def test_each_model_writes_where_it_runs(texts, server):
    near = result_of(texts.write("Near", Asked("Who?", tokens=6, seed=2)))
    assert near.told and near.count <= 6 and server.asked == []
    told = [*texts.write("Distant", QUESTION)]
    assert [t.text for p in told if isinstance(p, Written) for t in p.tokens][-1] == WORDS[-1]
    for name in ("Other", "some-model", server.address, None):
        with pytest.raises(KnobError, match="choose one of Near, Distant, Lost"):
            result_of(texts.write(name, QUESTION))
    with pytest.raises(KnobError, match="Lost does not run here: the host of this page has set no"):
        result_of(texts.write("Lost", QUESTION))


def test_who_stops_leaves_the_server_at_once(texts, server):
    server.silent, server.stream = True, answer()[:4]
    run = texts.write("Distant", QUESTION, ["me"])
    next(told for told in run if isinstance(told, Written))
    run.close()  # and does not wait until the server speaks again
    read = len(QUESTION.text) // 4
    assert 1 <= texts.allowance._tokens["all"] - read <= 3


def clock(seconds: float):
    return lambda: seconds


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(visitor_requests=2), "You have asked larger models 2 times today: come again"),
        (Limits(day_requests=2), "This page has asked larger models 2 times today: come again"),
        (Limits(visitor_tokens=50), "You have 10 of 50 tokens left today, and this may take 20"),
        (Limits(day_tokens=50), "This page has 10 of 50 tokens left today, and this may take 20"),
    ],
)
def test_a_limit_says_when_to_come_again(limits, said):
    allowance = Allowance(limits, clock(DAY * 20_000 + DAY - 7200))
    for _ in range(2):
        with allowance.taken(["session", "address"], 20) as bill:
            bill.tokens = 20
    with pytest.raises(KnobError) as told, allowance.taken(["session", "address"], 20):
        pass
    assert said in str(told.value)
    assert str(told.value).endswith("come again after midnight UTC, in 2 hours")
    allowance.clock = clock(DAY * 20_001 + 5)
    with allowance.taken(["session", "address"], 20):
        pass


def test_a_new_tab_and_a_new_address_are_no_new_visitor_alone():
    allowance = Allowance(Limits(visitor_requests=1), clock(DAY * 1.99))
    with allowance.taken(["one tab", "home"], 1):
        pass
    for visitor in (["one tab", "work"], ["another tab", "home"]):
        with pytest.raises(KnobError, match="come again after midnight UTC, in 14 minutes"):
            allowance.taken(visitor, 1).__enter__()
    with allowance.taken(["another tab", "work"], 1):
        pass


def test_only_what_was_written_is_paid_and_a_request_under_way_counts_whole():
    allowance = Allowance(Limits(visitor_tokens=100))
    with allowance.taken(["me"], 80) as bill:
        with pytest.raises(KnobError, match="20 of 100 tokens left"):
            allowance.taken(["me"], 30).__enter__()
        bill.tokens = 10
    with pytest.raises(ZeroDivisionError), allowance.taken(["me"], 90):
        raise ZeroDivisionError
    with allowance.taken(["me"], 90):
        pass


def test_a_server_s_answer_is_paid_by_its_tokens(texts, server):
    result_of(texts.write("Distant", QUESTION, ["me"]))
    assert texts.allowance._tokens["visitor me"] == len(WORDS) + len(QUESTION.text) // 4
    server.status = 500
    with pytest.raises(KnobError):
        result_of(texts.write("Distant", QUESTION, ["me"]))
    assert texts.allowance._tokens["visitor me"] == len(WORDS) + len(QUESTION.text) // 4
    assert texts.allowance._requests["visitor me"] == 2


def test_the_host_sets_the_limits(monkeypatch):
    assert host_s_limits() == Limits()
    monkeypatch.setenv("GEN_CHAT_DAY_TOKENS", "5000")
    assert host_s_limits() == Limits(day_tokens=5000)
    for wrong in ("many", "-1", "2.5"):
        monkeypatch.setenv("GEN_CHAT_VISITOR_REQUESTS", wrong)
        with pytest.raises(KnobError, match="GEN_CHAT_VISITOR_REQUESTS=.*: choose a whole number"):
            host_s_limits()


def test_a_refused_question_leaves_the_model_open(texts):
    result_of(texts.write("Near", Asked("Who?", tokens=2)))
    process = texts.worker.process
    with pytest.raises(KnobError, match="is read as"):
        result_of(texts.write("Near", Asked("king " * 4000)))
    result_of(texts.write("Near", Asked("Who?", tokens=2)))
    assert texts.worker.process is process
