"""The queue in front of the device, with real clients: fair, and Stop is one's own."""

from __future__ import annotations

import functools
import threading

import gradio as gr
import httpx
import pytest
from gradio_client import Client
from gradio_client.utils import Status

from conftest import wait_until
from demos.page.controls import Knob, Knobs
from demos.page.handlers import App
from demos.page.queueing import REFUSAL, queue_fairly
from gen_core import engine
from gen_core.knobs import KnobError
from gen_core.progress import Progress

UNDER_WAY = {Status.PROCESSING, Status.PROGRESS}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def gates():
    """That of the test which is under way, last; those before it are set."""
    return [threading.Event()]


@pytest.fixture
def gate(gates):
    """Set by a test when the work that is under way may end."""
    gates.append(threading.Event())
    yield gates[-1]
    gates[-1].set()


@pytest.fixture(scope="module")
def app():
    return App("cpu")


@pytest.fixture(scope="module")
def begun():
    """Names of the runs that have begun."""
    return []


@pytest.fixture(scope="module")
def address(app, gates, begun):
    def work(name, steps):
        begun.append(name)
        if name == "unforeseen":
            raise ZeroDivisionError("a secret detail")
        if name == "impossible":
            raise KnobError("name='impossible': choose another")
        gate = gates[-1]
        yield f"{name} began {steps}"
        while not gate.wait(0.01):
            yield Progress("Step", 1, 2)
        yield f"{name} ended"

    with gr.Blocks(analytics_enabled=False) as page:
        knobs = Knobs("test", "work", [Knob("steps", "Steps", "whole", 20, 1, 1000)])
        knobs.build()
        name, out, go = gr.Textbox(), gr.Textbox(), gr.Button()
        for way, own in (("work", False), ("beside", True)):
            app.on(go.click, work, knobs, out, inputs={"name": name}, api_name=way, own_process=own)
        known = functools.partial(work, "known")
        app.on(go.click, known, knobs, out, api_name="known")
    queue_fairly(page, stopped=app.stopped)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield url
    page.close()


def outputs_so_far(job):
    return [str(o) for o in job.outputs()]


def test_a_visitor_has_one_running_and_one_waiting_request(address, gate):
    first, second = Client(address, verbose=False), Client(address, verbose=False)
    running = first.submit(20, "a", api_name="/work")
    wait_until(lambda: "a began 20" in outputs_so_far(running), 30)
    waiting = first.submit(20, "b", api_name="/work")
    wait_until(lambda: waiting.status().code in UNDER_WAY, 30)
    with pytest.raises(Exception, match=REFUSAL[:40]):
        first.submit(20, "c", api_name="/work").result(30)
    other = second.submit(20, "d", api_name="/work")
    wait_until(lambda: "d began 20" in outputs_so_far(other), 30)  # beside "a"
    assert outputs_so_far(waiting) == []
    gate.set()
    assert [job.result(30) for job in (running, waiting, other)] == [
        "a ended",
        "b ended",
        "d ended",
    ]


def test_work_beside_the_lane_does_not_wait_for_it_and_counts_apart(address, gate):
    first, second = Client(address, verbose=False), Client(address, verbose=False)
    jobs = [first.submit(20, "a", api_name="/work")]
    wait_until(lambda: "a began 20" in outputs_so_far(jobs[0]), 30)
    for visitor, name in ((first, "b"), (first, "c"), (second, "d")):
        jobs.append(visitor.submit(20, name, api_name="/beside"))
        wait_until(lambda: f"{name} began 20" in outputs_so_far(jobs[-1]), 30)  # noqa: B023
    with pytest.raises(Exception, match=REFUSAL[:40]):
        first.submit(20, "e", api_name="/beside").result(30)
    gate.set()
    assert [job.result(30) for job in jobs] == [f"{name} ended" for name in "abcd"]


def test_one_visitors_stop_leaves_the_others_run_alone(app, address, gate):
    first, second = Client(address, verbose=False), Client(address, verbose=False)
    mine = first.submit(20, "mine", api_name="/work")
    wait_until(lambda: "mine began 20" in outputs_so_far(mine), 30)
    theirs = second.submit(20, "theirs", api_name="/work")
    wait_until(lambda: "theirs began 20" in outputs_so_far(theirs), 30)
    again = first.submit(20, "again", api_name="/work")
    wait_until(lambda: again.status().code in UNDER_WAY, 30)
    again.cancel()  # one that waits
    mine.cancel()
    wait_until(lambda: app.engine.busy == 1, 30)
    gate.set()
    assert theirs.result(30) == "theirs ended"
    assert first.submit(20, "last", api_name="/work").result(30) == "last ended"
    assert "mine ended" not in outputs_so_far(mine)
    assert outputs_so_far(again) == []


def begin_and_vanish(address: str, api_name: str, data: list) -> None:
    """A closed tab: its stream breaks off in the middle of a run."""
    config = httpx.get(f"{address}config").json()
    fn = next(d for d in config["dependencies"] if d["api_name"] == api_name)
    body = {"data": data, "session_hash": "vanishing", "fn_index": fn["id"]}
    httpx.post(f"{address}gradio_api/queue/join", json=body)
    watching = {"session_hash": "vanishing"}
    with httpx.stream("GET", f"{address}gradio_api/queue/data", params=watching) as lines:
        assert any(" began" in line for line in lines.iter_lines())


def test_a_visitor_who_vanishes_leaves_no_run_behind_that_nobody_else_can_ask_for(
    app, address, gate
):
    begin_and_vanish(address, "work", [20, "gone"])
    wait_until(lambda: not running(app), 30)
    assert not gate.is_set()  # it did not end by itself


def test_a_run_goes_on_for_a_visitor_who_comes_back(app, address, gate, begun):
    begin_and_vanish(address, "known", [20])
    wait_until(lambda: not app.engine.busy, 30)  # nobody waits for it
    assert running(app) == ["known"]
    back = Client(address, verbose=False).submit(20, api_name="/known")
    wait_until(lambda: outputs_so_far(back), 30)
    gate.set()
    assert back.result(30) == "known ended"
    assert begun.count("known") == 1


def test_a_run_ends_for_a_visitor_who_stays_away(app, address, gate, monkeypatch):
    begin_and_vanish(address, "known", [21])
    wait_until(lambda: not app.engine.busy, 30)
    assert running(app) == ["known"]
    monkeypatch.setattr(engine, "LINGER_SECONDS", 0.0)
    wait_until(lambda: not running(app), 30)


def test_a_run_ends_with_its_visitors_stop(app, address, gate):
    job = Client(address, verbose=False).submit(22, api_name="/known")
    wait_until(lambda: outputs_so_far(job), 30)
    job.cancel()
    wait_until(lambda: not running(app), 30)
    assert not gate.is_set() and "known ended" not in outputs_so_far(job)


def running(app: App) -> list[str]:
    """Kinds of the requests that have not ended, whether anybody waits for them or not."""
    return [request.kind for request in app.engine._started]


def test_callers_of_the_plain_api_count_by_address(address, gate):
    def call(name: str) -> str:
        body = {"data": [20, name]}
        return httpx.post(f"{address}gradio_api/call/work", json=body).json()["event_id"]

    def answer(event: str) -> str:
        return httpx.get(f"{address}gradio_api/call/work/{event}", timeout=30).text

    running, waiting, refused = call("a"), call("b"), call("c")
    assert REFUSAL in answer(refused)
    gate.set()
    assert "a ended" in answer(running) and "b ended" in answer(waiting)


def test_there_is_no_way_around_the_queue(address, gate):
    reply = httpx.post(f"{address}gradio_api/run/work", json={"data": [20, "a"]})
    assert reply.status_code == 404


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("0", "steps=0"),
        ("2.5", "steps=2.5"),
        ("null", "steps=None"),
        ('"20"', "steps='20'"),
        ("1000000", "steps=1000000"),
        ("NaN", "steps=nan"),
        ("-Infinity", "steps=-inf"),
        ("[1]", "steps=[1]"),
        ("true", "steps=True"),
        ('{"a": 1}', "steps={'a': 1}"),
    ],
)
def test_bad_input_names_the_value_and_the_range_and_harms_nothing(address, gate, sent, said):
    gate.set()
    body = f'{{"data": [{sent}, "a"]}}'  # as text: JSON libraries do not write NaN
    post = httpx.post(f"{address}gradio_api/call/work", content=body, headers=JSON)
    answer = httpx.get(f"{address}gradio_api/call/work/{post.json()['event_id']}", timeout=30).text
    assert f"{said}: choose a whole number from 1 to 1000" in answer
    assert Client(address, verbose=False).predict(20, "b", api_name="/work") == "b ended"


def test_an_unforeseen_error_is_not_shown_to_the_visitor(address, gate):
    gate.set()
    client = Client(address, verbose=False)
    with pytest.raises(Exception, match="written down as error") as failure:
        client.predict(20, "unforeseen", api_name="/work")
    assert "secret" not in str(failure.value)
    with pytest.raises(Exception, match="name='impossible': choose another"):
        client.predict(20, "impossible", api_name="/work")
    assert client.predict(20, "next", api_name="/work") == "next ended"
