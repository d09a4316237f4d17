"""A knob is one line: added to a family's tuple, it is on the command line, on the page, in links,
in the printed code, in the metadata of saved pictures and in the contract tests.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from test_one_family import FOLDER, ROOT, run

pytestmark = pytest.mark.heavy

LINE = '        Number("boldness", 0.25, 0, 4, label="How bold", info="Bolder rows"),\n'
"""The one line. (The family's `frames` takes it, as any knob, by its name.)"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess]:
    """A folder with the family of one file and one knob more, and with untrained weights of it; and
    what the process that saved them was told on the command line."""
    home = tmp_path_factory.mktemp("one-knob")
    text = (FOLDER / "rows.py").read_text(encoding="utf-8")
    before = text.index('        Whole("top_k"')
    text = text[:before] + LINE + text[before:]
    takes = "temperature: float, top_k: int"
    text = text.replace(takes, f"{takes}, boldness: float", 1)
    (home / "rows.py").write_text(text, encoding="utf-8")
    return home, within(home, SAVED)


@pytest.fixture(scope="module")
def home(made) -> Path:
    return made[0]


def within(home: Path, program: str):
    return run(home, "-c", program, GEN_FAMILIES=str(home))


SAVED = """
import contextlib, sys
from gen_core.__main__ import main
from gen_core.family import registry
from gen_core.training import checkpoint
kind = registry.classes["rows"]
checkpoint.save(kind(kind.tiny()), "rows-stairs.safetensors", {"data": "stairs"})
with contextlib.suppress(SystemExit):
    main(["sample", "--help"])
sys.exit(main(["sample", "rows-stairs", "--boldness", "9"]))
"""


def test_it_is_a_flag(made):
    _, told = made
    assert "--boldness" in told.stdout and "a number from 0 to 4" in " ".join(told.stdout.split())
    assert told.returncode == 2 and "boldness=9: choose a number from 0 to 4" in told.stderr


PAGE = """
import io
from PIL import Image
from demos.page import shell
from demos.page.handlers import App
from demos.page.links import Links
from demos.sampling.generate import Generation
from demos.page.tab import Tab
from gen_core.provenance.metadata import about, png, read_metadata
import numpy as np

panel = Generation("rows", "rows-stairs").panel()
app, tab = App("cpu"), Tab("rows", "Rows", 1, [panel])
page = shell.build_page(app, [tab])
(knobs,) = app.knobs
slider = knobs.built["boldness"]
assert (slider.label, slider.info, slider.minimum, slider.maximum, slider.value) == (
    WORD, "Bolder rows", 0, 4, 0.25), slider.label
link = {"tab": "rows", "panel": "generate", "generate.boldness": "1.5"}
restored, problems = Links(app, [tab], {}).read(link)
assert restored[slider] == 1.5 and not problems
endpoint = page.get_api_info()["named_endpoints"]["/rows_generate"]
assert "boldness" in [p["parameter_name"] for p in endpoint["parameters"]]
settings = {knob.name: knob.check(knob.default) for knob in knobs.knobs} | {"boldness": 1.5}
assert "boldness=1.5," in panel.code(settings)
file = png(np.zeros((4, 4, 3), np.uint8), about("rows-stairs", settings))
with Image.open(io.BytesIO(file)) as picture:
    assert read_metadata(picture.info)["boldness"] == "1.5"
print("everywhere")
"""


def test_it_is_on_the_page_in_links_in_the_code_and_in_files(home: Path):
    done = within(home, PAGE.replace("WORD", repr("How bold")))
    assert done.stdout.endswith("everywhere\n"), done.stderr


def test_a_language_file_puts_another_word_in_its_place(home: Path):
    (home / "words.json").write_text('{"rows.boldness.label": "Wie mutig"}', encoding="utf-8")
    program = PAGE.replace("WORD", repr("Wie mutig"))
    done = run(home, "-c", program, GEN_FAMILIES=str(home), GEN_LANGUAGE=str(home / "words.json"))
    assert done.stdout.endswith("everywhere\n"), done.stderr


def test_the_contract_tries_its_bad_values(home: Path):
    tests = str(ROOT / "tests" / "test_contracts.py")
    command = ["-m", "pytest", tests, "-k", "rows and boldness", "-p", "no:cacheprovider", "-v"]
    done = run(home, *command, GEN_FAMILIES=str(home))
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout
