"""Replicas in Ray Serve: on this machine, or on those of a running cluster.

Serve chooses the less busy of two replicas for each request, begins more of them where many wait,
and ends those that are idle. Its own HTTP server stays off: the page asks through a handle.
"""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demos.cluster.replay import replayed
from demos.cluster.replica import Replica, unwrapped
from demos.cluster.uploads import packed
from demos.page.work import About, Order
from gen_core.knobs import KnobError

NAME = "noise-to-data"
ROOT = Path(__file__).parents[2]
MISSING = "--engine ray needs Ray: pip install -r requirements-ray.txt"
BUSY = 8
"""Requests at a replica from which on Serve begins another: they share passes until then."""
MOST_AT_ONCE = 256
"""Requests at a replica, which its engine puts in order; as good as no limit."""
LEFT_OUT = [".git", ".venv", "tests", "docs", "test-results"]
"""Of the project's folder, on its way to other machines."""

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no word to any other host


class RayReplicas:
    """Asks replicas through a handle of Serve's."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def about(self) -> About:
        return self._handle.about.remote().result()

    def stream(self, order: Order) -> Iterator[Any]:
        """As `demos.page.work.Replicas` says; from another replica where one fails."""
        from ray.exceptions import RayError

        order = packed(order)
        return replayed(lambda: self._streamed(order), RayError)

    def _streamed(self, order: Order) -> Iterator[Any]:
        pieces = self._handle.stream.options(stream=True).remote(order)
        try:
            yield from unwrapped(pieces)
        finally:
            pieces.cancel()


def start(
    device: str, data_root: str | None, replicas: tuple[int, int], address: str | None
) -> RayReplicas:
    """Begins at least `replicas[0]` and at most `replicas[1]` of them, and waits for the first.

    address: of a running cluster as seen from one of its machines, "auto" for this machine's own;
    None begins one of this machine alone. Raises KnobError where Ray is missing or not reached.
    """
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise KnobError(MISSING) from error
    _reach(address)
    try:
        ray.init(
            address=address,
            runtime_env=_elsewhere() if address else None,
            include_dashboard=False if address is None else None,
            configure_logging=False,
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise KnobError(f"--ray-address {address}: {error}") from error
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # with Ray's own, a trace
    serve.start(proxy_location="Disabled")
    least, most = replicas
    there = ray.cluster_resources()
    gpus = min(1.0, there.get("GPU", 0) / most) if device in ("auto", "cuda") else 0
    deployment = serve.deployment(Replica).options(
        autoscaling_config={
            "min_replicas": least,
            "max_replicas": most,
            "target_ongoing_requests": BUSY,
        },
        max_ongoing_requests=MOST_AT_ONCE,
        ray_actor_options={"num_cpus": max(1, there["CPU"] // most), "num_gpus": gpus},
        health_check_period_s=2,
    )
    return RayReplicas(serve.run(deployment.bind(device, data_root), name=NAME, route_prefix=None))


def _reach(address: str | None) -> None:
    """Raises KnobError where nobody answers at host:port: Ray would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise KnobError(f"--ray-address {address}: {error}; is a cluster running there?") from error


def _elsewhere() -> dict[str, Any]:
    """What the machines of a cluster need of this one: the project, with its models."""
    return {"working_dir": str(ROOT), "excludes": LEFT_OUT}


def stop() -> None:
    """Ends the replicas, and this process's part in the cluster."""
    import ray
    from ray import serve

    serve.delete(NAME)
    ray.shutdown()
