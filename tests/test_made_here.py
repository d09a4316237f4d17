"""Saving pictures from the Text to image tab, and asking the box where a picture was made."""

from __future__ import annotations

import base64
import io
import json
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from gradio.context import LocalContext
from PIL import Image
from playwright.sync_api import expect

from conftest import awaited
from demos.page import saving
from demos.page.controls import Knobs
from demos.page.handlers import App, Keeps
from demos.page.image_io import as_json, data_url
from demos.page.panel import Page, Panel, is_value
from demos.page.saving import files, written
from demos.tabs import text_to_image
from demos.tabs.text_to_image import compare, generate, provenance_check
from demos.widgets.card.export import export_file
from gen_core.knobs import KnobError
from gen_core.provenance import metadata, watermark
from sampling_fixtures import defaults, frames_of
from serving import page_of
from visiting import upload

PROMPT = 'a <b>red</b> "cat"'


@pytest.fixture
def app(weights, monkeypatch) -> App:
    monkeypatch.setenv("GEN_WEIGHTS", str(weights))
    return App("cpu")


def ran(app: App, panel: Panel, **knobs) -> list:
    """All that a panel's event yields, but for what only gives others a turn."""
    page = Page(panel, app, Knobs(panel.tab, panel.id, []), [])
    pieces = panel.values(page, **defaults(panel, **knobs))
    return [piece for piece in pieces if is_value(piece)]


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data), formats=["PNG"])
    picture.load()
    return picture


@pytest.fixture
def saved(app) -> dict[str, bytes]:
    run = ran(app, generate.PANEL, prompt=PROMPT, steps=2, count=2, seed=9)[-1].run
    return files(run)


def uploaded(tmp_path: Path, data: bytes, name: str = "a.png") -> dict:
    """A file as Gradio hands it on once somebody has uploaded it."""
    path = tmp_path / name
    path.write_bytes(data)
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}}


def test_what_is_seen_is_saved_large_marked_and_labelled(app):
    last = ran(app, generate.PANEL, prompt=PROMPT, steps=2, count=2, seed=9)[-1]
    value, run = last.value, last.run
    made = files(run)
    assert list(made) == ["noise-to-data-seed-9.png", "noise-to-data-seed-10.png"]
    seen = frames_of(value.to_json()["lanes"][0])[-1]
    for seed, data, shown in zip((9, 10), made.values(), seen, strict=True):
        picture = opened(data)
        assert picture.size == (512, 512)
        large = shown.repeat(8, axis=0).repeat(8, axis=1).astype(int)
        assert abs(np.asarray(picture) - large).max() <= 4
        assert watermark.score(picture) > watermark.threshold()
        said = metadata.read_metadata(picture.info)
        assert (said["prompt"], said["seed"], said["steps"]) == (PROMPT, str(seed), "2")
        assert said["model"] == generate.MODEL and said["solver"] == "dpm++2m"


def test_what_older_files_say_is_read_in_today_s_words():
    said = metadata.read_metadata({"Software": metadata.PROGRAM, "model": "m", "sampler": "DDIM"})
    assert said == {"program": metadata.PROGRAM, "model": "m", "solver": "DDIM"}


def test_an_unfinished_run_is_not_saved(app):
    first, *_ = ran(app, generate.PANEL, steps=3, count=1)
    value, run = first.value, first.run
    assert value.steps == [0] and run is None
    with pytest.raises(KnobError, match="no pictures to save: run the panel first"):
        written(None)


def test_several_pictures_come_as_one_file(app):
    run = ran(app, generate.PANEL, prompt=PROMPT, steps=1, count=3)[-1].run
    file = written(run)
    assert file.name == "noise-to-data-seeds-0-to-2.zip"
    assert zipfile.ZipFile(io.BytesIO(file.data)).namelist() == list(files(run))
    run = ran(app, generate.PANEL, steps=1, count=1)[-1].run
    assert written(run).name == "noise-to-data-seed-0.png"


def test_a_file_is_there_while_gradio_copies_it_and_each_visitor_gets_their_own(app):
    """Nor does a session get another one's pictures."""

    async def visits() -> list[str]:
        paths = []
        with gr.Blocks() as page:
            generate.PANEL.build(app)
        draw, save = (
            next(fn.fn for fn in page.fns.values() if fn.api_name == f"text_to_image_generate{end}")
            for end in ("", "_save")
        )
        for session, seed in (("a", 1), ("b", 2), (None, 3), ("a", None), ("b", None)):
            LocalContext.request.set(SimpleNamespace(session_hash=session))
            if seed is not None:
                asked = {"prompt": "a cat", "steps": 1, "count": 1, "seed": seed}
                knobs = next(k for k in app.knobs if k.panel == "generate").knobs
                values = [asked.get(knob.name, knob.default) for knob in knobs]
                _ = [piece async for piece in draw(*values, lambda *_, **__: None)]
                continue
            async for path in save(lambda *_, **__: None):
                paths.append(path)
                assert Path(path).exists()
        LocalContext.request.set(SimpleNamespace(session_hash=None))
        with pytest.raises(gr.Error, match="no pictures to save"):  # nor does nobody in particular
            _ = [path async for path in save(lambda *_, **__: None)]
        return paths

    paths = awaited(visits())
    assert [Path(path).name for path in paths] == [
        "noise-to-data-seed-1.png",
        "noise-to-data-seed-2.png",
    ]
    assert not any(Path(path).exists() for path in paths)


@pytest.mark.parametrize("panel", [generate.PANEL, compare.CHANGE_PANEL], ids=lambda p: p.id)
def test_every_widget_s_own_files_are_labelled_too(app, panel, monkeypatch):
    monkeypatch.setitem(compare.COLUMNS, "Guidance", ("guidance_scale", {1.0: "1"}))
    monkeypatch.setitem(compare.USUAL, "steps", 1)
    last = ran(app, panel, prompt=PROMPT, steps=1, count=2)[-1]
    value = last.value if isinstance(last, Keeps) else last
    drawn = data_url(metadata.png(np.zeros((4, 4, 3), np.uint8), {}))
    made = json.loads(json.dumps(as_json(value)["made"]))  # as the browser has it
    file = export_file({"png": drawn, "made": made})["file"]
    asked = defaults(panel, prompt=PROMPT, steps=1, count=2)
    said = metadata.read_metadata(opened(base64.b64decode(file.partition(",")[2])).info)
    expected = metadata.about(generate.MODEL, asked)
    assert {name: said[name] for name in said if name in expected} == {
        name: text for name, text in expected.items() if name in said
    }
    assert said["seed"] == "0 to 1" and said["prompt"] == PROMPT


def test_the_box_knows_its_own(saved, tmp_path):
    first = next(iter(saved.values()))
    found = provenance_check.checked(uploaded(tmp_path, first))
    assert found.found and found.headline.startswith("Made here: its metadata says so")
    assert found.facts["prompt"] == PROMPT and found.facts["seed"] == "9"
    assert "of 1,000 pictures without the mark was" in found.reasons[1].text
    bare = io.BytesIO()
    opened(first).convert("RGB").resize((256, 256)).save(bare, "JPEG", quality=90)
    found = provenance_check.checked(uploaded(tmp_path, bare.getvalue(), "b.jpg"))
    assert found.found and found.headline.startswith("Made here, according to the mark")
    assert found.facts == {} and "says nothing" in found.reasons[0].text


def test_the_box_does_not_believe_metadata_alone(saved, tmp_path):
    forged = metadata.png(
        np.full((200, 200, 3), 90, np.uint8), metadata.about("a-model", {"prompt": "me"})
    )
    found = provenance_check.checked(uploaded(tmp_path, forged))
    assert not found.found and found.headline.startswith("Perhaps made here")
    others = metadata.about("a-model", {}) | {"Software": "Another"}
    flat = np.full((200, 200, 3), 90, np.uint8)
    found = provenance_check.checked(uploaded(tmp_path, metadata.png(flat, others)))
    assert found.headline.startswith("Generated, according to its metadata") and found.facts == {}
    assert "made by a generative model" in found.reasons[0].text
    found = provenance_check.checked(uploaded(tmp_path, metadata.png(flat, {})))
    assert found.headline == "No sign that it was made here." and found.score == 0
    assert "does not mean that" in found.caution


def test_what_is_sure_depends_on_the_score():
    known = watermark.measured()
    between = (known["threshold"] + known["highest_unmarked"]) / 2
    assert "come that far too" in provenance_check.mark(between)
    assert provenance_check.mark(known["threshold"]).startswith("Not found")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no picture", "cannot be read as a picture"),
        (b"GIF89a", "cannot be read as a picture"),
        (metadata.png(np.zeros((40, 600, 3), np.uint8), {}), "too small to look for the mark"),
        (metadata.png(np.zeros((2, 4097, 3), np.uint8), {}), "4097 x 2 pixels: too small"),
    ],
)
def test_wrong_files_are_answered_in_words(tmp_path, data, message):
    with pytest.raises(KnobError, match=message):
        provenance_check.checked(uploaded(tmp_path, data))


@pytest.mark.parametrize("wrong", [None, 7, "/etc/hostname", {"path": "/etc/hostname"}])
def test_what_is_no_upload_is_refused(wrong):
    with pytest.raises(KnobError, match="upload"):
        provenance_check.checked(wrong)


@pytest.mark.browser
def test_pictures_to_try_are_checked_when_pressed(visit, app_address):
    page = visit(f"{app_address}?tab=text-to-image&panel=made-here")
    verdict = page.locator("#text-to-image-made-here")
    expect(verdict.locator(".card-source")).to_have_text("Example")
    expect(verdict).to_contain_text("Made here: its metadata says so, and it carries the mark.")
    said = {
        "Saved here, shared as JPEG": "Made here, according to the mark",
        "Drawn by a program": "No sign that it was made here.",
        "Saved here": "Made here: its metadata says so",
    }
    for title, answer in said.items():
        page.get_by_role("button", name=title, exact=True).click()
        expect(verdict).to_contain_text(answer)


def test_the_rates_on_the_page_are_the_measured_ones(monkeypatch):
    known = watermark.measured() | {"found": {"JPEG 75": 0.123}, "date": "2031-02-03"}
    monkeypatch.setattr(watermark, "measured", lambda: known)
    assert (
        "| JPEG 75 | 12.3% |" in provenance_check.rates()
        and "3 February 2031" in provenance_check.rates()
    )


def test_the_printed_lines_run(saved, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("picture.png").write_bytes(next(iter(saved.values())))
    exec(textwrap.dedent(provenance_check.code({})), {})
    assert generate.MODEL in capsys.readouterr().out


@pytest.fixture(scope="module")
def address(weights) -> Iterator[str]:
    with page_of(text_to_image.TAB, weights=weights) as address:
        yield address


@pytest.mark.browser
def test_save_a_picture_and_ask_where_it_was_made(address, visit, tmp_path):
    page = visit(
        f"{address}?tab=text-to-image&panel=generate"
    )  # a link's run would begin by itself
    page.get_by_role("button", name=saving.BUTTON).click()
    expect(page.get_by_text("run the panel first").first).to_be_visible()
    for knob in ("steps", "count"):
        field = page.locator(f"#text-to-image-generate-{knob} input[type=number]")
        field.fill("1")
        field.press("Enter")
    page.locator("#text-to-image-generate-prompt textarea").fill(PROMPT)
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_text("1 picture in")).to_be_visible()
    for button, name in (
        (saving.BUTTON, "saved.png"),
        ("Download key frames as PNG", "strip.png"),
        ("Download animation as GIF", "animation.gif"),
    ):
        with page.expect_download() as download:
            page.get_by_role("button", name=button).click()
        download.value.save_as(tmp_path / name)
        assert "cat" not in download.value.suggested_filename
        with Image.open(tmp_path / name) as file:
            file.load()
            said = metadata.read_metadata(file.info)
        assert PROMPT in said["comment" if name.endswith("gif") else "prompt"]
    page.get_by_role("tab", name=provenance_check.TITLE).click()
    upload(page, "text-to-image", tmp_path / "saved.png")
    page.get_by_role("button", name=provenance_check.BUTTON, exact=True).click()
    answer = page.locator(f"#{provenance_check.NAME}")
    expect(answer.get_by_text("Made here: its metadata says so")).to_be_visible()
    expect(answer.get_by_text(PROMPT)).to_be_visible()  # as text, with its tags
