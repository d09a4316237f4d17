"""`python app.py`, as a visitor starts it: its options, its errors, and no word to other hosts."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from huggingface_hub import SpaceHardware
from packaging.requirements import Requirement

from conftest import ROOT, running_app
from gen_core.hub import language_models, models

OPTIONS = ("--device", "--host", "--port", "--root-path", "--data")
WATCHED = """
import runpy, sys
HOME = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "", None}
def watch(event, arguments):
    host = None
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    if host not in HOME:
        with open(sys.argv[1], "a") as log:
            print(event, host, file=log)
sys.addaudithook(watch)
sys.argv = ["app.py", *sys.argv[2:]]
runpy.run_path("app.py", run_name="__main__")
"""


def start(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "app.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_help_lists_the_options():
    shown = start("--help").stdout
    assert all(option in shown for option in OPTIONS)


@pytest.mark.heavy
def test_the_server_speaks_to_no_other_host(tmp_path: Path):
    log = tmp_path / "hosts.txt"
    command = ["-c", WATCHED, str(log)]
    with running_app(command=command) as address:
        assert httpx.get(address).status_code == 200
        assert httpx.get(f"{address}/gradio_api/info").status_code == 200
    assert not log.exists(), log.read_text()


def requirement(name: str) -> str:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return next(line for line in lines if re.match(rf"{name}\b", line))


def test_the_front_matter_fits_the_requirements():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(readme.split("---\n")[1])
    assert front["title"] == "Noise to Data"
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py"
    assert (ROOT / front["app_file"]).is_file()
    assert front["sdk_version"] in Requirement(requirement("gradio")).specifier
    least = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1]
    given = str(front["python_version"]).split(".")
    assert [int(part) for part in given] >= [int(part) for part in least.split(".")]
    others = (*models.DEFAULTS, *language_models.DEFAULTS)  # ours are in the repository
    assert front["models"] == [model.repository for model in others]
    assert front["suggested_hardware"] == SpaceHardware.ZERO_A10G.value


def test_the_torch_pair_is_one_that_was_built_together():
    torch, vision = (Requirement(requirement(name)).specifier for name in ("torch", "torchvision"))
    assert "2.8.0" in torch and "2.7.1" not in torch
    assert "0.23.0" in vision and "0.22.1" not in vision


THREADS_THAT_FREE = """
import os, sys, threading, time
from demos.page import memory
def resident():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
memory.TRIM_SECONDS = 0.05
if sys.argv[1] == "spared":
    memory.spare_memory()
kept, door = [], threading.Barrier(16)
def work():
    blocks = [bytes(20_000) for _ in range(1000)]
    kept.append(blocks[-1])  # nothing below it goes back by itself
    door.wait()
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
until = time.monotonic() + (10 if sys.argv[1] == "spared" else 0.5)
while (size := resident()) > 150e6 and time.monotonic() < until:
    time.sleep(0.05)
print(size)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of this C library")
def test_memory_that_threads_free_goes_back_to_the_system():
    def resident(how: str) -> float:
        command = [sys.executable, "-c", THREADS_THAT_FREE, how]
        return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)

    assert resident("spared") < 150e6 < resident("usual")
