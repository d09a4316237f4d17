"""How far it is from a press of Generate to the tensor and back."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from conftest import told_by, wait_until
from demos.page import shell
from demos.page.handlers import App
from demos.tabs import diffusion
from sampling_fixtures import write_weights

ROOT = Path(__file__).resolve().parent.parent
OURS = tuple(str(ROOT / package) for package in ("demos", "gen_core"))
MOST_FILES = 16
APART = ("gen_core/engine/", "demos/page/records.py")
"""Counted apart: they hand a run on, and note its end, without a look at what is in it."""


def files_run(work: Any) -> set[str]:
    """The files of ours that anything runs in while `work()` does."""
    seen: set[str] = set()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            seen.add(str(Path(frame.f_code.co_filename).relative_to(ROOT)))

    sys.setprofile(watch)
    threading.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return seen


def working(threads: set[threading.Thread]) -> bool:
    """Whether the engine's are among them: the next press would use them again, unwatched."""
    return any(thread.name in ("engine", "request") for thread in threads)


def test_a_seed_passes_few_files_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_weights(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    app = App("cpu")
    page = shell.build_page(app, [diffusion.TAB])
    press = next(fn for fn in page.fns.values() if fn.api_name == "diffusion_generate").fn
    knobs = next(k for k in app.knobs if k.panel == "generate")

    def work(seed: int) -> None:
        asked = {"steps": 2, "seed": seed}
        told_by(press, *(asked.get(knob.name, knob.default) for knob in knobs.knobs))

    for threads in ("gen_core.engine", "gen_core.engine.threads"):  # each press starts its own
        monkeypatch.setattr(f"{threads}.IDLE_SECONDS", 0)
    others = set(threading.enumerate())
    work(0)  # warm: the model is loaded, what is cached is there
    wait_until(lambda: not working(set(threading.enumerate()) - others), 10)
    files = files_run(lambda: work(1))
    assert "gen_core/sampling.py" in files and "gen_core/nets/unet.py" in files
    way = {file for file in files if not file.startswith(APART)}
    assert len(way) <= MOST_FILES and len(files - way) <= 6, "\n".join(sorted(files))
