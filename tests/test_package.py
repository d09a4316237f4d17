"""What pip makes of this repository: gen_core alone, and enough to run what the README shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BLOCKER = """\
import importlib.abc, sys
class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
"""

pytestmark = pytest.mark.heavy


def bounds(lines: list[str]) -> dict[str, str]:
    """Requirements by name: "numpy>=2,<3" -> {"numpy": ">=2,<3"}; comments have none."""
    found = (re.match(r"([\w.-]+)(.*)", line.split("#")[0].strip()) for line in lines)
    return {match[1]: match[2] for match in found if match}


APP = bounds((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
CORE = bounds(PROJECT["dependencies"])
EXTRAS = {name: bounds(lines) for name, lines in PROJECT["optional-dependencies"].items()}


@pytest.mark.parametrize("part", [CORE, *EXTRAS.values()], ids=["core", *EXTRAS])
def test_bounds_are_those_of_the_app(part):
    assert part and part.items() <= APP.items()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the package alone was installed, offline, as its wheel has it."""
    source, wheels, site = (tmp_path_factory.mktemp(n) for n in ("source", "wheels", "site"))
    for path in ROOT.iterdir():  # links, for a build leaves its own folders where it works
        if not (path.name.startswith(".") or path.name == "build" or path.suffix == ".egg-info"):
            (source / path.name).symlink_to(path)
    offline = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    pip("wheel", *offline, "--no-build-isolation", "--wheel-dir", str(wheels), str(source))
    (wheel,) = wheels.glob("*.whl")
    pip("install", *offline, "--target", str(site), str(wheel))
    return site


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True)


@pytest.fixture
def python(site, tmp_path):
    """python(*arguments, **environment) -> a finished process: in an empty folder, with the package
    and its dependencies, and with nothing else that the app needs."""
    hidden, empty = tmp_path / "hidden", tmp_path / "empty"
    hidden.mkdir()
    empty.mkdir()
    names = {"app", "demos", *APP} - CORE.keys()
    (hidden / "sitecustomize.py").write_text(BLOCKER.format(names=names))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GEN_")}
    inherited["PYTHONPATH"] = os.pathsep.join((str(hidden), str(site)))

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=empty,
            env=inherited | environment,
            capture_output=True,
            text=True,
        )

    return run


def files(place: Path) -> set[str]:
    """Of gen_core, in that place; what Python itself leaves there does not count."""
    paths = (path for path in (place / "gen_core").rglob("*") if path.is_file())
    return {path.relative_to(place).as_posix() for path in paths if path.suffix != ".pyc"}


def test_the_package_is_the_library_with_its_data_and_nothing_else(site):
    tops = {path.name for path in site.iterdir()}
    assert tops == {"gen_core", "bin", f"noise_to_data-{PROJECT['version']}.dist-info"}
    installed = files(site)
    assert installed == files(ROOT)
    assert "gen_core/py.typed" in installed


def test_the_lines_of_the_readme_run_where_only_the_package_is(python, site):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    blocks = [block for block in blocks if "demos" not in block]  # those are in test_readme
    assert blocks
    end = "import gen_core\nprint(gen_core.__file__, tuple(x.shape), x.abs().max().item() < 2)"
    done = python("-c", "\n".join([*blocks, end]), GEN_WEIGHTS=str(ROOT / "weights"))
    assert done.returncode == 0, done.stderr
    where = site / "gen_core" / "__init__.py"
    assert done.stdout.splitlines()[-1] == f"{where} (16, 1, 28, 28) True"


def test_the_app_and_its_packages_are_out_of_reach_there(python):
    """Else the test above would show nothing."""
    for name in ("gradio", "demos", "matplotlib", "diffusers"):
        done = python("-c", f"import {name}")
        assert done.returncode == 1 and f"No module named '{name}'" in done.stderr


def test_the_command_draws_pictures_and_says_how_to_name_the_weights(python, site, tmp_path):
    command = str(site / "bin" / "gen-core")
    drawn = python(
        command,
        "sample",
        "vae-fashion",
        "--out",
        str(tmp_path / "grid.png"),
        GEN_WEIGHTS=str(ROOT / "weights"),
    )
    assert drawn.returncode == 0, drawn.stderr
    assert (tmp_path / "grid.png").stat().st_size > 1000
    refused = python(command, "sample", "vae-fashion", "--out", "grid.png")
    assert refused.returncode == 2 and "Traceback" not in refused.stderr
    assert str(tmp_path / "empty" / "weights") in refused.stderr
    assert "GEN_WEIGHTS" in refused.stderr
