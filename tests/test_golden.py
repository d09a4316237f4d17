"""Whatever is rebuilt: the same pictures, panels, links and endpoints.

Who replaces a checkpoint or a panel on purpose runs `python tests/golden.py`, in the same commit.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from gen_core import devices
from golden import FOLDER, PAGE, WEIGHTS, page_of_today, picture_rows, stored
from golden_run import checkpoints, fingerprint, in_float32

NAMES = checkpoints(WEIGHTS)
pytestmark = pytest.mark.heavy


@pytest.fixture(autouse=True)
def _float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_bf16_units", devices.has_bf16_units)  # and back at the end
    in_float32()


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_those_that_were_stored(name):
    """Within 1/255 of what a pixel can be: processors round differently."""
    weights, before = stored(name)
    assert weights == fingerprint(WEIGHTS, name), f"run python tests/golden.py write {name}"
    now = picture_rows(name)
    assert now.keys() == before.keys()
    off = {c: int(np.abs(now[c].astype(int) - before[c].astype(int)).max()) for c in now}
    assert {case: levels for case, levels in off.items() if levels > 1} == {}


def test_no_picture_is_kept_of_a_checkpoint_that_is_gone():
    assert sorted(path.stem for path in FOLDER.glob("*.png")) == NAMES
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000


@pytest.fixture(scope="module")
def pages() -> tuple[dict, dict]:
    return json.loads(PAGE.read_text(encoding="utf-8")), page_of_today()


def test_every_panel_is_still_there(pages):
    before, now = (page["panels"] for page in pages)
    assert {tab: set(ids) - set(now.get(tab, ())) for tab, ids in before.items()} == {
        tab: set() for tab in before
    }


def test_every_link_still_says_the_same(pages):
    before, now = (page["links"] for page in pages)
    assert {key: now.get(key) for key in before} == before


def test_every_endpoint_takes_what_it_took(pages):
    before, now = (page["endpoints"] for page in pages)
    missing = {name: set(taken) - set(now.get(name, ())) for name, taken in before.items()}
    assert {name: gone for name, gone in missing.items() if gone or name not in now} == {}
