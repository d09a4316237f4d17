"""Asking a language model on a server of the host's"""

from __future__ import annotations

import itertools
import json
import logging
import math
import traceback
from collections.abc import Iterator

import pytest

from chat_server import KEY, NAME, ChatServer, answer, chatting, event, place
from conftest import free_port
from gen_core.hub import remote
from gen_core.hub.answers import Asked
from gen_core.hub.language_models import LanguageModel
from gen_core.knobs import KnobError
from language_models import chat_entry

QUESTION = Asked("Who sings? <b>", tokens=20)
MODEL = LanguageModel(**chat_entry("Distant", "some-model", server=NAME))
INSTEAD = "The small one in the panel Word by word needs no network"

STATUS = {
    401: "does not let this page in (error 401). Please tell the host",
    403: "does not let this page in (error 403). Please tell the host",
    404: "knows no such model (error 404). Please tell the host",
    400: "refuses what it is asked (error 400)",
    413: "Write less, or tell the host",
    429: "is used up (error 429). Try again in 17 s",
    500: "has a fault of its own (error 500). Try again later",
    503: "has a fault of its own (error 503). Try again later",
    204: "refuses what it is asked (error 204)",
}


@pytest.fixture
def server(monkeypatch) -> Iterator[ChatServer]:
    with chatting(monkeypatch) as server:
        yield server


def refused(caplog, model: LanguageModel = MODEL) -> str:
    """What a visitor reads; nothing that is told or logged, and no trace, holds the key."""
    with caplog.at_level(logging.DEBUG, "noise-to-data"), pytest.raises(KnobError) as told:
        remote.write(model, QUESTION)
    trace = "".join(traceback.format_exception(told.value))
    assert KEY not in trace + caplog.text and "httpx" not in trace.split("remote.py")[-1]
    said = str(told.value)
    assert said.startswith("Distant: its server ") and said.endswith(INSTEAD)
    return said


@pytest.mark.parametrize("status", STATUS)
def test_a_server_that_answers_with_an_error(server, caplog, status):
    """A sentence says what to do; nothing of the server's own words, which may hold the key."""
    server.status, server.headers = status, {"Retry-After": "17"}
    server.body = b"" if status == 204 else json.dumps({"error": f"wrong key: {KEY}"}).encode()
    assert STATUS[status] in refused(caplog)


@pytest.mark.parametrize("after", ["", "soon", "9" * 5000, "<b>"])
@pytest.mark.says("is used up (error 429). Try again in some minutes")
def test_a_server_that_is_overburdened(says, server, caplog, after):
    server.status, server.headers = 429, {"Retry-After": after}  # no time that one could tell
    assert says in refused(caplog)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.says("sends on to another address, which is not followed")
def test_a_server_that_sends_on_to_another_host(says, server, caplog, monkeypatch, status):
    with pytest.MonkeyPatch.context() as patch, chatting(patch) as other:
        server.status, server.headers = status, {"Location": f"{other.address}/chat/completions"}
        monkeypatch.setenv(f"GEN_CHAT_SERVER_{NAME}", server.address)
        assert says in refused(caplog)
        assert other.asked == [] and other.keys == []


BAD = {
    "a page": [b"<html><body>Welcome"],
    "nothing": [b""],
    "one answer in place of a stream": [b'{"choices": [{"message": {"content": "Hi"}}]}\n'],
    "no JSON": [b"data: {\n\n"],
    "brackets": [b"data: " + b"[" * 100_000 + b"\n\n"],
    "a list": [b"data: [1, 2]\n\n"],
    "no choices": [b'data: {"id": 1}\n\n'],
    "odd choices": [b'data: {"choices": {"a": 1}}\n\n'],
    "an odd text": [b'data: {"choices": [{"delta": {"content": [1]}}]}\n\n'],
    "an odd token": [event("a", {"content": [{"token": 5, "logprob": -1}]})],
    "bytes by the trillion": [event("a", {"content": [place("a") | {"bytes": 10**12}]})],
    "no number": [event("a", {"content": [{"token": "a", "logprob": "much"}]})],
    "a number that is none": [event("a", {"content": [{"token": "a", "logprob": math.nan}]})],
    "a probability beyond all": [event("a", {"content": [{"token": "a", "logprob": 1e300}]})],
    "compressed": [b"\x1f\x8b\x08\x00 data"],
    "an error in the middle": [event("a"), b'data: {"error": {"message": "no"}}\n\n'],
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.says("Please tell the host, or choose another model")
def test_a_server_that_sends_nonsense(says, server, caplog, bad):
    server.stream = BAD[bad]
    told = refused(caplog)
    assert says in told
    assert " sent " in told or "broke off with an error" in told


@pytest.mark.parametrize("lines", [True, False], ids=["in lines", "in one line"])
@pytest.mark.says("MB, which no answer has")
def test_an_answer_of_20_megabytes(says, server, caplog, lines):
    piece = event("a" * 100_000) if lines else b"data: " + b"a" * 100_000
    server.stream = lambda: itertools.repeat(piece, 200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "MOST_BYTES", 1_000_000)
        assert says in refused(caplog)
    assert server.left.wait(30)


@pytest.mark.parametrize("silent", ["at once", "in the middle"])
@pytest.mark.says("Try again later, or choose another model")
def test_a_server_that_is_silent(says, server, caplog, monkeypatch, silent):
    monkeypatch.setattr(remote, "SILENT_SECONDS", 0.3)
    server.silent, server.stream = True, [] if silent == "at once" else answer()[:4]
    told = refused(caplog)
    assert "was silent for 0 s" in told and says in told


def test_a_server_that_never_comes_to_an_end(server, caplog, monkeypatch):
    """After five minutes the answer is given up, and a sentence says so."""
    monkeypatch.setattr(remote, "MOST_SECONDS", -1)
    assert "was not done after -1 s" in refused(caplog)


@pytest.mark.says("broke off in the middle of its answer. Press Write again")
def test_a_stream_that_is_cut_off(says, server, caplog):
    server.stream = answer()[:4]
    assert says in refused(caplog)
    server.headers, server.stream = {"Content-Length": "9999"}, answer()[:4]
    assert says in refused(caplog)


@pytest.mark.says("cannot be reached at the moment. Try again later")
def test_a_server_that_is_not_there(says, caplog, monkeypatch):
    monkeypatch.setenv(f"GEN_CHAT_SERVER_{NAME}", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv(f"GEN_CHAT_KEY_{NAME}", KEY)
    assert says in refused(caplog)


@pytest.mark.parametrize("proxy", ["nonsense://x", "socks5://127.0.0.1:9", "http://[::1"])
@pytest.mark.says("has no sound address, or this page's proxy has none. Please tell the host")
def test_asking_by_way_of_a_proxy_that_is_none(says, server, caplog, monkeypatch, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    assert says in refused(caplog)


@pytest.mark.says("answered without a word, perhaps because it thinks first")
def test_an_answer_without_a_word(says, server):
    server.stream = [event(" "), event(end="length")]
    with pytest.raises(KnobError, match=says):
        remote.write(MODEL, QUESTION)
