"""Where other devices find the page, and that address as a QR code."""

import ipaddress
import socket

import segno
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

LONGEST = 1000
"""Bytes of a link: a code of more could not be read from a wall."""
ELSEWHERE = {4: (socket.AF_INET, "192.0.2.1"), 6: (socket.AF_INET6, "2001:db8::1")}
"""Of each version of IP an address for documentation (RFC 5737 and 3849), to which nothing is sent.
"""


def is_everywhere(host: str) -> bool:
    """Whether it stands for all addresses of this machine, as 0.0.0.0 does."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:  # a name
        return False


def in_address(host: str) -> str:
    """A host as an address of the web names it: version 6 of IP in brackets."""
    return f"[{host}]" if ":" in host else host


def own_address(host: str, port: int) -> str:
    """The page's address on this machine, such as "http://localhost:7860/"."""
    if is_everywhere(host):
        host = "::1" if ":" in host else "localhost"
    return f"http://{in_address(host)}:{port}/"


def network_address(host: str, port: int) -> str | None:
    """The page's address in the local network, such as "http://192.168.1.20:7860/"; None where it
    answers this machine alone, or there is no network. A host of one version of IP answers that
    version alone."""
    if not is_everywhere(host):
        return None
    family, elsewhere = ELSEWHERE[ipaddress.ip_address(host).version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))  # only chooses the interface: a datagram is never sent
            return f"http://{in_address(probe.getsockname()[0])}:{port}/"
    except OSError:
        return None


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
