"""How the CPUs and GPUs of several machines are shared out among replicas."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gen_core.knobs import KnobError

PARTS = (1, 2, 3, 4, 6, 8)
"""Into how many a GPU may be divided."""


class Share(NamedTuple):
    """What each replica has."""

    cpus: int
    gpus: float


def share(machines: Sequence[Mapping[str, float]], most: int, on_gpus: bool) -> Share:
    """The largest equal share of which `most` fit, each on one machine.

    machines: what each has, by Ray's names "CPU" and "GPU"; on_gpus: whether each replica computes
    on one, or on a part of one. Raises KnobError where fewer fit.
    """
    for part in PARTS if on_gpus else (0,):
        cpus = int(max((machine.get("CPU", 0) for machine in machines), default=0))
        for each in range(cpus, 0, -1):
            if sum(_fit(machine, each, part) for machine in machines) >= most:
                return Share(each, 1 / part if part else 0.0)
    fit = sum(_fit(machine, 1, PARTS[-1] if on_gpus else 0) for machine in machines)
    if on_gpus and not fit:
        raise KnobError("--device cuda: Ray has no GPU here, choose auto or cpu")
    there = "GPUs and CPUs" if on_gpus else "CPUs"
    raise KnobError(f"--replicas {most}: choose at most {fit}, for the {there} that Ray has")


def _fit(machine: Mapping[str, float], cpus: int, part: int) -> int:
    """How many replicas with so many CPUs and such a part of a GPU fit on a machine."""
    by_cpus = int(machine.get("CPU", 0) // cpus)
    return min(by_cpus, int(machine.get("GPU", 0)) * part) if part else by_cpus
