"""What the Dockerfile's steps do, without Docker: the files that it copies are enough, and the app
runs where it may write nothing, as a user whom nobody knows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from packaging.requirements import Requirement

from conftest import ROOT, Served, running_app

STEPS = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
BARE = """
mount --make-rprivate /
mount -t tmpfs tmpfs "$TMPDIR"
mount -o remount,bind,ro /
! touch "$PWD/written" 2>/dev/null || exit 1
exec unshare --user --map-user=12345 --map-group=12345 "$@"
"""
"""A file system that cannot be written to but for $TMPDIR, and a user without a name."""
TIGHT = ["unshare", "--mount", "bash", "-c", BARE, "bash"]
WRITES = """
from pathlib import Path
from huggingface_hub.constants import HF_HUB_CACHE
from gen_core.data.fashion import cache_folder
for folder in (cache_folder(), Path(HF_HUB_CACHE)):
    folder.mkdir(parents=True)
    (folder / "downloaded").write_text("all of it")
"""


def steps(name: str) -> list[str]:
    return re.findall(rf"^{name} (.*)$", STEPS, re.MULTILINE)


def command(step: str) -> list[str]:
    """That of a CMD or a HEALTHCHECK."""
    return json.loads(step[step.index("[") :])


def can(*tried: str) -> bool:
    try:
        return subprocess.run(tried, capture_output=True, timeout=20).returncode == 0
    except OSError:
        return False


def test_what_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for step in steps("COPY"):
        *sources, _ = step.split()
        for source in sources:
            assert (ROOT / source).exists() and f"!{source}" in ignored
    assert ignored[0] == "*"  # above all not .git and .venv


def test_torch_and_torchvision_come_from_one_place():
    """In one call of pip, from the index that has both for the machine at hand."""
    (install,) = (step for step in steps("RUN") if "pip install" in step)
    pattern = re.search(r"grep '([^']+)'", install)[1]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    chosen = {Requirement(line).name for line in lines if re.match(pattern, line)}
    assert chosen == {"torch", "torchvision"}
    assert install.index("--index-url") < install.index("-r /tmp/requirements.txt")


def test_its_python_is_that_of_the_space():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    version = re.search(r'python_version: "([\d.]+)"', readme)[1]
    assert steps("FROM") == [f"python:{version}-slim"]


def test_it_runs_as_a_user_without_rights_at_the_port_that_it_names():
    assert steps("USER") == ["1000"]
    (port,) = steps("EXPOSE")
    assert port in command(steps("CMD")[0]) and f":{port}/" in command(steps("HEALTHCHECK")[0])[-1]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what lies in that of the image."""
    folder = tmp_path_factory.mktemp("image")
    for step in steps("COPY"):
        *sources, target = step.split()
        for source in sources if target.startswith("./") else ():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / target)
            else:
                shutil.copy(ROOT / source, folder / target)
    return folder


def test_what_is_copied_is_all_that_a_check_of_the_packages_reads(image: Path):
    code = "from demos.check.machine import packages; print(packages())"
    done = subprocess.run([sys.executable, "-c", code], cwd=image, capture_output=True, text=True)
    assert done.stdout.startswith("ok "), done.stdout + done.stderr


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the tightest container there is: what the Dockerfile sets, and the home
    that Docker gives to a user whom it does not know. A folder of its own stands for /tmp."""
    if not can("unshare", "--mount", "--user", "--map-user=12345", "true"):
        pytest.skip("this machine lets nobody into a namespace of their own")
    if not can("unshare", "--mount", "mount", "--make-rprivate", "/"):
        pytest.skip("only root can mount")
    scratch = str(tmp_path_factory.mktemp("scratch"))
    named = dict(pair.split("=", 1) for step in steps("ENV") for pair in step.split())
    set_ = {name: re.sub("^/tmp(?=/|$)", scratch, value) for name, value in named.items()}
    return {"HOME": "/", **set_, "TMPDIR": scratch}


@pytest.fixture(scope="module")
def address(image: Path, variables: dict[str, str]) -> Iterator[Served]:
    """The app, as it lies in the image, in that container."""
    python, *start = command(steps("CMD")[0])
    assert python == "python"
    with running_app(start, before=TIGHT, cwd=image, **variables) as address:
        yield address


def test_what_visitors_download_has_a_place_there(image: Path, variables: dict[str, str]):
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("HF_", "XDG_"))}
    done = subprocess.run(
        [*TIGHT, sys.executable, "-c", WRITES],
        cwd=image,
        env=kept | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.heavy
def test_it_answers_draws_and_takes_uploads(address: Served):
    assert httpx.get(address).status_code == 200
    visitor = Client(address, verbose=False, download_files=False)
    assert visitor.predict(api_name="/vae_samples")["tiles"]
    files = {"files": ("boot.png", b"0" * 1000)}
    assert httpx.post(f"{address}/gradio_api/upload", files=files).status_code == 200


@pytest.mark.heavy
def test_the_health_check_tells_a_page_that_answers_from_one_that_does_not(address: Served):
    code = command(steps("HEALTHCHECK")[0])[-1]
    here = address.rpartition(":")[2]
    for port, healthy in ((here, True), ("9", False)):
        check = [sys.executable, "-c", code.replace("7860", port)]
        assert (subprocess.run(check, capture_output=True).returncode == 0) == healthy
