"""The archive that installs the app without a network: what is in it, and that it installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from conftest import ROOT
from demos.bundle import __main__ as bundles
from demos.bundle.__main__ import BundleError, bundle, fetch_wheels, install_script, project_files

REQUIRED = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "needed-thing"
version = "1.2"
[tool.setuptools]
py-modules = ["needed_thing"]
"""
OFFLINE = ("--no-index", "--no-build-isolation")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose one requirement is a package beside it, and a file that git does not know."""
    home = tmp_path_factory.mktemp("project")
    (home / "pyproject.toml").write_text(REQUIRED)
    (home / "needed_thing.py").write_text("")
    root = home / "app"
    (root / "weights").mkdir(parents=True)
    (root / "requirements.txt").write_text("needed-thing>=1\n")
    (root / "weights" / "a model.safetensors").write_bytes(b"numbers")
    (root / "app.py").write_text("import needed_thing; print('it starts')\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    (root / "notes.txt").write_text("of nobody's concern")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *OFFLINE]
    subprocess.run([*pip, "-w", str(home / "wheels"), str(home)], check=True)
    return root


@pytest.fixture(scope="module")
def archive(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from_there = ["--no-index", "--find-links", str(project.parent / "wheels")]
    return bundle(tmp_path_factory.mktemp("build"), from_there, project)


@pytest.mark.heavy
def test_it_holds_what_git_knows_and_the_wheels(archive):
    assert archive.name == bundles.archive_name()
    with tarfile.open(archive) as held:
        names = {name.removeprefix("noise-to-data/") for name in held.getnames()}
    assert names == {
        "app.py",
        "requirements.txt",
        "weights/a model.safetensors",
        "wheels/needed_thing-1.2-py3-none-any.whl",
        "install.sh",
    }


def install(archive: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess:
    """As on a machine without a network: what pip is told of an index leads nowhere."""
    subprocess.run(["tar", "-xf", str(archive), "-C", str(folder)], check=True)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_CONFIG_FILE": os.devnull}
    usual = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON"))}
    return subprocess.run(
        ["sh", str(folder / "noise-to-data" / "install.sh")],
        env=usual | nowhere | {"PYTHON": sys.executable} | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.heavy
def test_it_installs_without_a_network_and_the_app_starts(archive, tmp_path):
    done = install(archive, tmp_path)
    assert done.returncode == 0, done.stderr
    home = tmp_path / "noise-to-data"
    assert ".venv/bin/python app.py --check" in done.stdout and (home / ".venv/.installed").exists()
    started = subprocess.run(
        [home / ".venv/bin/python", "app.py"], cwd=home, capture_output=True, text=True, check=True
    )
    assert started.stdout == "it starts\n"


@pytest.mark.heavy
def test_what_keeps_it_from_installing_is_one_line(archive, tmp_path):
    done = install(archive, tmp_path, PYTHON="/no/such/python")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert f"for CPython {bundles.SHORT}, and /no/such/python is another" in done.stderr
    (tmp_path / "noise-to-data/wheels/needed_thing-1.2-py3-none-any.whl").unlink()
    script = tmp_path / "noise-to-data/install.sh"
    (tmp_path / "noise-to-data/requirements.txt").write_text("needed-thing>=2\n")
    again = subprocess.run(
        ["sh", str(script)],
        env=os.environ | {"PYTHON": sys.executable, "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
    )
    assert again.returncode == 1
    assert again.stderr.splitlines()[-1].startswith("The wheels could not be installed")


def test_the_script_has_no_mark_left_and_is_one_for_a_shell(tmp_path):
    script = install_script()
    assert b"@" not in script and bundles.PLATFORM.encode() in script
    (tmp_path / "install.sh").write_bytes(script)
    subprocess.run(["sh", "-n", str(tmp_path / "install.sh")], check=True)


def test_the_repository_has_all_that_the_app_needs():
    names = project_files()
    assert {"app.py", "requirements.txt", "README.md", "demos/page/shell.css"} <= {*names}
    assert all(str(p.relative_to(ROOT)) in names for p in (ROOT / "weights").rglob("*.safetensors"))


def test_what_is_missing_is_named(project, tmp_path, capsys):
    copy = shutil.copytree(project, tmp_path / "copy")
    (copy / "app.py").unlink()
    with pytest.raises(BundleError, match=r"app\.py is missing: fetch it with `git checkout app"):
        project_files(copy)
    (tmp_path / "bare").mkdir()
    with pytest.raises(BundleError, match="git cannot list the project's files: fatal"):
        project_files(tmp_path / "bare")


@pytest.mark.heavy
def test_what_pip_says_is_passed_on_in_one_line(project, tmp_path):
    with pytest.raises(BundleError) as failed:
        fetch_wheels(project / "requirements.txt", tmp_path, ["--no-index"])
    said = str(failed.value)
    assert said.startswith("pip could not fetch the wheels: No matching distribution found for")
    assert "needed-thing>=1" in said and "\n" not in said


@pytest.mark.heavy
def test_without_an_error_of_its_own_pips_last_line_is_passed_on(project, tmp_path):
    with pytest.raises(BundleError, match="the wheels: no such option: --no-such-option$"):
        fetch_wheels(project / "requirements.txt", tmp_path, ["--no-such-option"])
