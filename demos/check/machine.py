"""What the machine has: packages, a port, a network, memory. Needs no package itself to say which
are missing."""

import errno
import importlib.metadata
import platform
import re
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from demos.check.finding import Finding, ok, problem, warning

ROOT = Path(__file__).resolve().parents[2]
INSTALL = "install with `python -m pip install -r requirements.txt`"
NAMED = ("torch", "torchvision", "gradio")
"""Packages whose versions stand in the line where all are right."""
BASE_MEMORY, VISITOR_MEMORY = 1_750_000_000, 6_500_000
"""Bytes that the app has with all models in use, and with each visitor more. The peaks of
`python -m demos.load --mix free` on two cores without a GPU: 1.75 GB for 4 visitors, 1.98 GB for
40."""
SPARE = 1.25
"""Times as much memory as that leaves room for other programs."""


def packages(
    requirements: Sequence[str] | None = None,
    version: Callable[[str], str] = importlib.metadata.version,
) -> Finding:
    """Whether what requirements.txt lists is installed within its bounds, and torch is the one that
    torchvision was built for.

    version: of a package; raises PackageNotFoundError.
    """
    if requirements is None:
        requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    try:
        from packaging.requirements import Requirement
    except ModuleNotFoundError:
        return problem("packages", "packaging is not installed, nor most others", INSTALL)
    wanted = [Requirement(line) for line in requirements if re.match(r"\w", line)]
    wanted += _built_for("torchvision")
    faults, found = [], {}
    for one in wanted:
        try:
            found[one.name] = version(one.name)
        except importlib.metadata.PackageNotFoundError:
            faults.append(f"{one.name} is not installed")
            continue
        if not one.specifier.contains(found[one.name], prereleases=True):
            faults.append(f"{one.name} is {found[one.name]}, needed is {one.specifier}")
    if faults:
        return problem("packages", "; ".join(dict.fromkeys(faults)), INSTALL)
    named = ", ".join(f"{name} {found[name]}" for name in NAMED if name in found)
    return ok("packages", f"Python {platform.python_version()}, {named} and what else is needed")


def _built_for(name: str) -> list:
    """What an installed package says that it needs of torch."""
    from packaging.requirements import Requirement

    try:
        needs = importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [one for one in map(Requirement, needs) if one.name == "torch" and not one.marker]


def free_port(host: str, port: int) -> Finding:
    """Whether the page can be served there."""
    fault = _refused(host, port)
    if fault is None:
        return ok("port", f"{port} is free at {host}")
    if fault.errno == errno.EADDRINUSE:
        other = next((p for p in range(port + 1, 65_536) if _refused(host, p) is None), None)
        way_out = f"end that, or choose another, such as --port {other}" if other else "end that"
        return problem("port", f"{port} is taken by {_owner(port)}", way_out)
    if fault.errno == errno.EACCES:
        return problem(
            "port", f"port {port} needs administrator rights", "choose one from 1024 on: --port"
        )
    said = f"{host} is no address of this machine ({_reason(fault)})"
    return problem("port", said, "choose another: --host 0.0.0.0 is all of its network")


def _refused(host: str, port: int) -> OSError | None:
    """Why nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return error
    except UnicodeError as error:  # no name of a host has an empty part, or one so long
        return OSError(errno.EINVAL, f"{error}")
    return None


def _reason(fault: OSError) -> str:
    """In the system's words, without what Python adds to them."""
    return str(fault.strerror or fault).partition(" (while attempting")[0]


def _owner(port: int) -> str:
    """Who listens at a port, as far as the system tells."""
    import psutil

    try:
        listen = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        process = next(c.pid for c in listen if c.laddr.port == port and c.pid)
        return f"{psutil.Process(process).name()} (process {process})"
    except (psutil.Error, StopIteration):
        return "another program"


def network(host: str, port: int, find: Callable[[str, int], str | None] | None = None) -> Finding:
    """Where other devices find the page.

    find: their address for a host and a port; None where there is none.
    """
    from demos.page.network import is_everywhere, network_address

    if not is_everywhere(host):
        loopback = host in ("localhost", "::1") or host.startswith("127.")
        if loopback:
            said = f"{host} answers this machine alone"
            return warning("network", said, "for other devices, start with --host 0.0.0.0")
        return ok("network", f"http://{host}:{port}/ for other devices")
    address = (find or network_address)(host, port)
    if address is None:
        return problem("network", "this machine is in no network", "connect it, and check again")
    return ok("network", f"{address} for other devices")


def memory(visitors: int, free: int) -> Finding:
    """free: bytes that the app may take."""
    need = BASE_MEMORY + visitors * VISITOR_MEMORY
    said = f"{free / 1e9:.1f} GB free, the app takes {need / 1e9:.1f} GB with {visitors} visitors"
    if free < need:
        return problem("memory", said, "end other programs, or invite fewer at once")
    if free < SPARE * need:
        return warning("memory", said, "end other programs: hardly any would be left")
    return ok("memory", said)
