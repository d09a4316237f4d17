"""Where other devices find the page, and that address as a QR code."""

import ipaddress
import socket

import segno
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

LONGEST = 1000
"""Bytes of a link: a code of more could not be read from a wall."""
ELSEWHERE = ("192.0.2.1", 9)
"""An address for documentation (RFC 5737), to which nothing is sent."""


def is_everywhere(host: str) -> bool:
    """Whether it stands for all addresses of this machine, as 0.0.0.0 does."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:  # a name
        return False


def network_address(host: str, port: int) -> str | None:
    """The page's address in the local network, such as "http://192.168.1.20:7860/"; None where it
    answers this machine alone, or there is no network."""
    if not is_everywhere(host):
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)  # only chooses the interface: a datagram is never sent
        except OSError:
            return None
        return f"http://{probe.getsockname()[0]}:{port}/"


def routes() -> list[Route]:
    """/qr.svg?link=... answers with the link as a QR code, or 400 for one that is none; /here says
    no more than that the server answers."""
    return [Route("/qr.svg", _qr), Route("/here", _here)]


async def _here(request: Request) -> Response:
    return Response(status_code=204, headers={"cache-control": "no-store"})


def _qr(request: Request) -> Response:
    """In a thread: a code takes its time."""
    link = request.query_params.get("link", "")
    if not link.startswith(("http://", "https://")) or len(link.encode()) > LONGEST:
        message = f"link: takes an http or https address of at most {LONGEST} bytes"
        return PlainTextResponse(message, 400)
    code = segno.make(link, micro=False, error="m").svg_inline(scale=1, border=2, omitsize=True)
    picture = code.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return Response(picture, media_type="image/svg+xml")
