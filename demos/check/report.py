"""All checks, in order, one line each."""

import argparse
import json
from collections.abc import Callable, Iterator

from demos.check import machine
from demos.check.finding import Finding, problem


def check(options: argparse.Namespace) -> int:
    """Prints what is found as it is found; 0 where the app is ready, else 1. options: app.py's."""
    found = []
    for finding in findings(options):
        found.append(finding)
        if not options.json:
            print(finding, flush=True)
    faults, warnings = (sum(f.state == state for f in found) for state in ("problem", "warning"))
    if options.json:
        print(json.dumps({"ready": not faults, "findings": [vars(f) for f in found]}, indent=2))
    else:
        ready = f"Ready for {options.visitors} visitors; warnings: {warnings}."
        print(f"Not ready; problems: {faults}." if faults else ready)
    return 1 if faults else 0


def findings(options: argparse.Namespace) -> Iterator[Finding]:
    """What the checks find. All others need the packages, and the visit a port and memory."""
    (packages,) = _guarded("packages", lambda: [machine.packages()])
    yield packages
    if packages.state == "problem":
        return
    from demos.check.visit import visit
    from demos.check.weights import weights
    from demos.page.memory import free_memory

    host, port, visitors = options.host, options.port, options.visitors
    arguments = ["--device", options.device, "--root-path", options.root_path]
    arguments += ["--data", str(options.data)] if options.data else []
    (free,) = _guarded("port", lambda: [machine.free_port(host, port)])
    yield free
    yield from _guarded("network", lambda: [machine.network(host, port)])
    (memory,) = _guarded("memory", lambda: [machine.memory(visitors, free_memory())])
    yield memory
    yield from _guarded("weights", weights)
    if "problem" not in (free.state, memory.state):
        yield from _guarded("visit", lambda: visit(host, port, visitors, arguments))


def _guarded(name: str, run: Callable[[], Iterator[Finding] | list[Finding]]) -> Iterator[Finding]:
    """One check's error is a line of its own, and does not end the others."""
    try:
        yield from run()
    except Exception as error:
        said = f"could not be checked ({type(error).__name__}: {error})"
        yield problem(name, " ".join(said.split()), "tell those who maintain the app")
