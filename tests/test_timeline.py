"""The timeline's value: sprite sheets, plain JSON, errors; and its GIF."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from demos.page.image_io import PREFIX
from demos.widgets.card.export import export_file
from demos.widgets.timeline import timeline_from_images, timeline_value
from gen_core.sampling import Frame
from timeline_fixtures import SHADES, N, open_gif, run_value, training_value


def opened(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def sheet_of(lane: dict) -> np.ndarray:
    return opened(lane["sheet"])


# --- the value ------------------------------------------------------------------------------------


def test_sheet_holds_frame_k_of_sample_b_at_b_times_width_k_times_height() -> None:
    value = run_value()
    state = value["lanes"][0]
    sheet = sheet_of(state)
    assert sheet.shape == (N * 5, 4 * 7)
    assert (state["width"], state["height"], state["samples"], state["columns"]) == (7, 5, 4, 2)
    for k, grey in enumerate(SHADES):
        assert np.all(sheet[k * 5 : k * 5 + 5, :7] == 255 - grey)
        assert np.all(sheet[k * 5 : k * 5 + 5, 7:] == grey)


@pytest.mark.parametrize(("samples", "kind"), [(2, "png"), (12, "jpeg")])
def test_of_a_large_sheet_the_frame_shown_first_comes_by_itself_and_exact(samples, kind) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, samples, 64, 64, 3), np.uint8)
    (lane,) = timeline_from_images({"Noise": list(noise)}, ["0", "1", "2"]).to_json()["lanes"]
    assert np.array_equal(opened(lane["first"]), np.concatenate(list(noise[-1]), axis=1))
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in noise])
    assert lane["sheet"].startswith(f"data:image/{kind};")
    apart = np.abs(sheet_of(lane).astype(int) - sheet)
    assert apart.mean() < 20 and (kind == "jpeg" or apart.max() == 0)
    assert export_file(gif_request(lanes=[lane], captions=["a", "b", "c"]))["file"]


def test_a_small_sheet_or_a_single_frame_comes_alone_and_exact() -> None:
    assert not any("first" in lane for lane in run_value()["lanes"])
    noise = np.random.default_rng(0).integers(0, 256, (12, 64, 64, 3), np.uint8)
    (lane,) = timeline_from_images({"A preview": [noise]}, ["0"]).to_json()["lanes"]
    assert "first" not in lane and np.array_equal(sheet_of(lane), np.concatenate(list(noise), 1))


def test_last_frame_guesses_itself_and_says_no_noise() -> None:
    _, guess, noise = run_value()["lanes"]
    assert np.all(sheet_of(guess)[:5] == 200) and np.all(sheet_of(guess)[-5:, 7:] == SHADES[-1])
    assert guess["present"] == [True] * N
    assert noise["present"] == [True] * (N - 1) + [False]
    assert np.all(sheet_of(noise)[:5] == 255), "3 standard deviations of noise are white"


def test_value_is_plain_json_with_clock_steps_and_a_safe_file_name() -> None:
    value = run_value(clock=lambda frame: f"t = {frame.level:.2f}")
    assert json.loads(json.dumps(value, allow_nan=False)) == value
    assert value["levels"][1] == "t = 0.80"
    far = timeline_value([Frame(0, 1, 1000.0, torch.zeros(1, 1, 2, 2))])
    assert list(far.levels) == ["t = 1000"]
    assert (value["steps"][-1], value["total"], value["name"]) == (N - 1, N - 1, "a-run")
    json.dumps(training_value(), allow_nan=False)


def test_a_still_lane_comes_first_and_shows_the_same_in_every_frame() -> None:
    standing = np.full((1, 3, 2), 77, np.uint8)
    first, moving, *_ = run_value(still={"The start": standing})["lanes"]
    assert (first["title"], first["still"], moving["still"]) == ("The start", True, False)
    assert sheet_of(first).shape == (N * 3, 2) and np.all(sheet_of(first) == 77)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": ["a"]}, "6 entries for 1 frames"),
        ({"levels": []}, "at least one frame"),
        ({"steps": [1, 2]}, "steps has 2 entries for 6 frames"),
        ({"start": 6}, "start=6: choose a whole number from 0 to 5"),
        ({"ms_per_step": float("nan")}, "nan in what a widget shows"),
        ({"lanes": {"a": [np.zeros((1, 4, 4))] * N}}, "uint8"),
        ({"lanes": {"a": [np.zeros((4, 4), np.uint8)] * N}}, r"takes \(B, H, W\)"),
        ({"lanes": {"a": [np.zeros((5000, 4, 4), np.uint8)] * N}}, "too large a sheet"),
        ({"bars": [{"lane": "b", "values": []}]}, "the lanes are a"),
        ({"curves": [{"title": "Loss", "at": [1]}]}, "'Loss': at has 1 entries"),
    ],
)
def test_bad_input_says_what_it_got(change: dict, message: str) -> None:
    good = {
        "lanes": {"a": [np.zeros((1, 4, 4), np.uint8)] * N},
        "levels": [str(k) for k in range(N)],
    }
    timeline_from_images(**good)
    with pytest.raises(ValueError, match=message):
        timeline_from_images(**{**good, **change}).to_json()


def test_latent_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="takes"):
        timeline_value([Frame(0, 0, 0.0, torch.zeros(4, 16))], [("Latent", "x")])


# --- the GIF --------------------------------------------------------------------------------------


def gif_request(**change: object) -> dict:
    captions = [f"step {k}" for k in range(N)]
    return {
        "lanes": run_value()["lanes"],
        "captions": captions,
        "frame_ms": 100,
        "made": {},
    } | change


def test_gif_plays_every_frame_in_its_own_grey() -> None:
    answer = export_file(gif_request())
    assert set(answer) == {"file"}
    gif = open_gif(base64.b64decode(answer["file"].split(",")[1]))
    assert gif.n_frames == N
    for k, grey in enumerate(SHADES):
        gif.seek(k)
        shown = np.asarray(gif.convert("L"))
        assert grey in shown and 255 - grey in shown
    assert gif.info["duration"] == 1500, "it rests on the sample"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame_ms": float("nan")}, "frame_ms=nan: choose a whole number from 20 to 5000"),
        ({"captions": None}, "captions: takes a list of texts"),
        ({"captions": ["x"] * 1001}, "number of frames=1001: choose"),
        ({"lanes": []}, "number of lanes=0: choose"),
        ({"lanes": [7]}, "a lane: takes"),
        ({"lanes": "sheet"}, "lanes: takes a list"),
        ({"made": "by me"}, "made: takes a model and at most 60 settings"),
        ({"made": {str(i): i for i in range(61)}}, "at most 60 settings"),
        ({"made": {"model": "m", "prompt": "x" * 20_000}}, "at most 10,000"),
        ({"made": {"model": "m", "seed": -1}}, "seed=-1: choose"),
        ({"made": {"model": "m", "seed": 1, "count": "all"}}, "count='all': choose"),
    ],
)
def test_gif_of_bad_requests_is_an_error_not_a_crash(change: dict, message: str) -> None:
    assert message in export_file(gif_request(**change))["error"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sheet": "https://example.org/a.png"}, "takes a PNG or JPEG as a data URL"),
        ({"sheet": PREFIX + "AAAA"}, "not a PNG or JPEG"),
        ({"sheet": PREFIX + "not base64"}, "not a PNG"),
        ({"samples": 5}, "are needed"),
        ({"width": 10**9}, "width=1000000000: choose a whole number from 1 to 16000"),
        ({"columns": 0}, "columns=0: choose"),
        ({"height": 2.5}, "height=2.5: choose"),
        ({"present": [True]}, "present: takes 6 entries"),
        ({"title": None}, "title: takes"),
    ],
)
def test_gif_of_bad_lanes_is_an_error_not_a_crash(change: dict, message: str) -> None:
    lane = {**run_value()["lanes"][0], **change}
    assert message in export_file(gif_request(lanes=[lane]))["error"]


def test_gif_of_lanes_that_are_too_large_together_is_refused_before_they_are_decoded() -> None:
    side, frames = 5000, 2
    blank = io.BytesIO()
    Image.new("L", (side, frames * side // 2)).save(blank, "PNG")
    lane = {
        "title": "",
        "width": side,
        "height": side // 2,
        "samples": 1,
        "columns": 1,
        "sheet": PREFIX + base64.b64encode(blank.getvalue()).decode(),
        "present": [True] * frames,
    }
    answer = export_file(
        {"lanes": [lane] * 2, "captions": ["x"] * frames, "frame_ms": 100, "made": {}}
    )
    assert "a sheet of 5000 x 5000 pixels is too large" in answer["error"]


def test_gif_of_a_png_with_endless_notes_is_an_error() -> None:
    lane, notes, noisy = run_value()["lanes"][0], PngInfo(), io.BytesIO()
    notes.add_text("note", "x" * 2_000_000, zip=True)  # beyond what Pillow unpacks
    sheet = Image.open(io.BytesIO(base64.b64decode(lane["sheet"][len(PREFIX) :])))
    sheet.save(noisy, "PNG", pnginfo=notes)
    lane["sheet"] = PREFIX + base64.b64encode(noisy.getvalue()).decode()
    assert "not a PNG" in export_file(gif_request(lanes=[lane]))["error"]


def test_gif_of_a_truncated_png_is_an_error() -> None:
    lane = run_value()["lanes"][0]
    data = base64.b64decode(lane["sheet"][len(PREFIX) :])[:-30]
    lane["sheet"] = PREFIX + base64.b64encode(data).decode()
    assert "not a PNG" in export_file(gif_request(lanes=[lane]))["error"]
