"""A fair queue for the device: each visitor has at most one request running and one waiting."""

import asyncio
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio import route_utils
from gradio.context import LocalContext
from gradio.queueing import Event, Queue
from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import error_payload

from gen_core.engine.kept import Kept

DEVICE = "device"
"""The concurrency id of every event that computes: the engine says which goes first."""
OWN_PROCESS = "own process"
"""That of events whose work is done in a process of its own, without the device."""
FAIR = (DEVICE, OWN_PROCESS)
PER_VISITOR = 2
EVENT_SECONDS, MOST_EVENTS = 3600.0, 10_000
"""How long, and of how many events, the sessions are known that may cancel them."""
TITLE = "One after the other"
REFUSAL = (
    "You have one request running and one waiting already: "
    "let one finish, or press Stop, and try again."
)


def queue_fairly(
    page: gr.Blocks, max_size: int = 64, stopped: Callable[[str], None] = lambda session: None
) -> gr.Blocks:
    """Turns the queue on, `max_size` requests long, and refuses a visitor's third request.

    stopped: told the session of an event that its visitor has cancelled, and not left by vanishing.
    Gradio's queue shows everyone their place, but lets one session fill it. It has no hooks for
    this, so its `push` and `remove_from_queue`, which `/cancel` calls alone, are wrapped.
    Both kinds count apart. There is no way around the queue (api_open=False).
    """
    page.queue(default_concurrency_limit=4, max_size=max_size, api_open=False)
    queue, push, door = page._queue, page._queue.push, asyncio.Lock()
    remove, sessions = queue.remove_from_queue, Kept(EVENT_SECONDS, MOST_EVENTS)

    async def noted_push(body: Any, **more: Any) -> Any:
        accepted, event_id, status = await push(body=body, **more)
        if accepted:
            sessions.put(event_id, body.session_hash or event_id, 1)
        return accepted, event_id, status

    async def noted_remove(event_id: str) -> None:
        if session := sessions.get(event_id):
            stopped(session)
        await remove(event_id)

    async def fair_push(body: Any, request: Any, username: str | None) -> Any:
        kind = route_utils.get_fn(page, None, body).concurrency_id
        if kind not in FAIR:
            return await noted_push(body, request=request, username=username)
        async with door:  # nobody slips in between counting and joining
            if under_way(queue, _visitor(body.session_hash, request), kind) >= PER_VISITOR:
                return True, await _refuse(queue, body, request), "success"
            return await noted_push(body, request=request, username=username)

    queue.push, queue.remove_from_queue = fair_push, noted_remove
    return page


async def _refuse(queue: Queue, body: Any, request: Any) -> str:
    """Answers a request with an error at once, where page and API alike look for one.

    (Gradio's own refusals are HTTP errors, whose text its Python client does not show.)
    """
    event = Event(body.session_hash, route_utils.get_fn(queue.blocks, None, body), request, None)
    session = event.session_hash
    async with queue.pending_message_lock:
        if session not in queue.pending_messages_per_session:
            queue.pending_messages_per_session[session] = asyncio.Queue()
        queue.pending_event_ids_session.setdefault(session, set()).add(event._id)
    error = error_payload(gr.Error(REFUSAL, title=TITLE), show_error=True)
    queue.send_message(event, ProcessCompletedMessage(output=error, title=TITLE, success=False))
    return event._id


def under_way(queue: Queue, visitor: str, kind: str) -> int:
    """This visitor's requests of a kind (a concurrency id), running or waiting."""
    return sum(
        event.alive
        and event.concurrency_id == kind
        and visitor
        == _visitor(
            # Without a session, Gradio takes an event's own id for one.
            None if event.session_hash == event._id else event.session_hash,
            event.request,
        )
        for event in list(queue.event_ids_to_events.values())
    )


def _visitor(session: str | None, request: Any) -> str:
    """A browser tab or API client by its session, a caller of the plain HTTP API by address."""
    return session or _address(request)


def _address(request: Any) -> str:
    """As the proxy that is nearest to the visitor tells it."""
    host = request.client.host if request.client else "unknown"
    return request.headers.get("x-forwarded-for", host).split(",")[0].strip()


def known_by() -> tuple[str, ...]:
    """The session and the network address of the visitor whose request this is; () where there is
    none."""
    request = LocalContext.request.get(None)
    if request is None:
        return ()
    return (request.session_hash or "", _address(request))
