"""`python app.py --check`: what it finds where a machine is not ready for a workshop, and where it
is."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app import parse
from conftest import ROOT, free_port
from demos.check import report, weights
from demos.check.finding import Finding, ok, problem, warning
from demos.check.machine import BASE_MEMORY, VISITOR_MEMORY, memory, network, packages
from demos.check.machine import free_port as port_is_free
from demos.check.report import check
from demos.check.visit import pace, stream, visit
from demos.check.weights import SUMS
from demos.load.report import Answer
from gen_core.training import checkpoint
from sampling_fixtures import write_weights

# --- the machine ----------------------------------------------------------------------------------


def test_what_is_installed_here_is_what_is_needed():
    found = packages()
    assert found.state == "ok" and f"torch {importlib.metadata.version('torch')}" in found.said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no-such-package>=2", "no-such-package is not installed"),
        ("torch>=2,<2.1", f"torch is {importlib.metadata.version('torch')}, needed is <2.1,>=2"),
    ],
)
def test_a_package_that_is_missing_or_of_another_version_is_named(line, said):
    found = packages(["# a comment", "numpy>=2", line])
    assert found.state == "problem" and found.said == said
    assert "pip install -r requirements.txt" in found.todo


def test_a_torchvision_of_another_torch_is_found():
    def version(name: str) -> str:
        return "2.1.0" if name == "torch" else importlib.metadata.version(name)

    found = packages(["torch>=2", "torchvision>=0.29"], version)
    assert found.state == "problem" and found.said.startswith("torch is 2.1.0, needed is ")


def test_a_taken_port_is_named_with_who_has_it_and_another():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = port_is_free("127.0.0.1", port)
        assert found.state == "problem" and f"{port} is taken by " in found.said
        other = int(found.todo.rpartition(" ")[2])
        assert other > port and port_is_free("127.0.0.1", other).state == "ok"
    assert port_is_free("127.0.0.1", port).state == "ok"


def test_a_port_that_needs_rights_says_so(monkeypatch):
    def refuse(*asked, **how):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)  # whoever runs this may be root
    found = port_is_free("127.0.0.1", 80)
    assert found.state == "problem" and found.said == "port 80 needs administrator rights"
    assert found.todo == "choose one from 1024 on: --port"


def test_a_host_that_is_none_of_this_machine_is_named():
    found = port_is_free("192.0.2.77", free_port())  # of an example, by RFC 5737
    assert found.state == "problem" and "192.0.2.77 is no address of this machine" in found.said


@pytest.mark.parametrize(
    ("host", "there", "state", "said"),
    [
        ("0.0.0.0", "http://10.1.2.3:80/", "ok", "http://10.1.2.3:80/ for other devices"),
        ("0.0.0.0", None, "problem", "this machine is in no network"),
        ("127.0.0.1", None, "warning", "127.0.0.1 answers this machine alone"),
        ("10.1.2.3", None, "ok", "http://10.1.2.3:80/ for other devices"),
    ],
)
def test_other_devices_are_told_where_the_page_is(host, there, state, said):
    found = network(host, 80, lambda host, port: there)
    assert (found.state, found.said) == (state, said)


def test_memory_is_enough_hardly_enough_or_too_little_for_so_many():
    need = BASE_MEMORY + 40 * VISITOR_MEMORY
    states = [memory(40, int(need * share)).state for share in (0.9, 1.1, 1.5)]
    assert states == ["problem", "warning", "ok"]
    assert memory(400, int(need * 1.5)).state == "problem"
    assert f"{need / 1e9:.1f} GB with 40 visitors" in memory(40, need).said


# --- the weights ----------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two of the trained models, one with figures in a file beside it."""
    names = ("vae-fashion.safetensors", "vae-fashion.json", "vae-avatars-cut.safetensors")
    for name in names:
        shutil.copy(ROOT / "weights" / name, tmp_path)
    sums = (ROOT / "weights" / SUMS).read_text().splitlines()
    kept = [line for line in sums if line.endswith(names)]
    assert len(kept) == 3
    (tmp_path / SUMS).write_text("\n".join(kept))
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    assert [finding.state for finding in weights.weights()] == ["ok"]
    return tmp_path


def faults() -> list[str]:
    found = weights.weights()
    assert all(finding.state == "problem" and finding.todo for finding in found)
    return [finding.said for finding in found]


@pytest.mark.heavy
def test_the_models_of_the_repository_are_as_published():
    """Else: make sums"""
    (found,) = weights.weights(ROOT / "weights")
    assert found.state == "ok" and "as published" in found.said
    listed = (ROOT / "weights" / SUMS).read_text().splitlines()
    files = [path for path in (ROOT / "weights").rglob("*") if path.is_file()]
    assert len(listed) == len(files) - 1


def test_half_a_file_does_not_load(copied):
    file = copied / "vae-avatars-cut.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    (said,) = faults()
    assert said.startswith(f"{file.name} does not load") and "\n" not in said


def test_one_bit_that_is_another_is_found(copied):
    file = copied / "vae-avatars-cut.safetensors"
    data = bytearray(file.read_bytes())
    data[-1000] ^= 1
    file.write_bytes(data)
    assert faults() == [f"{file.name} is not as it was published"]
    assert "make sums" in weights.weights()[0].todo


def test_a_missing_file_and_figures_of_other_weights_are_found(copied):
    (copied / "vae-avatars-cut.safetensors").unlink()
    shutil.copy(ROOT / "weights" / "vae-fashion-2d.json", copied / "vae-fashion.json")
    assert faults() == [
        "vae-avatars-cut.safetensors is missing",
        "vae-fashion.json is not as it was published",
    ]
    (copied / SUMS).unlink()
    assert faults() == ["vae-fashion.json was measured of another vae-fashion.safetensors"]


def test_a_model_that_is_a_folder_is_looked_through(own_weights):
    (found,) = weights.weights()
    assert found.state == "ok" and f"no {SUMS} to compare" in found.said
    part = next(own_weights.rglob("unet/*.safetensors"))
    part.write_bytes(b"none")
    (said,) = faults()
    assert said.startswith(f"{part.relative_to(own_weights.parent)} does not open")
    (own_weights / checkpoint.CARD).write_text("{")
    assert any(f"{checkpoint.CARD} does not load" in said for said in faults())


def test_an_empty_folder_is_named(tmp_path):
    (found,) = weights.weights(tmp_path)
    assert found.state == "problem" and str(tmp_path) in found.said and "GEN_WEIGHTS" in found.todo


# --- a visit --------------------------------------------------------------------------------------


@pytest.fixture
def tiny_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_weights(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return tmp_path


def visited(*arguments: Any) -> list[Finding]:
    """In a thread of its own: a browser of another test may have left a loop running in this."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: list(visit(*arguments))).result()


@pytest.mark.heavy
def test_a_visit_fetches_the_page_watches_a_run_and_measures_each_family(tiny_weights):
    arguments = ["--device", "cpu", "--root-path", "/noise"]
    found = {f.check: f for f in visited("127.0.0.1", free_port(), 40, arguments)}
    fine = {"page", "Diffusion", "Flow matching", "stream"}  # if slow, where the machine is busy
    assert {name for name, finding in found.items() if finding.state != "problem"} == fine
    assert found["VAE"].state == "problem" and "no weights named" in found["VAE"].said
    assert "diffusion_generate showed something after" in found["stream"].said
    assert "runs a minute; where 40 press at once" in found["Flow matching"].said


@pytest.fixture(scope="module")
def hindered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """What a visit finds where a model is damaged, and the engine has measured nothing."""

    async def unknown(*asked):
        return None

    folder = tmp_path_factory.mktemp("hindered")
    write_weights(folder)
    file = folder / "diffusion-fashion.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_WEIGHTS", str(folder))
        patch.setattr("demos.check.visit._device", unknown)
        found = visited("127.0.0.1", free_port(), 40, ["--device", "cpu"])
    return {finding.check: finding for finding in found}


@pytest.mark.heavy
def test_a_visit_says_which_family_fails_and_goes_on(hindered):
    assert hindered["Diffusion"].state == "problem" and "is damaged" in hindered["Diffusion"].said
    assert hindered["Flow matching"].state != "problem"


@pytest.mark.heavy
def test_where_the_engine_has_measured_nothing_the_seconds_of_the_answer_count(hindered):
    pressed = hindered["Flow matching"]
    assert pressed.state != "problem" and "where 40 press at once" in pressed.said
    assert not pressed.said.startswith("60,000 ")  # as if it took no time


@pytest.mark.heavy
def test_an_app_that_does_not_start_is_quoted():
    (found,) = visited("127.0.0.1", free_port(), 40, ["--device", "abacus"])
    assert found.state == "problem" and found.check == "start"
    assert "it ended with 1; it said: device='abacus': choose one of auto, cpu" in found.said


def test_who_would_wait_long_is_warned():
    quick, slow = pace("Flow", 0.5, 40), pace("Flow", 3.0, 40)
    assert quick.state == "ok" and "120 runs a minute" in quick.said
    assert slow.state == "warning" and "the last one waits 120 s" in slow.said


def test_a_run_that_shows_all_at_its_end_is_no_stream():
    held = Answer("diffusion_generate", 3.0, first=3.0)
    assert stream([held]).state == "warning"
    assert stream([held, Answer("flow_generate", 3.0, first=0.5)]).state == "ok"


# --- all in order ---------------------------------------------------------------------------------


def checked(monkeypatch, found: list[Finding], as_json: bool = False) -> int:
    monkeypatch.setattr(report, "findings", lambda options: iter(found))
    return check(parse(["--visitors", "30", *["--json"] * as_json]))


def test_one_line_for_each_and_an_exit_code(monkeypatch, capsys):
    good = [ok("port", "7860 is free"), warning("network", "alone", "another --host")]
    assert checked(monkeypatch, good) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["ok", "warning"]
    assert lines[1].endswith("alone: another --host")
    assert lines[2] == "Ready for 30 visitors; warnings: 1."
    assert checked(monkeypatch, [*good, problem("memory", "0.1 GB free", "end others")]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "Not ready; problems: 1."
    assert checked(monkeypatch, good, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ready"] and told["findings"][1]["todo"] == "another --host"


def test_without_the_packages_nothing_else_is_tried(monkeypatch):
    missing = problem("packages", "torch is not installed", "install")
    monkeypatch.setattr(report.machine, "packages", lambda: missing)
    assert [*report.findings(parse([]))] == [missing]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ("--engine ray", "--engine ray"),
        ("--replicas 3", "--replicas"),
        (
            "--engine ray --replicas 1-4 --ray-address auto",
            "--engine ray, --replicas, --ray-address",
        ),
    ],
)
def test_what_other_machines_would_do_is_not_measured(options, named, capsys):
    assert not parse(options.split()).check
    with pytest.raises(SystemExit):
        parse(["--check", *options.split()])
    said = f"--check measures this machine alone: leave out {named}"
    assert said in capsys.readouterr().err


def test_packages_that_cannot_be_checked_are_a_line_too(monkeypatch):
    def unlisted():
        raise FileNotFoundError("requirements.txt")

    monkeypatch.setattr(report.machine, "packages", unlisted)
    (found,) = report.findings(parse([]))
    assert found.check == "packages" and found.state == "problem"
    assert found.said == "could not be checked (FileNotFoundError: requirements.txt)"


def test_a_check_that_fails_itself_is_a_line_and_ends_no_other(monkeypatch):
    def broken(visitors, free):
        return problem("memory", "none", "buy some")

    def network(host, port):
        raise LookupError("no\nnetworks")

    monkeypatch.setattr(report.machine, "network", network)
    monkeypatch.setattr(report.machine, "memory", broken)
    monkeypatch.setattr(weights, "weights", lambda: [ok("weights", "fine")])
    found = [*report.findings(parse(["--port", str(free_port())]))]
    assert [f.check for f in found] == ["packages", "port", "network", "memory", "weights"]
    assert found[2].said == "could not be checked (LookupError: no networks)"


def run(*options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "app.py", "--check", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)


@pytest.mark.heavy
def test_a_machine_that_is_not_ready_ends_with_one(copied):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--port", str(taken.getsockname()[1]))
    assert done.returncode == 1 and done.stderr == ""
    assert "is taken by" in done.stdout and done.stdout.endswith("Not ready; problems: 1.\n")


@pytest.mark.slow
def test_this_machine_is_ready_for_a_few():
    done = run("--port", str(free_port()), "--visitors", "2", "--device", "cpu", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["ready"], told
    checks = [finding["check"] for finding in told["findings"]]
    assert {"VAE", "GAN", "Diffusion", "Flow matching", "Text to image"} <= {*checks}
