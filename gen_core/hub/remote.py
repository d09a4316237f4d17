"""A language model on a server of the host's choice, by OpenAI's protocol of chat completions.

The server is not trusted: it can be slow, broken or full of somebody else's text. Its redirects are
not followed, its errors are not repeated, no more is read than an answer can be, and the key goes
nowhere but into the header of the request.
"""

import codecs
import contextlib
import json
import logging
import math
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from gen_core.hub.answers import (
    MOST_CANDIDATES,
    WRITING,
    Answer,
    Asked,
    Candidate,
    Token,
    Written,
)
from gen_core.hub.language_models import LanguageModel, address_of, key_of
from gen_core.knobs import KnobError
from gen_core.progress import Progress, Report, ignore

log = logging.getLogger("noise-to-data")

CONNECT_SECONDS, SILENT_SECONDS, MOST_SECONDS = 10.0, 60.0, 300.0
"""How long a server may take to be reached, be silent, and answer in all."""
MOST_BYTES = 4_000_000
"""Of an answer: 400 tokens with 20 candidates each are two million."""
PATH = "/chat/completions"
BROKE_OFF = "broke off in the middle of its answer. Press Write again"


class Broken(Exception):
    """What came is not what the protocol says."""


def request_of(model: LanguageModel, asked: Asked) -> dict[str, Any]:
    """What the server is sent, as JSON."""
    sent = {
        "model": model.repository,
        "messages": [{"role": "user", "content": asked.text}],
        "max_tokens": asked.tokens,
        "temperature": asked.temperature,
        "top_p": asked.top_p,
        "stream": True,
    }
    if model.seed:
        sent["seed"] = asked.seed
    if model.candidates:
        sent |= {"logprobs": True, "top_logprobs": model.candidates}
    return sent


def write(model: LanguageModel, asked: Asked, progress: Report = ignore) -> Answer:
    """The server's answer; reports each token as it comes. Raises KnobError, in words for a
    visitor, for whatever goes wrong."""
    if not asked.chat:
        raise KnobError(
            f"{model.name} runs on a server that takes questions alone: choose a question, or a "
            "model that runs here"
        )
    progress(Progress(f"Asking {model.name}"))
    started, reading, fault = time.perf_counter(), Reading(), ""
    try:
        with contextlib.closing(_events(model, asked)) as events:
            for event in events:
                if new := reading.take(event):
                    progress(Written(WRITING, len(reading.pieces), asked.tokens, tokens=new))
                if len(reading.pieces) > asked.tokens:  # it heeds no limit
                    reading.reason = "length"
                    break
    except Broken as error:
        fault = f"{error}. Please tell the host, or choose another model"
    if fault or not reading.reason:
        raise _no(model, fault or BROKE_OFF)
    return reading.answer(model, asked, time.perf_counter() - started)


def _events(model: LanguageModel, asked: Asked) -> Iterator[Any]:
    """The JSON of each event of the stream. Raises KnobError and Broken."""
    import httpx

    key = key_of(model.server)
    headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    address, sent = address_of(model.server) + PATH, request_of(model, asked)
    try:
        with (
            _client() as client,
            client.stream("POST", address, headers=headers, json=sent) as response,
        ):
            if response.status_code != 200:
                raise _no(model, _status(model, response))
            yield from _parsed(response.iter_raw())
    except httpx.ConnectError:
        said = "cannot be reached at the moment. Try again later"
    except httpx.TimeoutException:
        said = f"was silent for {SILENT_SECONDS:.0f} s. Try again later, or choose another model"
    except httpx.HTTPError:
        said = BROKE_OFF
    except (ImportError, httpx.InvalidURL):
        log.warning("%s: the address of %s, or that of a proxy, is none", model.name, model.server)
        said = "has no sound address, or this page's proxy has none. Please tell the host"
    else:
        return
    raise _no(model, said)  # here, and not above: no error of the library's stays behind it


def _client() -> Any:
    """Follows no redirect, and uses the environment's proxies. Raises httpx.InvalidURL."""
    import httpx

    timeout = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
    try:
        return httpx.Client(timeout=timeout, follow_redirects=False)
    except ValueError as error:
        raise httpx.InvalidURL("a proxy") from error


def _no(model: LanguageModel, said: str) -> KnobError:
    return KnobError(f"{model.name}: its server {said}. {model.instead}")


def _status(model: LanguageModel, response: Any) -> str:
    """What a visitor reads in place of an answer. The server's own words are not repeated: they may
    tell of the key."""
    status = response.status_code
    log.warning("%s: the server %s answered with the status %d", model.name, model.server, status)
    if 300 <= status < 400:
        return "sends on to another address, which is not followed. Please tell the host"
    if status in (401, 403):
        return f"does not let this page in (error {status}). Please tell the host"
    if status == 404:
        return "knows no such model (error 404). Please tell the host"
    if status == 429:
        after = response.headers.get("retry-after", "")
        when = f"in {int(after):,} s" if re.fullmatch("[0-9]{1,6}", after) else "in some minutes"
        return f"has too much to do, or this page's share is used up (error 429). Try again {when}"
    if status >= 500:
        return f"has a fault of its own (error {status}). Try again later"
    return (
        f"refuses what it is asked (error {status}): it may take less text, no seed or no "
        "log-probabilities. Write less, or tell the host"
    )


def _parsed(chunks: Iterator[bytes]) -> Iterator[Any]:
    """The events of a stream (server-sent events, each a line of JSON), up to its end."""
    until, count, rest, events = time.monotonic() + MOST_SECONDS, 0, b"", 0
    for chunk in chunks:
        count += len(chunk)
        if count > MOST_BYTES:
            raise Broken(f"sent more than {MOST_BYTES / 1e6:.0f} MB, which no answer has")
        if time.monotonic() > until:
            raise Broken(f"was not done after {MOST_SECONDS:.0f} s")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            if (data := line[5:].strip()) == b"[DONE]":
                return
            try:
                event = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise Broken("sent what is no JSON") from error
            events += 1
            yield event
    if not events:
        raise Broken("sent no stream of events")


class Reading:
    """Takes the events of an answer one after the other."""

    def __init__(self) -> None:
        self.pieces: list[Token] = []
        """One a token, or one an event where nobody tells of tokens."""
        self.reason = ""
        """Why it ended, as the server says."""
        self.told = True
        """Whether every piece so far came with its log-probability."""
        self._text: list[str] = []
        self._kinds: dict[Any, int] = {}
        self._bytes = codecs.getincrementaldecoder("utf-8")("replace")

    def take(self, event: Any) -> tuple[Token, ...]:
        """The tokens that an event brings, or its piece of the text. Raises Broken."""
        try:
            if event.get("error"):
                raise Broken("broke off with an error")
            (choice, *_) = event["choices"] or [{}]
            self.reason = choice.get("finish_reason") or self.reason
            text = (choice.get("delta") or {}).get("content") or ""
            places = (choice.get("logprobs") or {}).get("content") or []
            if not isinstance(text, str):
                raise TypeError(text)
            tokens = [self._token(place) for place in places]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Broken("sent what is no answer") from error
        return self._keep(text, tokens)

    def _keep(self, text: str, tokens: list[Token]) -> tuple[Token, ...]:
        if text:
            self._text.append(text)
        if tokens and self.told:
            self.pieces += tokens
            return tuple(tokens)
        if not text:
            return ()
        if self.told and self.pieces:  # it has told of those before, and of this one it does not
            self.pieces = [Token(0, piece) for piece in self._text[:-1]]
        self.told = False
        self.pieces.append(Token(0, text))
        return (self.pieces[-1],)

    def _token(self, place: Mapping[str, Any]) -> Token:
        own = self._candidate(place)
        others = [self._candidate(other) for other in place.get("top_logprobs") or []]
        rows = {candidate.kind: candidate for candidate in [*others[:MOST_CANDIDATES], own]}
        bits = -float(place["logprob"]) / math.log(2)
        if not math.isfinite(bits):
            raise ValueError(bits)
        text = self._bytes.decode(bytes(place["bytes"])) if place.get("bytes") else own.text
        return Token(own.kind, text, max(0.0, bits), tuple(rows.values()))

    def _candidate(self, place: Mapping[str, Any]) -> Candidate:
        text, spelt = place["token"], place.get("bytes")
        if not isinstance(text, str):
            raise TypeError(text)
        kind = self._kinds.setdefault((text, tuple(spelt or ())), len(self._kinds))
        return Candidate(kind, text, min(1.0, math.exp(float(place["logprob"]))))

    def answer(self, model: LanguageModel, asked: Asked, seconds: float) -> Answer:
        """All of it. Raises KnobError where it holds nothing."""
        text = "".join(self._text)
        if not text.strip():
            raise KnobError(
                f"{model.name} answered without a word, perhaps because it thinks first: ask for "
                "more tokens, or something else"
            )
        pieces = self.pieces
        if self.told and "".join(piece.text for piece in pieces) != text:
            pieces = [Token(0, piece) for piece in self._text]
        read = json.dumps(request_of(model, asked)["messages"], indent=2, ensure_ascii=False)
        cut = self.reason == "length"
        return Answer(tuple(pieces), read, cut=cut, count=len(self.pieces), seconds=seconds)
