"""Errors that nobody foresaw: a number for the visitor, and the trace under it in the log."""

import logging
import secrets

from gradio import exceptions, queueing, utils
from gradio.utils import error_payload
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gen_core.hub.failures import causes, disk_is_full
from gen_core.knobs import KnobError

log = logging.getLogger("noise-to-data")

NUMBER = "_written_down_as"
TOO_FEW = "didn't receive enough input values"
"""What Gradio says to callers of the API; a list of its objects follows in further lines."""


def number_of(error: BaseException) -> str:
    """Under which it is written down; "" where it is not."""
    return error.__dict__.get(NUMBER, "")


def written_down(error: BaseException) -> str:
    """Writes an error with its trace into the log, once, and returns what a visitor reads of it."""
    if not number_of(error):
        error.__dict__[NUMBER] = secrets.token_hex(2).upper()
        log.error("error %s: nobody foresaw it", number_of(error), exc_info=error)
    full = disk_is_full(causes(error))
    said = "The disk of the server is full." if full else "Something went wrong on the server."
    return f"{said} It is written down as error {number_of(error)}; please tell the host."


def tell_numbers() -> None:
    """From now on Gradio's queue tells visitors no error of its own, but what it says of calls."""
    queueing.error_payload = utils.error_payload = payload  # the queue's, and that of other calls


def payload(error: BaseException | None, show_error: bool) -> dict[str, bool | str | float | None]:
    """As Gradio's own, which would send the text of any error."""
    if error is None or isinstance(error, exceptions.Error | exceptions.InvalidPathError):
        return error_payload(error, show_error)
    if isinstance(error, KnobError):
        return {"error": str(error), "visible": True}
    if isinstance(error, ValueError) and TOO_FEW in str(error):
        return {"error": str(error).splitlines()[0], "visible": True}
    return {"error": written_down(error), "visible": True}


class Faults:
    """Answers where a request raises, in a form that Gradio's client shows."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # a server's start and end have nobody to answer
            await self.app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except ClientDisconnect:  # a visitor left during an upload
            return
        except Exception as error:
            said = written_down(error)
            if begun:
                return  # the connection breaks off
            if scope["path"].endswith("/upload"):  # whose answer is shown as it is
                await PlainTextResponse(said, 500)(scope, receive, send)
            else:
                await JSONResponse({"detail": said, "error": said}, 500)(scope, receive, send)
