"""The invisible mark and the metadata: found after what happens to pictures, and not elsewhere."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from emoji_fixtures import drawn_emoji
from gen_core import load
from gen_core.__main__ import main
from gen_core.data.emoji.scenes import any_scene, paint
from gen_core.families.text_to_image.folder import NAME
from gen_core.knobs import KnobError
from gen_core.provenance import watermark
from gen_core.provenance.metadata import PROGRAM, SOURCE_TYPES, XMP, about, png, read_metadata
from gen_core.provenance.watermark_rates import (
    CHANGES,
    FALSE_ALARMS,
    rates,
    signal_to_noise,
)

pytestmark = pytest.mark.heavy

MARKED, UNMARKED = 40, 100
NASTY = (
    "a \"cat\" \\ and 'dog'",
    "<script>alert(1)</script> & ]]> <!-- --> &amp;",
    "a \N{CAT FACE} and a \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
    "قطة حمراء \u202ereversed\u202c",
    "one\nline\r\nafter\tanother",
    "x" * 2000,
    "",
    "  kept  as it is ",
)


def drawn(number: int) -> np.ndarray:
    """A picture such as the model was trained on, (64, 64, 3)."""
    return paint(any_scene(np.random.default_rng(number)), drawn_emoji())


@pytest.fixture(scope="module")
def exported() -> list[Image.Image]:
    pictures = [watermark.marked(watermark.enlarged(drawn(k))) for k in range(MARKED)]
    return [Image.fromarray(picture) for picture in pictures]


@pytest.mark.parametrize("change", CHANGES)
def test_the_mark_is_found_after(change, exported):
    rng = np.random.default_rng(1)
    found = 0
    for picture in exported:
        for step in CHANGES[change]:
            picture = step(picture, rng)
        found += watermark.score(picture) > watermark.threshold()
    assert found >= (0.95 if len(CHANGES[change]) < 2 else 0.9) * MARKED


def test_nothing_is_found_where_nothing_is():
    rng = np.random.default_rng(2)
    alarms = 0
    for k in range(UNMARKED):
        picture = Image.fromarray(watermark.enlarged(drawn(1000 + k)))
        for step in list(CHANGES.values())[k % len(CHANGES)]:
            picture = step(picture, rng)
        alarms += watermark.score(picture) > watermark.threshold()
    assert alarms <= 4  # 1 is expected; 5 or more come in less than 1 of 250 tries


def test_one_pattern_turned_is_another():
    """The score is of this pattern, not of any that looks like it."""
    picture = watermark.marked(np.full((512, 512, 3), 128, np.uint8))
    assert watermark.score(Image.fromarray(picture)) > 0.9
    assert watermark.score(Image.fromarray(picture.transpose(1, 0, 2))) < watermark.threshold()


@pytest.mark.parametrize("level", [0, 34, 128, 255])
def test_the_mark_is_faint_and_whole_on_flat_colours(level):
    flat = np.full((512, 512, 3), level, np.uint8)
    marked = watermark.marked(flat)
    assert signal_to_noise(flat, marked) >= 38
    assert abs(marked.astype(int) - flat).max() <= 4
    assert len(np.unique(marked)) >= 4  # neither half of the pattern was cut off
    assert watermark.score(Image.fromarray(flat)) == 0


def test_enlarging_keeps_the_pixels():
    small = drawn(5)
    large = watermark.enlarged(small)
    assert large.shape == (512, 512, 3) and np.array_equal(large[3::8, 4::8], small)
    assert np.array_equal(watermark.enlarged(large), large)


def test_a_picture_too_small_to_tell_is_refused():
    with pytest.raises(KnobError, match="upload=512 x 100 pixels: too small .* at least 128"):
        watermark.score(Image.new("RGB", (512, 100)))


def test_a_huge_picture_is_searched_too(exported):
    huge = exported[0].resize((3000, 3000), Image.Resampling.BICUBIC)
    assert watermark.score(huge) > watermark.threshold()


def test_the_figures_on_the_page_are_those_that_were_aimed_at():
    known = watermark.measured()
    assert known["pictures"] >= 200 and known["unmarked"] >= 500
    assert known["false_alarms"] <= 2 * FALSE_ALARMS and known["psnr"]["least"] >= 38
    assert (
        min(known["found"][change] for change, steps in CHANGES.items() if len(steps) < 2) >= 0.95
    )
    assert known["found"].keys() == CHANGES.keys()


def test_the_model_s_own_pictures_are_marked_where_there_is_one(emoji_weights):
    model = load(NAME, "cpu", emoji_weights.parent)
    told = rates(drawn_emoji(), pictures=2, unmarked=2, model=model)
    assert told["by_model"] and told["pictures"] == 2 and told["found"].keys() == CHANGES.keys()


def test_the_command_measures(tmp_path, monkeypatch, capsys):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    Image.fromarray(drawn(3)).resize((300, 200)).save(photographs / "a.jpg")
    monkeypatch.setattr("gen_core.__main__.load_emoji", lambda root: drawn_emoji())
    monkeypatch.setattr(watermark, "MEASURED", tmp_path / "rates.json")
    command = ["watermark", "--pictures", "2", "--unmarked", "8", "--json", "--write"]
    assert main([*command, "--others", str(photographs)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "rates.json").read_text(encoding="utf-8"))
    assert printed["found"]["untouched"] == 1 and printed["photographs"] == 1
    again = rates(drawn_emoji(), pictures=2, unmarked=8, others=photographs)
    assert again == printed  # the same seed, the same figures
    assert main(["watermark", "--pictures", "0"]) == 2


@pytest.mark.parametrize("prompt", NASTY, ids=lambda text: ascii(text)[:20])
def test_metadata_comes_back_letter_for_letter(prompt):
    knobs = {
        "prompt": prompt,
        "negative_prompt": prompt[::-1],
        "seed": 7,
        "steps": 20,
        "guidance_scale": 5.0,
        "solver": "ddim",
        "count": 1,
        "other": "not told",
    }
    file = png(drawn(0), about("some-model", knobs))
    with Image.open(io.BytesIO(file), formats=["PNG"]) as picture:
        picture.load()
        said = read_metadata(picture.info)
        packet = picture.info[XMP]
    expected = {name: str(value) for name, value in knobs.items() if name not in ("count", "other")}
    assert {name: said[name] for name in expected} == expected
    assert said["program"] == PROGRAM and said["model"] == "some-model"
    assert said["source"] == "trainedAlgorithmicMedia"
    described = ET.fromstring(packet).find(".//{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")
    assert prompt in described.text and "Generated by a model" in described.text
    assert b"not told" not in file


def test_what_xml_cannot_write_is_replaced():
    said = about("m", {"prompt": "a\x00b\x0bc\ud800d\uffffe", "seed": 1})
    assert said["prompt"] == "a\ufffdb\ufffdc\ufffdd\ufffde"
    ET.fromstring(said[XMP])
    assert png(drawn(0), said)


def test_several_pictures_have_several_seeds():
    assert about("m", {"seed": 3, "count": 4})["seed"] == "3 to 6"


def test_what_others_wrote_is_told_apart():
    assert read_metadata({}) == read_metadata({"Software": "Other", "prompt": "a cat"}) == {}
    camera = f'<x DigitalSourceType="{SOURCE_TYPES}digitalCapture"/>'.encode()
    assert read_metadata({"xmp": camera}) == {"source": "digitalCapture"}
    assert len(read_metadata({"Software": PROGRAM, "prompt": "x" * 10**6})["prompt"]) == 4000
    assert read_metadata({"comment": b"caf\xe9"}) == {"comment": "caf\ufffd"}
    assert read_metadata({"Software": 7, "xmp": 8, "dpi": (72, 72)}) == {}
