"""Replicas in Ray Serve: on this machine, or on those of a running cluster.

Serve chooses the less busy of two replicas for each request, begins more of them where many wait,
and ends those that are idle. Its own HTTP server stays off: the page asks through a handle.
"""

import atexit
import os
import signal
import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from demos.cluster.replay import replayed
from demos.cluster.replica import Replica, unwrapped
from demos.cluster.shares import share
from demos.cluster.uploads import packed
from demos.page.work import About, Order
from gen_core.hub.language_models import KEY
from gen_core.knobs import KnobError, choice

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

    def __init__(self, handle: Any, name: str) -> None:
        self._handle, self.name = handle, name

    def about(self) -> About:
        return self._handle.about.remote().result()

    def fault(self) -> str:
        from ray import serve

        found = serve.status().applications.get(self.name)
        states = [d.replica_states for d in found.deployments.values()] if found else []
        running = sum(counts.get("RUNNING", 0) for counts in states)
        return "" if running else "no replica is running"

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
    """Begins at least `replicas[0]` and at most `replicas[1]` of them, and waits for the first;
    they end with this process.

    address: of a running cluster as seen from one of its machines, "auto" for this machine's own;
    None begins one of this machine alone. Raises KnobError where Ray is missing or not reached,
    and where the replicas find no place or do not start.
    """
    try:
        import ray
        from ray import serve
    except ImportError as error:
        raise KnobError(MISSING) from error
    choice("device", device, ["auto", "cpu", "cuda", "mps"])
    check_reachable(address)
    try:
        ray.init(
            address=address or "local",
            runtime_env=runtime_env() if address else None,
            include_dashboard=None if address else False,
            configure_logging=False,
            log_to_driver=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise KnobError(f"--ray-address {address}: {error}") from error
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # with Ray's own, a trace
    name = f"{NAME}-{uuid.uuid4().hex[:8]}"  # a cluster may serve several pages
    atexit.register(stop, name)
    serve.start(proxy_location="Disabled")
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    has_gpus = any(machine.get("GPU") for machine in machines)
    least, most = replicas
    cpus, gpus = share(machines, most, device == "cuda" or (device == "auto" and has_gpus))
    deployment = serve.deployment(Replica).options(
        autoscaling_config={
            "min_replicas": least,
            "max_replicas": most,
            "target_ongoing_requests": BUSY,
        },
        max_ongoing_requests=MOST_AT_ONCE,
        ray_actor_options={"num_cpus": cpus, "num_gpus": gpus},
        health_check_period_s=2,
    )
    try:
        handle = serve.run(deployment.bind(device, data_root), name=name, route_prefix=None)
    except RuntimeError as error:
        raise KnobError(f"the replicas did not start: {error}") from error
    return RayReplicas(handle, name)


def check_reachable(address: str | None) -> None:
    """Raises KnobError where nobody answers at host:port: Ray would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if not (host and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise KnobError(f"--ray-address {address}: {error}; is a cluster running there?") from error


def runtime_env() -> dict[str, Any]:
    """What the machines of a cluster need of this one: the project with its models, and what is
    set in the environment, but for the secrets."""
    ours = {k: v for k, v in os.environ.items() if k.startswith("GEN_")}
    own = {k: v for k, v in ours.items() if not ("TOKEN" in k or k.startswith(KEY))}
    return {"working_dir": str(ROOT), "excludes": LEFT_OUT, "env_vars": own}


def stop(name: str) -> None:
    """Ends the replicas, and this process's part in the cluster."""
    import ray
    from ray import serve

    if ray.is_initialized():
        serve.delete(name)
        ray.shutdown()
