"""A family is one file: `one_family/rows.py`, which nothing else knows of.

It is found because its folder is named, keeps the whole contract, is trained, sampled, evaluated
and timed from the command line, and stands on the page by its checkpoint's name.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "one_family"
MODEL = "rows-stairs"
pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder for weights and runs."""
    return tmp_path_factory.mktemp("one-family")


def run(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    """A command in a process of its own, which is told of the folder and of nothing else."""
    named = {"GEN_FAMILIES": str(FOLDER), "GEN_WEIGHTS": str(home), "PYTHONPATH": str(ROOT)}
    named |= variables
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=home,
        env=os.environ | named,
        capture_output=True,
        text=True,
        timeout=240,
    )


def answer(home: Path, *arguments: str) -> dict:
    done = run(home, "-m", "gen_core", *arguments, "--json", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def trained(home: Path) -> dict:
    return answer(home, "train", MODEL)


COMMANDS = {
    "sampled": ["sample", MODEL, "--count", "3", "--temperature", "0", "--top-k", "2"],
    "refused": ["sample", MODEL, "--top-k", "17"],
    "evaluated": ["evaluate", MODEL, "--samples", "100", "--write"],
    "listed": ["list"],
    "timed": ["bench", "rows", "--rounds", "1"],
}
ALL = """
import contextlib, io, json, sys
from gen_core.__main__ import main

def said(arguments):
    with (contextlib.redirect_stdout(io.StringIO()) as out,
          contextlib.redirect_stderr(io.StringIO()) as err):
        code = main([*arguments, "--json", "--device", "cpu"])
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}

print(json.dumps({name: said(arguments) for name, arguments in json.loads(sys.argv[1]).items()}))
"""


@pytest.fixture(scope="module")
def said(home: Path, trained: dict) -> dict[str, dict]:
    """What each of the commands answers: of one process, for it takes seconds to begin."""
    done = run(home, "-c", ALL, json.dumps(COMMANDS))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(one: dict) -> Any:
    assert one["code"] == 0, one["err"]
    return json.loads(one["out"])


def test_it_keeps_the_whole_contract(home: Path):
    tests = ROOT / "tests" / "test_contracts.py"
    done = run(home, "-m", "pytest", str(tests), "-k", "rows", "-p", "no:cacheprovider", "-v")
    assert done.returncode == 0, done.stdout
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 15


def test_it_is_trained_and_becomes_better(home: Path, trained: dict):
    assert trained["steps"] == 20 and trained["family"] == "rows"
    log = (home / "runs" / MODEL / "log.jsonl").read_text().splitlines()
    first, *_, last = (json.loads(line)["next.loss"] for line in log)
    assert last < first


def test_it_is_sampled_with_its_own_flags(said: dict[str, dict]):
    drawn = told(said["sampled"])
    assert drawn["knobs"] == {"temperature": 0, "top_k": 2}
    assert len(drawn["tokens"]) == 3 and {len(row) for row in drawn["tokens"]} == {16}
    assert said["refused"]["code"] == 2
    assert "top_k=17: choose a whole number from 1 to 16" in said["refused"]["err"]


def test_it_is_evaluated_by_its_own_metrics(said: dict[str, dict]):
    found = told(said["evaluated"])
    assert 0 < found["nats"] < found["uniform"] and "frechet" not in found
    assert told(said["listed"])[0]["metrics"]["nats"] == found["nats"]


def test_it_is_timed(said: dict[str, dict]):
    found = told(said["timed"])
    assert [grid["family"] for grid in found["grids"]] == ["rows"]
    assert found["grids"][0]["seconds"] > 0 and found["untrained"] == []


PAGE = """
import gradio as gr
from demos.page import shell
from demos.page.handlers import App
from demos.page.links import Links

from demos.sampling.generate import Generation
from demos.page.tab import Tab
from demos.page.training_code import training_lines

panel = Generation("rows", "rows-stairs").panel()
app = App("cpu")
tab = Tab("rows", "Rows", 1, [panel])
page = shell.build_page(app, [tab])

endpoint = page.get_api_info()["named_endpoints"]["/rows_generate"]
assert [p["parameter_name"] for p in endpoint["parameters"]] == [
    "temperature", "top_k", "count", "seed"]

(knobs,) = app.knobs
restored, problems = Links(app, [tab], {}).read(
    {"tab": "rows", "panel": "generate", "generate.top_k": "3", "generate.temperature": "9"})
assert restored[knobs.built["top_k"]] == 3
assert problems == ["temperature=9: choose a number from 0 to 2"], problems

settings = knobs.check([0.5, 2, 4, 7])
frames = list(panel.run(app, **settings))
last = frames[-1]
assert last.total == 16 and [lane.title for lane in last.lanes] == ["Tokens", "Next token"]
scope = {}
exec(panel.code(settings), scope)
assert scope["x"].shape == (4, 16) and 0 <= int(scope["x"].min())
lines = training_lines(*panel.recipes([]))
exec(lines, scope)
assert scope["step"].step == 20 and "import Rows" in lines
assert "top_k=2" in panel.code(settings) and 'load("rows-stairs")' in panel.code(settings)
print("shown")
"""


def test_it_stands_on_the_page_by_its_name_alone(home: Path, trained: dict):
    done = run(home, "-c", PAGE)
    assert done.stdout.endswith("shown\n"), done.stderr


def test_nothing_else_knows_of_it():
    others = [*(ROOT / "gen_core").rglob("*.py"), *(ROOT / "demos").rglob("*.py")]
    assert not [path for path in others if MODEL in path.read_text(encoding="utf-8")]
