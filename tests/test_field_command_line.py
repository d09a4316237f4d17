"""On the command line"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core_fixtures import tiny
from gen_core import Noise, final
from gen_core.__main__ import main
from gen_core.family import Family
from gen_core.knobs import KnobError


@pytest.fixture
def never_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets nobody take a step."""

    def sample(*_: object, **__: object) -> None:
        raise AssertionError("it was sampled")

    monkeypatch.setattr(Family, "sample", sample)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a command is refused with."""
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.says("no weights named 'banana' in")
def test_naming_a_model_that_is_not_there(says: str, capsys: pytest.CaptureFixture[str]):
    assert says in refusal(capsys, "sample", "banana")


@pytest.mark.says("choose one of .png, .jpg, .jpeg, .webp")
@pytest.mark.parametrize("name", ["bags", "bags.", "bags.docx", "bags.png.txt"])
@pytest.mark.usefixtures("never_sampled")
def test_sampling_into_a_file_that_is_no_picture(
    name: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    line = refusal(capsys, "sample", "vae-fashion", "--out", str(tmp_path / name))
    assert says in line and name in line


@pytest.mark.says("is missing: make it first")
@pytest.mark.usefixtures("never_sampled")
def test_sampling_into_a_folder_that_is_missing(
    says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert says in refusal(capsys, "sample", "vae-fashion", "--out", f"{tmp_path}/new/bags.png")


@pytest.mark.says("is a folder: name a file in it")
@pytest.mark.usefixtures("never_sampled")
def test_sampling_into_a_folder(says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "bags.png").mkdir()
    assert says in refusal(capsys, "sample", "vae-fashion", "--out", f"{tmp_path}/bags.png")


@pytest.mark.heavy
def test_reading_no_more_than_the_first_line():
    """It ends without a word, as `head` wants it."""
    command = f"{sys.executable} -m gen_core list | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stdout.count("\n") == 1 and "Traceback" not in done.stderr


@pytest.mark.says("size=30: choose a multiple of 4")
def test_building_a_gan_of_a_size_that_it_cannot_halve(says: str):
    with pytest.raises(ValueError) as refused:
        tiny("gan", size=30)
    assert says in str(refused.value)


@pytest.mark.parametrize("family", ["flow", "diffusion", "gan"])
def test_building_a_model_that_is_asked_for_nothing(family: str):
    """It draws, and refuses to be asked for a class."""
    model = tiny(family, classes=0)
    assert final(model.sample(Noise(range(2)))).shape[0] == 2
    with pytest.raises(KnobError, match="label"):
        model.sample(Noise([0]), label=3)
