"""Drawing and uploading in a browser"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import pytest
from playwright.sync_api import Page, expect

from conftest import dragged, wait_until
from demos.page import cleaning
from demos.tabs import vae
from serving import page_of
from visiting import upload

BLANK = """{
  const read = CanvasRenderingContext2D.prototype.getImageData;
  CanvasRenderingContext2D.prototype.getImageData = function (...box) {
    const pixels = read.apply(this, box);
    pixels.data.fill(255);
    return pixels;
  };
}"""
NOISE = BLANK.replace(
    "pixels.data.fill(255)", "crypto.getRandomValues(pixels.data.subarray(0, 4096))"
)
ENCODED = "HTMLCanvasElement.prototype.toDataURL = () => 'data:,';"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(vae.TAB) as address:
        yield address


def drawing_of(page: Page, address: str):
    page.goto(f"{address}?tab=vae&panel=reconstruct&source=Drawing")
    pad = page.locator(".drawing").locator("visible=true").first
    pad.wait_for()
    dragged(page, pad, (0.3, 0.3), (0.7, 0.7))
    return pad


@pytest.mark.browser
@pytest.mark.says("Your browser hides from this page what is painted here, or disturbs it")
@pytest.mark.parametrize("script", [BLANK, NOISE, ENCODED], ids=["blank", "noise", "no picture"])
def test_drawing_in_a_browser_that_protects_against_fingerprinting(
    script: str, says: str, visit: Callable[..., Page], address: str
):
    page = visit("about:blank", locale="en-US")  # in a context of its own
    page.add_init_script(script)
    expect(drawing_of(page, address).locator(".drawing-note")).to_contain_text(says)


@pytest.mark.browser
def test_drawing_in_any_other_browser(visit: Callable[..., Page], address: str):
    """Nothing is said."""
    pad = drawing_of(visit("about:blank"), address)
    expect(pad.get_by_role("button", name="Undo")).to_be_enabled()
    expect(pad.locator(".drawing-note")).to_be_hidden()


@pytest.mark.browser
@pytest.mark.says("It is HEIC, as iPhones and some other phones save photos")
def test_uploading_a_photo_in_heic(
    says: str, visit: Callable[..., Page], address: str, tmp_path: Path
):
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    page = visit(f"{address}?tab=vae&panel=reconstruct&source=Upload")
    field = page.locator("#tab-vae input[type=file]").first
    field.wait_for(state="attached")
    assert "image/*" in field.get_attribute("accept")
    upload(page, "vae", tmp_path / "photo.heic")
    page.get_by_role("button", name="Reconstruct", exact=True).click()
    expect(page.get_by_text(says).first).to_be_visible()


def test_leaving_an_upload_on_a_server_that_runs_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is deleted within the hour, also after a look that failed."""
    assert cleaning.AGE + cleaning.EVERY < 3600
    monkeypatch.setattr(cleaning, "AGE", 0.01)
    monkeypatch.setattr(cleaning, "EVERY", 0.02)
    delete, looks = cleaning.delete_files_created_by_app, []

    def deleted(*given) -> None:
        looks.append(given)
        if len(looks) == 1:
            raise RuntimeError("Set changed size during iteration")
        delete(*given)

    monkeypatch.setattr(cleaning, "delete_files_created_by_app", deleted)
    file = tmp_path / "a.png"
    file.write_bytes(b"picture")
    with gr.Blocks() as page:
        pass
    page.upload_file_set.add(str(file))

    async def run() -> None:
        async with cleaning.cleaning(page)(None):
            await asyncio.to_thread(wait_until, lambda: not file.exists(), 20)

    with ThreadPoolExecutor(1) as thread:  # a browser's loop may run in this one
        thread.submit(asyncio.run, run()).result()
    assert len(looks) > 2


def test_leaving_the_page_open_for_hours(monkeypatch: pytest.MonkeyPatch):
    """The server looks for old uploads from its start to its end."""
    looks: list[float | None] = []
    monkeypatch.setattr(cleaning, "EVERY", 0.02)
    monkeypatch.setattr(
        cleaning, "delete_files_created_by_app", lambda page, age: looks.append(age)
    )
    with page_of(vae.TAB):
        wait_until(lambda: looks.count(cleaning.AGE) > 2, 20)
    wait_until(lambda: looks[-1] is None, 20)
    assert looks.count(None) == 1, "at the end all of them are deleted, once"
