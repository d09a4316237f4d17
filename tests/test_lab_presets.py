"""What the lab tells of games that break and mend was counted, and can be counted again."""

import dataclasses
import json

import pytest
import torch

from gen_core.__main__ import main
from gen_core.evaluation.bench_lab import as_text
from gen_core.lab import Settings, settings_from
from gen_core.lab.counting import ends, measured, wilson
from gen_core.lab.presets import PRESETS

SMALL = Settings(batch=32, width=16)


def test_intervals_are_wilsons():
    assert wilson(0, 100) == pytest.approx((0.0, 0.0370), abs=1e-4)
    assert wilson(50, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(100, 100)[1] == 1


def test_what_is_told_of_a_preset_was_measured():
    """Each pair as it is now, from a hundred seeds."""
    stored = measured()
    assert list(stored) == list(PRESETS)
    for name, preset in PRESETS.items():
        told = stored[name]
        assert told["steps"] == preset.steps and told["seeds"] == 100
        assert preset.look and len(preset.mend) == 1
        for game, settings in preset.games.items():
            row = told[game]
            assert settings_from(row["settings"]) == settings
            assert sum(row[o] for o in ("converged", "collapsed", "not converged")) == 100
            assert row["all modes"] <= row["converged"]


def test_runs_are_counted_once_each():
    counts = ends(SMALL, 2, 23)
    assert counts == {"converged": 0, "collapsed": 0, "not converged": 23, "all modes": 0}


def test_the_command_prints_counts_with_intervals(capsys, monkeypatch, tmp_path):
    name, short = next(iter(PRESETS.items()))
    monkeypatch.setitem(PRESETS, name, dataclasses.replace(short, steps=2))
    monkeypatch.setattr("gen_core.lab.counting.MEASURED", tmp_path / "presets.json")
    assert main(["lab", name, "--seeds", "3", "--write"]) == 0
    said = capsys.readouterr().out
    assert said.count("not converged") == 2 and "3 of 3   44% to 100%" in said
    assert list(json.loads((tmp_path / "presets.json").read_text())) == [name]
    assert main(["lab", "nothing"]) == 2
    assert f"choose one of {name}" in capsys.readouterr().err


def test_costs_are_told_for_one_thread_and_two(capsys, monkeypatch):
    monkeypatch.setattr("gen_core.evaluation.bench_lab.RUNS", 2)
    monkeypatch.setattr("gen_core.evaluation.bench_lab.GAMES", {"plain": {}, "R1": {"r1": 1.0}})
    before = torch.get_num_threads()
    assert main(["bench", "lab", "--rounds", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert torch.get_num_threads() == before and found["runs"] == 2
    assert all(found[f"threads {n}"].keys() == {"plain", "R1"} for n in (1, 2))
    assert min(found["threads 1"].values()) > 0
    assert "aim: 60, met" in as_text(found | {"threads 2": {"R1": 60.0}, "threads 1": {"R1": 1.0}})
    assert main(["bench", "lab", "vae"]) == 2
    assert "leave out the families" in capsys.readouterr().err
