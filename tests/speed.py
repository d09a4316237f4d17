"""How fast a revision and the working tree are, both in one run: python tests/speed.py REVISION

Sampling: two processes, one for each, sample in turn, round by round. The page: each is started in
turn until it answers. Printed are medians of the ratios now / before with their 95% intervals
(bootstrap over the rounds), and the largest resident memory of a page that has answered.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from conftest import running_app

ROOT = Path(__file__).resolve().parent.parent
JOBS = {
    "diffusion-fashion": {"label": 8, "steps": 10, "guidance_scale": 2.0},
    "flow-avatars": {"label": {"hat": "cap"}, "steps": 4, "guidance_scale": 2.0},
    "gan-fashion": {"label": 3},
    "vae-fashion": {},
}
COUNT = 16
FRESH = 3
WORKER = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from gen_core import Noise, final, load
models = {}
for line in sys.stdin:
    name, knobs, count = json.loads(line)
    if name not in models:
        models[name] = load(name, "cpu")
    model = models[name]
    started = time.perf_counter()
    final(model.sample(Noise(range(count)), **knobs))
    print(time.perf_counter() - started, flush=True)
"""


@contextlib.contextmanager
def worker(root: Path) -> Iterator[subprocess.Popen]:
    """A process that samples with the code of that folder whenever it is asked."""
    variables = {"GEN_WEIGHTS": str(ROOT / "weights"), "PYTHONPATH": str(root)}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(root)],
        cwd=root,
        env=os.environ | variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(30)


def seconds_of(process: subprocess.Popen, name: str) -> float:
    process.stdin.write(json.dumps([name, JOBS[name], COUNT]) + "\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def sampling(old: Path, rounds: int) -> dict[str, list[float]]:
    """By checkpoint the ratio now / before of each round. Every `FRESH` rounds come from a new
    pair of processes: where a process happens to lie in memory makes it a few percent faster or
    slower for all its life."""
    ratios: dict[str, list[float]] = {name: [] for name in JOBS}
    for first in range(0, rounds, FRESH):
        with worker(old) as before, worker(ROOT) as now:
            for index in range(-2, min(FRESH, rounds - first)):  # two rounds do not count
                for name, found in ratios.items():
                    pair = [before, now][:: 1 if index % 2 else -1]
                    took = {process.pid: seconds_of(process, name) for process in pair}
                    if index >= 0:
                        found.append(took[now.pid] / took[before.pid])
    return ratios


def starts(old: Path, rounds: int) -> tuple[list[float], dict[str, float]]:
    """The ratio of the times until the page answers, and the largest memory of each in MB."""
    ratios, memory = [], {"before": 0.0, "now": 0.0}
    for _ in range(rounds):
        took = {}
        for name, root in (("before", old), ("now", ROOT)):
            began = time.perf_counter()
            with running_app((str(root / "app.py"),), PYTHONPATH=str(root)) as address:
                took[name] = time.perf_counter() - began
                memory[name] = max(memory[name], address.peak_memory() / 1e6)
        ratios.append(took["now"] / took["before"])
    return ratios, memory


def interval(ratios: list[float], draws: int = 2000) -> str:
    """ "0.998 (0.991 to 1.004)": the median and its 95% interval."""
    rng = random.Random(0)
    medians = sorted(statistics.median(rng.choices(ratios, k=len(ratios))) for _ in range(draws))
    low, high = medians[draws // 40], medians[-draws // 40]
    return f"{statistics.median(ratios):.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--starts", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "old"
        subprocess.run(
            ["git", "worktree", "add", "--detach", old, args.revision], cwd=ROOT, check=True
        )
        try:
            for name, ratios in sampling(old, args.rounds).items():
                print(f"{name:<20} {interval(ratios)}", flush=True)
            ratios, memory = starts(old, args.starts)
            print(f"{'start of the page':<20} {interval(ratios)}")
            print(f"memory in MB: {memory['before']:.0f} before, {memory['now']:.0f} now")
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", old], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
