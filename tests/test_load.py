"""The load tool: it drives a real page as visitors do, and its figures add up."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conftest import ROOT, awaited
from demos.load import __main__ as load
from demos.load.__main__ import measured, parse
from demos.load.report import Answer, Report, table
from demos.load.visitor import GONE, PICTURE, PRESSED, Site, Visitor, _rows
from demos.page.handlers import SHARED
from demos.tabs import diffusion, overview, vae
from sampling_fixtures import served
from serving import page_of


@pytest.fixture(scope="module")
def vaes() -> Iterator[str]:
    with page_of(vae.TAB) as address:
        yield address


def figures(address: str, *arguments: str) -> dict:
    options = parse(["--address", address, "--visitors", "3", *arguments])
    return awaited(measured(address, options, None)).figures()


def test_percentiles_and_rates_are_those_of_the_answers():
    answers = [Answer("vae_samples", k / 10, k / 20, rows=10) for k in range(1, 101)]
    lost = Answer("diffusion_generate", 5.0, error="gone")
    told = Report(20.0, [*answers, lost], {"vae_samples": 0.4}, [1.0, 3.0]).figures()
    assert told["presses"] == 101 and told["failures"] == 1 and told["errors"] == ["gone"]
    assert told["presses_per_second"] == 5 and told["rows_per_second"] == 50
    assert told["work_rate"] == 2  # 100 presses of 0.4 s in 20 s
    assert told["single_passes"]["end"] == {"p50": 5.1, "p95": 9.6, "last": 10.0}
    assert told["all"]["first"]["p50"] == 2.55 and told["page_seconds"]["last"] == 3
    assert told["kinds"]["diffusion_generate"]["failures"] == 1


def test_rows_are_read_off_a_finished_run_and_shared_ones_count_nothing():
    said = "10 pictures in 412 ms \u00b7 39 network evaluations per picture \u00b7 a laptop"
    assert _rows(said) == 390 and _rows("step 3 of 20 so far") == 0
    assert _rows(said + SHARED) == 0


def test_a_visit_begins_with_the_pictures_of_the_overview():
    async def first(address: str) -> set[str]:
        async with httpx.AsyncClient() as http:
            return (await Site.of(http, address.rstrip("/"))).first_pictures

    with page_of(overview.TAB, vae.TAB) as address:
        whole = httpx.get(f"{address}config").text
        pictures = awaited(first(address))
        assert len(pictures) >= 6 and all(name in whole for name in pictures)
        assert len(pictures) < len(set(PICTURE.findall(whole)))  # not those of other tabs
        assert all(httpx.get(address + name).status_code == 200 for name in pictures)


def test_a_workshop_presses_one_button_and_equal_seeds_are_drawn_once(tmp_path: Path):
    with served(diffusion.TAB, tmp_path) as address:
        equal = figures(address, "--within", "0.2")
        own = figures(address, "--within", "0.2", "--seeds", "own", "--no-page")
    for told in (equal, own):
        assert told["failures"] == 0 and [*told["kinds"]] == ["diffusion_generate"]
        found = told["kinds"]["diffusion_generate"]
        assert found["count"] == 3 and found["first"]["last"] <= found["end"]["last"]
    assert own["rows_per_second"] > equal["rows_per_second"]
    assert equal["page_seconds"]["last"] > 0 and own["page_seconds"] is None


def test_sliders_and_knobs_are_moved_each_to_its_own_place(vaes: str):
    told = figures(vaes, "--mix", "light", "--seconds", "2", "--every", "0.2", "--no-page")
    assert told["failures"] == 0 and {*told["kinds"]} == {
        "slider decode",
        "vae_samples_temperature",
    }
    assert told["presses"] > 6 and told["single_passes"]["count"] == told["presses"]
    assert 0 < told["own_share"] < 1


def test_a_free_visit_presses_what_the_page_has(vaes: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(load, "LOOK", (0.0, 0.1))
    told = figures(vaes, "--mix", "free", "--seconds", "2", "--no-page")
    assert told["failures"] == 0 and told["work_rate"] > 0
    assert {*told["kinds"]} <= {"slider decode", "vae_samples", "vae_interpolate"}


@pytest.mark.slow
def test_a_default_run_weighs_at_most_a_megabyte():
    async def pressed(address: str) -> dict[str, Answer]:
        async with httpx.AsyncClient(timeout=600) as http:
            site = await Site.of(http, address.rstrip("/"))
            visitor = Visitor(site, http, random.Random(0))
            names = [name for name in PRESSED if name in site.events]
            return {n: await visitor.press(n, site.values(n, 1)) for n in names}

    with page_of() as address:
        answers = awaited(pressed(address))
    assert [*answers] == [*PRESSED] and not any(answer.error for answer in answers.values())
    assert {n: answer.size for n, answer in answers.items() if answer.size > 1e6} == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_visitors_who_come_press_and_vanish_leave_the_app_as_it_was():
    command = [sys.executable, "-m", "demos.load", "--soak", "3", "--visitors", "32", "--json"]
    soak = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2400)
    told = json.loads(soak.stdout)
    assert soak.returncode == 0 and told["failures"] == 0, told["errors"]
    assert told["kinds"][GONE]["count"] > 0 and told["presses"] > 60


def test_what_fails_is_told_and_not_counted_as_done(vaes: str):
    async def bad() -> Answer:
        async with httpx.AsyncClient() as http:
            site = await Site.of(http, vaes.rstrip("/"))
            visitor = Visitor(site, http, random.Random(0))
            return await visitor.press("vae_samples", site.values("vae_samples", None, count=1000))

    answer = awaited(bad())
    assert "count=1000: choose a whole number from 1 to" in answer.error
    assert "failed: count=1000" in table(Report(1.0, [answer]).figures())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--visitors", "0"], "--visitors 0: choose 1 to 1000"),
        (["--seconds", "-1"], "--seconds -1.0: choose 0 to 86400 seconds"),
        (["--address", "http://example.org"], "choose an app on this machine"),
    ],
)
def test_a_bad_option_is_refused(arguments, message, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        parse(arguments)
    assert message in capsys.readouterr().err
