"""When something goes wrong that nobody foresaw"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator

import gradio
import httpx
import pytest
from gradio_client import Client

from conftest import answer_of, awaited, free_port
from demos.cluster.replica import Replica, unwrapped
from demos.page import host, server, shell
from demos.page.faults import number_of, payload, written_down
from demos.page.handlers import App, message_of
from demos.page.work import Order
from gen_core.knobs import KnobError
from shell_page import TABS

NUMBER = re.compile(r"error ([0-9A-F]{4})\b")
TOKEN = "a-token"
SECRET = "a secret of the server"
"""In the text of the error that `shell_page.broken` raises."""


@pytest.fixture(scope="module")
def app() -> App:
    return App("cpu")


@pytest.fixture(scope="module")
def address(app: App) -> Iterator[str]:
    """A page with a bug, whose host can look at it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(host.TOKEN, TOKEN)
        page = shell.build_page(app, TABS)
        yield server.serve(page, app, "127.0.0.1", free_port()).rstrip("/")
        page.close()


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture):
    """written(what a visitor reads, what was raised): the trace stands in the log, once,
    and under the number that the visitor reads."""
    caplog.set_level(logging.INFO, "noise-to-data")

    def check(said: str, raised: str) -> str:
        assert "Traceback" not in said and SECRET not in said and ".py" not in said
        (number,) = NUMBER.findall(said)
        lines = [r for r in caplog.records if number in r.getMessage() and r.exc_info]
        (line,) = lines
        assert raised in logging.Formatter().format(line)
        return number

    return check


@pytest.mark.says("Something went wrong on the server. It is written down as error")
def test_a_bug_in_a_run(says: str, address: str, app: App, written):
    with pytest.raises(Exception) as error:
        Client(address, verbose=False).predict("bug", api_name="/broken")
    assert says in str(error.value)
    number = written(str(error.value), f"ZeroDivisionError: {SECRET}")
    page = httpx.get(f"{address}/host.json", headers={"authorization": f"Bearer {TOKEN}"}).json()
    assert page["errors"][0]["number"] == number, "the host's page has it too"


def test_a_bug_in_the_answer_of_a_slider(app: App, written):
    """The same sentence stands where the answer would."""

    def answer(x: float) -> float:
        return x / 0

    said = answer_of(app.serve(answer), 1.0)["error"]
    assert written(said, "in answer") in said


def test_a_bug_that_several_visitors_meet(written):
    """All read the same number, for it was drawn once for all."""
    error = LookupError(SECRET)
    assert message_of(error) == message_of(error) == written_down(error)
    written(message_of(error), "LookupError")


class Stubborn(Exception):
    """Cannot be sent to another process: it takes two words, and keeps one."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


@pytest.mark.parametrize("error", [ArithmeticError(SECRET), Stubborn(SECRET, "!")])
def test_a_bug_in_a_replica(error: Exception, written):
    """The page's own log has the number, and the replica's trace."""

    def work() -> None:
        raise error

    replica = Replica("cpu")
    name = replica.app.work("faulty", work).name

    async def pieces() -> list:
        return [piece async for piece in replica.stream(Order(name))]

    with pytest.raises(Exception) as raised:
        list(unwrapped(awaited(pieces())))
    written(message_of(raised.value), "in work")


@pytest.mark.says("The disk of the server is full. It is written down as error")
def test_an_upload_to_a_disk_that_is_full(says: str, address: str, written, monkeypatch):
    async def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(gradio.routes, "upload_fn", full)
    answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("boot.png", b"0")})
    assert answer.status_code == 500 and says in answer.text
    written(answer.text, "No space left on device")


def test_a_bug_on_the_hosts_page(address: str, written, monkeypatch):
    """Its answer has the number."""

    def figures(app: App, page: object) -> dict:
        raise KeyError(SECRET)

    monkeypatch.setattr(host, "figures", figures)
    answer = httpx.get(f"{address}/host.json", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 500
    written(answer.json()["error"], "KeyError")


def test_a_bug_in_gradio(address: str, written):
    """What it would send of any error as its text becomes the same sentence."""
    said = str(payload(TypeError(SECRET), True)["error"])
    assert written(said, "TypeError") in said
    body = {"data": [], "fn_index": 99_999, "session_hash": "bug"}
    answer = httpx.post(f"{address}/gradio_api/queue/join", json=body)
    assert answer.status_code == 500
    written(answer.json()["error"], "KeyError")


REQUESTS = [
    ("GET", "gradio_api/file=/etc/passwd", b"", 403),
    ("GET", "gradio_api/file=/no/such/file", b"", 403),
    ("GET", "gradio_api/file=%00", b"", 403),
    ("GET", "gradio_api/file=..%2f..%2fetc%2fpasswd", b"", 403),
    ("GET", "gradio_api/proxy=http://127.0.0.1/", b"", 400),
    ("GET", "files/none.png", b"", 404),
    ("GET", "host.json?token=banana", b"", 403),
    ("POST", "gradio_api/queue/join", b"{}", 422),
    ("POST", "gradio_api/queue/join", b"\xff{", 400),
    ("POST", "gradio_api/queue/join", b'{"data": {"a": 1}, "fn_index": "x"}', 422),
    ("POST", "gradio_api/component_server", b"[1]", 400),
    ("POST", "gradio_api/run/work", b'{"data": []}', 404),
    ("POST", "gradio_api/upload", b"x", 400),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
def test_asking_for_what_is_not_there(method, path, body, status, address: str):
    """Refused, without a word of how the server is made."""
    json = {"content-type": "application/json"}
    answer = httpx.request(method, f"{address}/{path}", content=body, headers=json)
    assert answer.status_code == status and "Traceback" not in answer.text
    assert "site-packages" not in answer.text and "root:" not in answer.text


@pytest.mark.says("didn't receive enough input values (needed: 1, got: 0).")
def test_a_program_that_sends_too_few_values(says: str, address: str):
    said = told(address, "broken", [])
    assert said.endswith(says) and "\n" not in said


def test_a_program_that_sends_a_file_of_the_servers(address: str):
    """Refused: it was not uploaded."""
    file = {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}
    said = told(address, "broken", [file])
    assert "was not uploaded by a user" in said and "root:" not in said


def told(address: str, name: str, data: list) -> str:
    """The error that a call of the queue ends with."""
    known = httpx.get(f"{address}/config").json()["dependencies"]
    (number,) = (each["id"] for each in known if each["api_name"] == name)
    session = {"session_hash": f"{name}{len(data)}"}
    api = f"{address}/gradio_api/queue"
    asked = {"data": data, "fn_index": number} | session
    assert httpx.post(f"{api}/join", json=asked).status_code == 200
    with httpx.stream("GET", f"{api}/data", params=session, timeout=30) as answer:
        for line in answer.iter_lines():
            if '"process_completed"' in line:
                return httpx.Response(200, text=line.removeprefix("data: ")).json()["output"][
                    "error"
                ]
    raise AssertionError("no answer")


def test_an_error_that_was_foreseen():
    """It has a sentence of its own, and no number."""
    error = gradio.Error("choose fewer")
    assert payload(error, False)["error"] == "choose fewer" and not number_of(error)


def test_a_bug_behind_a_call_past_the_queue(address: str):
    """The same sentence, and what was foreseen in its own words."""
    told = gradio.utils.error_payload(RuntimeError("secret"), True)
    assert "It is written down as error" in told["error"] and "secret" not in str(told)
    assert gradio.utils.error_payload(KnobError("steps=0"), True)["error"] == "steps=0"
