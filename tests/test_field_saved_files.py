"""Opening saved files in other programs"""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from demos.page.image_io import png_data_url
from demos.widgets.card.export import LAST_FRAME_MS, LINE, MARGIN, export_file

FRAMES, SIDE, SCALE = 6, 30, 10
MADE = {"model": "flow-fashion", "seed": 3, "count": 1, "steps": 5}


def still() -> np.ndarray:
    """A picture (30, 30, 3) of soft colours."""
    down, across = np.mgrid[0:SIDE, 0:SIDE] / (SIDE - 1)
    return (255 * np.stack([across, down, 1 - across * down], axis=-1)).round().astype(np.uint8)


def lane(title: str, frames: list[np.ndarray]) -> dict[str, Any]:
    sheet = png_data_url(np.concatenate(frames))
    size = {"width": SIDE, "height": SIDE, "samples": 1, "columns": 1}
    return {"title": title, "sheet": sheet, "present": [True] * len(frames), **size}


def saved_gif() -> bytes:
    """A timeline as GIF: a lane that stands still beside one of noise that fades to a picture."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (SIDE, SIDE, 3)) for _ in range(FRAMES)]
    shares = np.linspace(0, 1, FRAMES)
    moving = [((1 - s) * n + s * still()).astype(np.uint8) for s, n in zip(shares, noise)]  # noqa: B905
    lanes = [lane("Start", [still()] * FRAMES), lane("State", moving)]
    captions = [f"step {k}" for k in range(FRAMES)]
    answer = export_file({"made": MADE, "lanes": lanes, "captions": captions, "frame_ms": 120})
    return base64.b64decode(answer["file"].partition(",")[2])


def of_lane(page: Image.Image, number: int) -> np.ndarray:
    """A lane's picture (30, 30, 3), of the middle of each enlarged pixel."""
    left, top = MARGIN + number * (SIDE * SCALE + MARGIN), MARGIN + LINE
    area = np.asarray(page.convert("RGB"))[top : top + SIDE * SCALE, left : left + SIDE * SCALE]
    return area[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE].astype(int)


def test_saving_a_timeline_in_which_a_lane_stands_still():
    """It stands still in all frames of the file, its colours a few levels off at most on average;
    there are as many frames as on the page, of which the last one stays longer."""
    film = Image.open(io.BytesIO(saved_gif()))
    pages = [page.copy() for page in ImageSequence.Iterator(film)]
    assert len(pages) == FRAMES
    lanes = [of_lane(page, 0) for page in pages]
    assert all((shown == lanes[0]).all() for shown in lanes)
    assert abs(lanes[0] - still()).mean() <= 6 and abs(lanes[0] - still()).max() <= 40
    assert abs(of_lane(pages[-1], 1) - still()).mean() <= 6
    times = [page.info["duration"] for page in ImageSequence.Iterator(film)]
    assert times == [120] * (FRAMES - 1) + [LAST_FRAME_MS]
    assert b"flow-fashion" in film.info["comment"]


@pytest.mark.skipif(not shutil.which("convert"), reason="needs ImageMagick")
def test_opening_saved_files_with_imagemagick(tmp_path: Path):
    """Size, frames and colours are those of the page."""
    (tmp_path / "film.gif").write_bytes(saved_gif())
    answer = export_file({"made": MADE, "png": png_data_url(still())})
    (tmp_path / "picture.png").write_bytes(base64.b64decode(answer["file"].partition(",")[2]))

    def run(*command: str) -> bytes:
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout

    asked = "%w x %h, %T0 ms\n"
    told = run("convert", "film.gif", "-coalesce", "-format", asked, "info:").decode().split("\n")
    size = "x".join(told[0].split(",")[0].split(" x "))
    width, height = map(int, size.split("x"))
    assert told[:FRAMES] == [f"{width} x {height}, 120 ms"] * (FRAMES - 1) + [
        f"{width} x {height}, {LAST_FRAME_MS} ms"
    ]
    pixels = np.frombuffer(run("convert", "picture.png", "-depth", "8", "rgb:-"), np.uint8)
    assert (pixels.reshape(SIDE, SIDE, 3) == still()).all()


@pytest.mark.browser
def test_opening_saved_files_in_a_browser(visit):
    """They are decoded, at their own size."""
    gif = base64.b64encode(saved_gif()).decode()
    picture = export_file({"made": MADE, "png": png_data_url(still())})["file"]
    size = """async (source) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    }"""
    film, page = Image.open(io.BytesIO(saved_gif())), visit("about:blank")
    assert page.evaluate(size, f"data:image/gif;base64,{gif}") == list(film.size)
    assert page.evaluate(size, picture) == [SIDE, SIDE]
