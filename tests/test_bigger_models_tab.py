"""The Bigger models panel: its list, its words, its API and its page, with tiny random models."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client
from PIL import Image
from playwright.sync_api import expect

from big_pipelines import SIDE, entry, start_by_forking, tiny
from conftest import ROOT, free_port, wait_until
from demos.page import server
from demos.page.handlers import App
from demos.page.tab import Tab
from demos.tabs.text_to_image import bigger
from gen_core.hub.models import LISTED, big_models
from gen_core.hub.pipeline import Drawn
from gen_core.provenance import metadata
from sampling_fixtures import picture
from serving import page_with_models

SMALL, LONG, TURBO, LARGE = "Small <b>one</b>", "Long walk", "Turbo", "Large"
MARKUP = '<b>bold</b> ${1 + 1} {{x}} & "cat"'
TAB = Tab("text-to-image", "Text to image", 1, [bigger.PANEL])


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> Path:
    """A host's list with models that run anywhere and one that runs nowhere."""
    folder = tmp_path_factory.mktemp("models")
    small, flux = (tiny(kind, folder / kind) for kind in ("StableDiffusion", "Flux"))
    models = [
        entry(SMALL, small),
        entry(LONG, small, steps=900),
        entry(TURBO, flux, guidance_scale=0.0, max_sequence_length=16),
        entry(LARGE, "someone/large", gigabytes=9000, token=True),
    ]
    path = folder / "models.json"
    path.write_text(json.dumps(models))
    return path


@pytest.fixture(scope="module")
def served(listed) -> Iterator[tuple[App, str]]:
    with (
        page_with_models(TAB, LISTED, listed) as (app, page),
        pytest.MonkeyPatch.context() as patch,
    ):
        start_by_forking(patch)
        yield app, server.serve(page, app, "127.0.0.1", free_port()).rstrip("/")
        bigger.slot(app.device, big_models()).unload()


def htmls(page) -> str:
    """What stands on the page as markup."""
    return " ".join(
        str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML)
    )


def button(page, label: str):
    return next(block for block in page.blocks.values() if getattr(block, "value", "") == label)


def test_a_machine_that_runs_none_says_so_and_offers_no_button():
    with page_with_models(TAB, LISTED, None) as (_, page):
        told = htmls(page)
        assert "None of these models runs on this machine" in told
        assert told.count("No: it needs a GPU, or one picture takes many minutes") == 3
        assert not button(page, "Generate").interactive


def test_an_empty_list_allows_none(tmp_path):
    (tmp_path / "none.json").write_text("[]")
    with page_with_models(TAB, LISTED, tmp_path / "none.json") as (app, page):
        assert bigger.NONE_ALLOWED in htmls(page) and app.knobs == []


def test_the_list_says_what_each_model_needs_and_shows_names_as_text(listed):
    with page_with_models(TAB, LISTED, listed) as (_, page):
        told = htmls(page)
        assert button(page, "Generate").interactive and bigger.NONE_RUNS not in told
    assert "Small &lt;b&gt;one&lt;/b&gt;" in told and "<b>one" not in told
    link = '<a href="https://example.org/licence?a=1&amp;b=2" target="_blank" rel="noopener">'
    assert told.count(f"{link}None &lt;i&gt;yet&lt;/i&gt;</a>") == 4
    assert told.count("Runs here") == 3 and "9000.0 GB" in told and "3 MB" in told
    assert "It needs an access token (HF_TOKEN), and this server has none" in told


@pytest.mark.heavy
def test_the_page_is_built_without_diffusers():
    program = (
        "import sys; from demos.page.handlers import App;"
        "from demos.tabs import text_to_image as t;"
        "from demos.page.shell import build_page; build_page(App('cpu'), [t.TAB]);"
        "print(*(m for m in ('diffusers', 'transformers') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_a_flagged_picture_and_an_unused_negative_prompt_are_told(listed, monkeypatch):
    monkeypatch.setenv(LISTED, str(listed))
    turbo = {model.name: model for model in big_models()}[TURBO]
    device = App("cpu").device
    black = np.zeros((SIDE, SIDE, 3), np.uint8)
    told = bigger.figure(turbo, Drawn(black, True, 1, False, 0.5), MARKUP, "a dog", 3, device)
    assert "blacked this picture out" in told and "Turbo works without guidance" in told
    assert "seed 3 · 1 step · guidance 0 · 500 ms · live" in told and "<b>bold" not in told
    told = bigger.figure(turbo, Drawn(black, False, 1, True, 0.5), MARKUP, "a dog", 3, device)
    assert "big-said" not in told


@pytest.mark.parametrize("name", [SMALL, TURBO])
def test_the_printed_lines_run(listed, monkeypatch, tmp_path, name):
    monkeypatch.setenv(LISTED, str(listed))
    monkeypatch.chdir(listed.parent)
    knobs = {"model": name, "prompt": MARKUP, "negative_prompt": "'", "seed": 4}
    lines = bigger.code(big_models(), knobs)
    assert "enable_model_cpu_offload" in lines and str(listed.parent) not in lines
    on_a_cpu = [line for line in lines.split("\n") if "offload" not in line]
    exec(textwrap.dedent("\n".join(on_a_cpu).replace("float16", "float32")), {})
    with Image.open("picture.png") as drawn:
        assert drawn.size == (SIDE, SIDE)


@pytest.mark.heavy
def test_the_api_draws_from_the_list_alone(served):
    app, address = served
    client = Client(address, verbose=False)
    call = {"api_name": "/text_to_image_bigger"}
    done = threading.Event()
    busy = app.engine.submit(lambda: done.wait(120))
    told = client.predict(SMALL, MARKUP, "a dog", 3, **call)
    done.set()  # whoever else computed meanwhile has not kept it from drawing
    assert busy.result()
    assert "&lt;b&gt;bold&lt;/b&gt; ${1 + 1} {{x}} &amp; &quot;cat&quot;" in told
    url = told.split('src="')[1].split('"')[0]
    assert picture(url).shape == (SIDE, SIDE, 3)
    with Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))) as file:
        said = metadata.read_metadata(file.info)
    assert (said["model"], said["prompt"], said["seed"]) == (SMALL, MARKUP, "3")
    for model in ("runwayml/anything", "../../etc", None, 7):
        with pytest.raises(Exception, match="choose one of Small"):
            client.predict(model, "a cat", "", 0, **call)
    with pytest.raises(Exception, match="Large does not run here: it needs a GPU"):
        client.predict(LARGE, "a cat", "", 0, **call)
    with pytest.raises(Exception, match="prompt has 2,001 characters"):
        client.predict(SMALL, "x" * 2001, "", 0, **call)


@pytest.mark.heavy
def test_stop_ends_the_picture_and_not_the_model(served, listed, monkeypatch):
    monkeypatch.setenv(LISTED, str(listed))
    app, address = served
    place = bigger.slot(app.device, big_models())
    client = Client(address, verbose=False)
    job = client.submit(LONG, "a cat", "", 0, api_name="/text_to_image_bigger")
    wait_until(lambda: (said(job) or "").startswith("Drawing"), 120)
    process = place.worker.process
    job.cancel()
    wait_until(lambda: not place._working.locked(), 60)
    again = client.submit(LONG, "a cat", "", 0, api_name="/text_to_image_bigger")
    wait_until(lambda: (said(again) or "").startswith("Drawing"), 120)
    again.cancel()
    assert place.worker.process is process and process.is_alive()


def said(job) -> str | None:
    progress = job.status().progress_data
    return progress[-1].desc if progress else None


@pytest.mark.browser
def test_choose_a_model_write_and_see(served, visit):
    page = visit(f"{served[1]}/?tab=text-to-image")
    listed = page.locator("#text-to-image-bigger-list")
    expect(listed.get_by_role("row", name="Turbo")).to_contain_text("Runs here")
    expect(listed.get_by_role("row", name="Large")).to_contain_text("No: it needs a GPU")
    link = listed.get_by_role("link").first
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener")
    page.locator("#text-to-image-bigger-prompt textarea").fill(MARKUP)
    page.get_by_role("button", name="Generate").click()
    shown = page.locator("#text-to-image-bigger figure")
    expect(shown.locator(".big-words")).to_have_text(MARKUP)
    assert shown.locator("img").evaluate("node => node.naturalWidth") == SIDE
    assert shown.locator("img").get_attribute("alt").endswith(MARKUP)
    expect(shown).to_contain_text("seed 0 · 3 steps · guidance 7.5")
    assert shown.get_by_role("link").get_attribute("download") == "small-b-one-b-seed-0.png"
