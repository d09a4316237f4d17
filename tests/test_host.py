"""What whoever hosts the page sees of it: health, a page of its own, and a line for each run."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from starlette.applications import Starlette
from starlette.testclient import TestClient

from conftest import ROOT, answer_of, free_port, told_by, wait_until
from demos.page import host, server
from demos.page import records as records_module
from demos.page.controls import Knob, Knobs
from demos.page.handlers import App
from demos.page.host import TOKEN, figures, shown
from demos.page.records import Record, Records
from demos.tabs import vae
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from serving import page_of

SECRET = "a-heron-on-a-purple-typewriter"
RUN = re.compile(
    r"^\S+ (done|stopped|left|refused|failed) waited=\d+\.\d\ds ran=\d+\.\d\ds device=\d+\.\d\ds "
    r"rows=\d+( shared)?( fault=\w+ error=[\dA-F]{4})?$"
)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The log's lines of runs, as they come."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("noise-to-data.runs")
    caplog.set_level(logging.DEBUG, logger.name)
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def gate() -> threading.Event:
    """Set when the work that is under way may end."""
    return threading.Event()


@pytest.fixture(scope="module")
def app() -> App:
    return App("cpu")


@pytest.fixture(scope="module")
def address(app: App, gate: threading.Event) -> Iterator[str]:
    """A page whose one endpoint takes a text, waits for the gate and fails as it is told."""

    def work(text: str, steps: int) -> Iterator:
        if text.startswith("fail"):
            raise ZeroDivisionError(text)
        if text.startswith("refuse"):
            raise KnobError(f"text={text!r}: choose another")
        yield f"{text} began"
        while not gate.wait(0.01):
            yield Progress("Step", 1, 2)
        yield f"{text} ended"

    def slide(text: str) -> str:
        return text

    with gr.Blocks(analytics_enabled=False) as page:
        knobs = Knobs("test", "work", [Knob("steps", "Steps", "whole", 20, 1, 1000)])
        knobs.build()
        text, out, go = gr.Textbox(), gr.Textbox(), gr.Button()
        app.on(go.click, work, knobs, out, inputs={"text": text}, api_name="work")
        gr.HTML(server_functions=[app.serve(slide)], elem_id="slider")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN, "käse")
        yield server.serve(page, app, "127.0.0.1", free_port())
        page.close()


def begun(address: str, text: str):
    """A client's job that is under way."""
    job = Client(address, verbose=False).submit(20, text, api_name="/work")
    wait_until(lambda: f"{text} began" in map(str, job.outputs()), 30)
    return job


# --- a line for each run --------------------------------------------------------------------------


def test_every_run_leaves_a_line_that_says_how_it_ended_and_not_what_for(address, gate, lines):
    gate.set()
    client = Client(address, verbose=False)
    assert client.predict(20, SECRET, api_name="/work") == f"{SECRET} ended"
    with pytest.raises(Exception, match="written down as error"):
        client.predict(20, f"fail {SECRET}", api_name="/work")
    with pytest.raises(Exception, match="choose another"):
        client.predict(20, f"refuse {SECRET}", api_name="/work")
    with pytest.raises(Exception, match="steps=0: choose"):
        client.predict(0, SECRET, api_name="/work")
    gate.clear()
    begun(address, f"stop {SECRET}").cancel()
    wait_until(lambda: len(lines) == 5, 30)
    gate.set()
    assert [line.split()[:2] for line in lines] == [
        ["work", how] for how in ("done", "failed", "refused", "refused", "stopped")
    ]
    assert "fault=ZeroDivisionError error=" in lines[1]
    assert all(RUN.match(line) for line in lines)
    assert not any(word in line for line in lines for word in (SECRET, "127.0.0.1"))


def test_the_line_that_the_docs_show_is_one():
    text = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    shown = [line for line in text.splitlines() if line.startswith("diffusion_generate ")]
    assert shown and all(RUN.match(line) for line in shown)


def test_a_visitor_who_leaves_is_told_from_one_who_stops(address, gate, lines):
    gate.clear()
    config = httpx.get(f"{address}config").json()
    (fn,) = (d["id"] for d in config["dependencies"] if d["api_name"] == "work")
    body = {"data": [20, SECRET], "session_hash": "gone", "fn_index": fn}
    httpx.post(f"{address}gradio_api/queue/join", json=body).raise_for_status()
    watching = {"session_hash": "gone"}
    with httpx.stream("GET", f"{address}gradio_api/queue/data", params=watching) as stream:
        assert any(" began" in line for line in stream.iter_lines())
    wait_until(lambda: lines, 30)
    gate.set()
    assert [line.split()[:2] for line in lines] == [["work", "left"]] and SECRET not in lines[0]


def test_rows_and_seconds_are_those_of_whoever_had_the_work_done(lines):
    app = App("cpu")
    (panel,) = (part for part in vae.TAB.panels if part.id == "samples")
    settings = panel.first_settings(app)
    knobs = Knobs("vae", "samples", panel.declared(app)[0])

    def work(**settings):
        for value in panel.run(app, **settings):
            yield None if not isinstance(value, Progress) else value

    run = app._guarded(app.work("vae_samples", work), knobs, [])
    for _ in range(2):
        told_by(run, *settings.values())
    first, second = lines
    assert int(re.search(r"rows=(\d+)", first)[1]) == settings["count"]
    assert " rows=0 shared" in second and " device=0.00s " in second
    assert app.records.figures()["rows_per_second"] > 0


def test_a_sliders_many_answers_are_for_those_who_debug_unless_one_fails(caplog):
    app = App("cpu")

    def decode(text: str) -> str:
        return text

    def fails(text: str) -> None:
        raise ZeroDivisionError(text)

    with caplog.at_level(logging.INFO, "noise-to-data.runs"):
        assert answer_of(app.serve(decode), SECRET) == SECRET
        assert "error" in answer_of(app.serve(fails), SECRET)
    (said,) = (r.getMessage() for r in caplog.records if r.name == "noise-to-data.runs")
    assert " failed " in said and SECRET not in said
    assert len(app.records.figures()["endpoints"]) == 2


def test_who_only_slides_is_a_visitor_too(address, app):
    config = httpx.get(f"{address}config").json()
    (slider,) = (c["id"] for c in config["components"] if c["props"].get("elem_id") == "slider")
    before = app.records.figures()["sessions"]
    for session in ("one", "two", "two"):
        body = {"component_id": slider, "fn_name": "slide", "session_hash": session, "data": "0.5"}
        answer = httpx.post(f"{address}gradio_api/component_server", json=body)
        assert answer.json() == "0.5"
    assert app.records.figures()["sessions"] == before + 2


def test_sliders_many_answers_leave_what_is_known_of_runs(monkeypatch):
    monkeypatch.setattr(records_module, "MOST", 5)
    monkeypatch.setattr(records_module, "MOST_LIGHT", 5)
    records = Records()
    records.add(Record("work", "done", rows=60))
    for _ in range(10):
        records.add(Record("slide", "done"), light=True)
    told = records.figures()
    assert told["endpoints"]["work"]["count"] == 1 and told["endpoints"]["slide"]["count"] == 5
    assert told["rows_per_second"] > 0


def test_figures_are_about_late_runs_alone():
    records, now = Records(), time.time()
    records.began = now - 3600
    for age, ended in ((3000, "done"), (300, "done"), (30, "done"), (3, "stopped")):
        ran = {3000: 9.0, 300: 1.0, 30: 3.0, 3: 50.0}[age]
        records.add(Record("work", ended, ran=ran, device=ran / 2, rows=120, at=now - age))
    told = records.figures()
    assert told["rows_per_second"] == 4 and told["runs_per_minute"] == 2  # of the last minute
    found = told["endpoints"]["work"]
    assert found["count"] == 3 and found["done"] == 2 and found["stopped"] == 1
    assert found["ran"] == 2 and found["device"] == 1


# --- seen from outside ----------------------------------------------------------------------------


def test_healthz_says_ok_and_why_not(address, app):
    answer = httpx.get(f"{address}healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "device": app.device_title}
    closed = App("cpu")
    closed.engine.close()
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Button()
    with TestClient(Starlette(routes=host.routes(closed, page, ""))) as outside:
        answer = outside.get("/healthz")
        assert answer.status_code == 503 and answer.json()["status"] == "the engine is closed"
        assert outside.get("/host").status_code == outside.get("/host.json").status_code == 404


@pytest.mark.parametrize("path", ["host", "host.json"])
def test_the_hosts_page_is_for_whoever_names_the_token(address, path):
    for wrong in ("", "?token=", "?token=kase", "?token=k%C3%A4se1"):
        answer = httpx.get(f"{address}{path}{wrong}")
        assert answer.status_code == 403 and "rows" not in answer.text.lower()
    for wrong in (
        {"authorization": "Bearer kase"},
        {"cookie": f"{host.COOKIE}=kase"},
        {"cookie": f"{host.COOKIE}="},
    ):
        assert httpx.get(f"{address}{path}", headers=wrong).status_code == 403
    bearer = {"authorization": "Bearer käse".encode()}
    for named in ({"params": {"token": "käse"}}, {"headers": bearer}):
        answer = httpx.get(f"{address}{path}", follow_redirects=True, **named)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"


def test_the_hosts_page_takes_the_token_out_of_its_address(address):
    with httpx.Client() as browser:
        first = browser.get(f"{address}host", params={"token": "käse"})
        assert first.status_code == 303 and first.headers["location"] == "host"
        said = first.headers["set-cookie"].lower()
        assert "httponly" in said and "samesite=lax" in said and "path" not in said
        assert "käse" not in said and "k%c3%a4se" not in said
        for path in ("host", "host.json"):
            answer = browser.get(f"{address}{path}")
            assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"


def test_without_a_token_there_is_no_such_page(monkeypatch):
    monkeypatch.delenv(TOKEN, raising=False)
    with page_of(vae.TAB) as address:
        assert httpx.get(f"{address}healthz").status_code == 200
        for path in ("host", "host.json", "host?token="):
            assert httpx.get(f"{address}{path}").status_code == 404


def test_the_page_and_its_json_tell_of_runs_and_errors_and_of_no_prompt(address, app, gate):
    gate.clear()
    job = begun(address, SECRET)
    told = httpx.get(f"{address}host.json", params={"token": "käse"}).json()
    assert told["status"] == "ok" and told["running"] == 1 and told["sessions"] >= 1
    assert told["memory"] > 50e6 and told["memory_free"] > 0 and told["uptime"] > 0
    gate.set()
    job.result(30)
    with pytest.raises(Exception, match="written down as error"):
        Client(address, verbose=False).predict(20, f"fail {SECRET}", api_name="/work")
    answer = httpx.get(f"{address}host", params={"token": "käse"}, follow_redirects=True)
    assert "<td>work</td>" in answer.text and "<td>ZeroDivisionError " in answer.text
    assert SECRET not in answer.text and "127.0.0.1" not in answer.text


def test_what_is_shown_is_escaped_and_a_fault_stands_out(app, address):
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Button()
    app.records.add(Record("<script>", "done"))
    told = figures(app, page) | {"status": "the engine is closed"}
    text = shown(told)
    assert "<td>&lt;script&gt;</td>" in text and 'class="unfit"' in text


@pytest.mark.browser
def test_the_hosts_page_renews_what_has_changed_and_nothing_else(chromium, address, app):
    page = chromium.new_page()
    page.goto(f"data:text/html,<a href='{address}host?token=käse'>from another site</a>")
    page.get_by_role("link").click()
    page.wait_for_url(f"{address}host")
    status = page.locator("#tile-0")
    assert status.text_content() == "ok"
    page.evaluate("document.querySelector('#tile-0').firstChild.marked = true")
    app.records.add(Record("late", "failed", fault="LateError"))
    page.get_by_text("LateError").wait_for(timeout=30_000)
    assert page.evaluate("document.querySelector('#tile-0').firstChild.marked")
    page.context.set_offline(True)
    page.get_by_text("The app has not answered since").wait_for(timeout=30_000)
    page.context.set_offline(False)
    page.locator("#lost").wait_for(state="hidden", timeout=30_000)
    backgrounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == ["rgb(250, 249, 246)", "rgb(19, 19, 22)"]
    page.close()
