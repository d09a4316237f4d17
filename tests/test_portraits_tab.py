"""The panel Portraits by tokens: what is drawn, which tokens, what else could stand there, what is
put in, and what is refused."""

from __future__ import annotations

import base64
import io
import json
import math

import gradio
import numpy as np
import pytest
import torch
from gradio_client.utils import apply_diff
from PIL import Image

from demos.page.handlers import App
from demos.tabs.autoregressive import portraits
from demos.widgets.picture_tokens import TokenPicturesValue
from gen_core import Noise
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import pixels
from sampling_fixtures import defaults, picture, values
from token_fixtures import CODES, SIDE, TOKENS, write_token_models

DRAW, MODEL = portraits.PANEL, "tokens-avatars"
PLAIN = {"guidance_scale": 2.0, "temperature": 1.0, "top_k": 0, "top_p": 1.0}


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    write_token_models(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return App("cpu")


def drawn(app: App, **knobs) -> dict:
    *_, value = values(portraits.draw(app, **defaults(DRAW, **{"count": 2, "seed": 7} | knobs)))
    return value


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def tokens_of(value: dict) -> torch.Tensor:
    return torch.tensor([numbers(row) for row in value["tokens"]])


def candidates_of(value: dict, i: int) -> list[list[list[int]]]:
    return [
        [numbers(row) for row in place.split(",")] for place in value["candidates"][i].split(";")
    ]


def frames_of(value: dict, i: int) -> np.ndarray:
    """uint8 (k, H, W, 3)"""
    film = Image.open(io.BytesIO(base64.b64decode(value["films"][i].split(",")[1])))
    sheet = np.asarray(film.convert("RGB"))
    size = 4 * SIDE
    rows = sheet.reshape(sheet.shape[0] // size, size, -1, size, 3).swapaxes(1, 2)
    return rows.reshape(-1, size, size, 3)[: TOKENS // value["every"]]


# --- what is drawn --------------------------------------------------------------------------------


def test_it_draws_what_the_model_samples(app):
    value = drawn(app, wish="hat:cap", temperature=0.9)
    asked = PLAIN | {"temperature": 0.9}
    *_, last = app.model(MODEL).sample(Noise([7, 8]), label={"hat": "cap"}, **asked)
    assert torch.equal(tokens_of(value), last.tokens)
    shown = np.stack([picture(url) for url in value["pictures"]])
    assert np.array_equal(shown, pixels(last.x))
    assert value["titles"] == ["Seed 7", "Seed 8"] and value["standing"] == TOKENS
    assert "32 network evaluations each" in value["provenance"]  # guidance asks twice


def test_where_nothing_is_asked_for_guidance_asks_once(app):
    assert "16 network evaluations each" in drawn(app)["provenance"]


def test_a_tokens_surprise_is_what_it_was_drawn_with(app):
    value, model = drawn(app), app.model(MODEL)
    bits = torch.tensor([[float(word) for word in row.split()] for row in value["bits"]])
    assert torch.allclose(bits.sum(1), -model.log_prob(tokens_of(value)) / math.log(2), rtol=0.01)


def test_each_place_has_its_likeliest_tokens_and_the_one_that_stands_there(app):
    value = drawn(app, wish="hat:cap", top_k=2)
    for i, row in enumerate(tokens_of(value).tolist()):
        places = candidates_of(value, i)
        assert len(places) == TOKENS
        for own, rows in zip(row, places, strict=True):
            kinds, said, taken = zip(*rows, strict=True)
            assert own in kinds and [*said[:8]] == sorted(said[:8], reverse=True)
            assert sum(p > 0 for p in taken) <= 2 and taken[kinds.index(own)] > 0


@pytest.mark.parametrize("count", [1, 8])
def test_a_film_shows_what_the_first_tokens_decode_to(app, count):
    value, model = drawn(app, count=count), app.model(MODEL)
    assert value["every"] == 1 and len(value["films"]) == count
    frames = frames_of(value, 0).astype(int)
    whole = tokens_of(value)[:1]
    for step in (1, 6, TOKENS):
        some = whole.clone()
        some[:, step:] = -1
        true = pixels(model.decode(some))[0].astype(int)
        seen = np.zeros((4 * SIDE, 4 * SIDE), bool)
        for place in range(step):
            row, column = divmod(place, SIDE)
            seen[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = True
        assert np.abs(frames[step - 1] - true)[seen].mean() < 12  # it is a JPEG


def test_many_long_films_have_a_frame_every_few_tokens(app, monkeypatch):
    monkeypatch.setattr(portraits, "FRAMES", 2 * TOKENS)
    value = drawn(app, count=8)
    assert value["every"] == 4 and len(frames_of(value, 7)) == 4


def test_the_pictures_grow_and_gradio_puts_them_together_again(app, monkeypatch):
    monkeypatch.setattr(portraits, "UPDATE_SECONDS", 0)
    pieces = [*portraits.draw(app, **defaults(DRAW, count=2, changes="1/7:3 2/9:0"))]
    assert [p.done for p in pieces if isinstance(p, Progress)][: TOKENS + 1] == [*range(TOKENS + 1)]
    first, *later = values(iter(pieces))
    shown = first
    for value in later:
        shown = apply_diff(shown, json.loads(json.dumps(gradio.utils.diff(shown, value))))
        assert shown == value
    growing, last = later[5], later[-1]
    standing = growing["standing"]
    assert 0 < standing < TOKENS and growing["candidates"] == growing["films"] == []
    assert torch.equal(tokens_of(growing), tokens_of(last)[:, :standing])


# --- another token --------------------------------------------------------------------------------


def test_a_token_that_is_put_in_changes_nothing_before_it_and_something_after(app):
    before, after = tokens_of(drawn(app)), None
    kinds = range(CODES)
    followed = []
    for kind in kinds:
        value = drawn(app, changes=f"2/6:{kind}")
        after = tokens_of(value)
        assert torch.equal(after[0], before[0]) and value["changed"] == [[1, 5]]
        assert torch.equal(after[1, :5], before[1, :5]) and after[1, 5] == kind
        followed.append(after[1, 6:])
    assert len(torch.stack(followed).unique(dim=0)) > 1


def test_the_first_tokens_of_all_pictures_are_put_in(app):
    value = drawn(app, changes="1/1:3 1/2:9 2/1:0", wish="hat:cap")
    tokens = tokens_of(value)
    assert tokens[[0, 0, 1], [0, 1, 0]].tolist() == [3, 9, 0]
    for i, own in ((0, 3), (1, 0)):
        assert own in [kind for kind, *_ in candidates_of(value, i)[0]]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("dog", "changes='dog': write"),
        ("3/1:0", "changes=3/1:0: choose a picture from 1 to 2"),
        (f"1/{TOKENS + 1}:0", f"choose a token from 1 to {TOKENS}"),
        (f"1/1:{CODES}", f"choose a number from 0 to {CODES - 1}"),
    ],
)
def test_what_cannot_be_put_in_is_named(app, changes, said):
    with pytest.raises(KnobError) as error:
        drawn(app, changes=changes)
    assert said in str(error.value)


def test_one_token_is_swapped_and_the_rest_stays(app):
    tokens = tokens_of(drawn(app))[:1]
    tokens[0, 3] = (tokens[0, 3] + 1) % CODES
    answer = portraits.Decoder(app).decode(" ".join(map(str, tokens[0].tolist())))
    assert np.array_equal(answer.picture, pixels(app.model(MODEL).decode(tokens))[0])


ROW = " ".join("0" * TOKENS)


@pytest.mark.parametrize(
    "text",
    [None, 7, [], "", "dog", ROW + " 0", ROW[2:], ROW[:-1] + "32", ROW[:-1] + "-1", "9" * 10**5],
)
def test_what_are_no_tokens_of_a_picture_is_refused(app, text):
    with pytest.raises(KnobError, match=f"give {TOKENS} numbers from 0 to {CODES - 1}"):
        portraits.Decoder(app).decode(text)


# --- the printed lines, the codebook --------------------------------------------------------------


@pytest.mark.parametrize("wish", ["", "hat:cap;smile:0.5"])
@pytest.mark.parametrize("changes", ["", "1/1:2 2/9:3"])
def test_the_printed_lines_draw_the_same(app, wish, changes):
    knobs = defaults(DRAW, count=2, seed=7, wish=wish, changes=changes)
    *_, value = values(portraits.draw(app, **knobs))
    scope: dict = {}
    exec(portraits.code(knobs).replace("256", str(TOKENS)), scope)
    shown = np.stack([picture(url) for url in value["pictures"]])
    assert np.array_equal(shown, pixels(scope["x"]))
    assert torch.equal(scope["tokens"], tokens_of(value))


def test_the_codebook_shows_each_code_among_its_like(app):
    model, book = app.model(MODEL), picture(drawn(app)["codebook"])
    assert book.shape == (8, 8 * CODES, 3)
    for code in (0, 17):
        square = book[:, 8 * code : 8 * code + 8].astype(int)
        filled = pixels(model.decode(torch.full((1, TOKENS), code)))[0].astype(int)
        assert np.abs(square - filled[4:12, 4:12]).mean() < 40  # there are fewer around it


def test_values_that_do_not_fit_are_refused():
    black = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="1 films for 2 pictures"):
        TokenPicturesValue(
            [black, black],
            ["a", "b"],
            0,
            tokens=[[], []],
            columns=2,
            codebook=black[None],
            films=[black[None]],
            provenance="",
        )
