"""The Autoregressive tab's panels of pictures: what is drawn, what is said of each pixel, how one
is taken, how a picture is finished, what pictures cost, and what is refused."""

from __future__ import annotations

import json
import math

import gradio
import numpy as np
import pytest
import torch
from gradio_client.utils import apply_diff

from demos.page.handlers import App
from demos.tabs.autoregressive import bits, finish, pixels
from demos.widgets.bit_stacks import BitStacksValue, Picture, Stack, bit_map
from demos.widgets.pixel_by_pixel import PixelsValue
from gen_core import Noise, final
from gen_core.evaluation.code_length import code_length, png_bits
from gen_core.families.token_sampler import probabilities
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from gen_core.sampling import pixels as levels_of
from pixel_fixtures import PIXELS, write_pixel_models
from sampling_fixtures import defaults, picture, values

DRAW, FINISH, BITS = pixels.PANEL, finish.PANEL, bits.PANEL


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    write_pixel_models(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return App("cpu")


def drawn(app: App, **knobs) -> dict:
    *_, value = values(pixels.draw(app, **defaults(DRAW, **{"count": 2, "seed": 7} | knobs)))
    return value


def pictures(value: dict) -> np.ndarray:
    """(B, 784)"""
    return np.stack([picture(url).ravel() for url in value["pictures"]])


def bits_of(value: dict) -> torch.Tensor:
    return torch.tensor([[float(word) for word in row.split()] for row in value["bits"]])


# --- pixel by pixel -------------------------------------------------------------------------------


def test_it_draws_what_the_model_samples(app):
    value = drawn(app, label="Bag", temperature=0.9, top_k=100)
    model = app.model("autoregressive-fashion")
    x = final(model.sample(Noise([7, 8]), label=[8, 8], temperature=0.9, top_k=100))
    assert np.array_equal(pictures(value), levels_of(x).reshape(2, -1))
    nats = -model.pixel_log_probs(x, torch.tensor([8, 8])).flatten(1)
    assert torch.allclose(bits_of(value), nats / math.log(2), rtol=0.01, atol=0.01)
    assert value["titles"] == ["Bag, seed 7", "Bag, seed 8"] and value["standing"] == PIXELS


def test_what_is_shown_of_a_pixel_is_what_the_network_said(app):
    choosing = {"temperature": 0.5, "top_k": 3, "top_p": 1.0}
    value = drawn(app, **choosing)
    model = app.model("autoregressive-fashion")
    *frames, _ = model.sample(Noise([7, 8]), label=[0, 1], **choosing)
    for sheets, said in (
        (value["said"], lambda logits: logits.softmax(-1)),
        (value["drawn"], lambda logits: probabilities(logits, **choosing)),
    ):
        for place in (0, 300, 783):
            shown = np.stack([picture(sheet)[place] for sheet in sheets]) / 255
            assert np.allclose(shown**2, said(frames[place].out), atol=0.005)
    for sheet, grey in zip(value["drawn"], pictures(value)[:, 300], strict=True):
        assert picture(sheet)[300, grey] > 0


def test_what_is_drawn_from_is_sent_only_where_it_differs(app):
    assert drawn(app)["drawn"] == [] and len(drawn(app, top_p=0.5)["drawn"]) == 2


def test_all_ten_are_drawn_in_turn(app):
    assert [title.split(",")[0] for title in drawn(app, count=3)["titles"]] == [
        "T-shirt/top",
        "Trouser",
        "Pullover",
    ]


def test_the_pictures_grow_and_gradio_puts_them_together_again(app, monkeypatch):
    monkeypatch.setattr(pixels, "UPDATE_SECONDS", 0)
    pieces = [*pixels.draw(app, **defaults(DRAW, count=2, changes="1/700:255 2/750:0"))]
    told = [piece for piece in pieces if isinstance(piece, Progress)]
    assert [told[0].done, told[-1].done] == [0, PIXELS]
    shown, *later = values(iter(pieces))
    last = pictures(later[-1])
    for value in later:
        shown = apply_diff(shown, json.loads(json.dumps(gradio.utils.diff(shown, value))))
        assert shown == value
    growing = later[600]
    standing = growing["standing"]
    assert 0 < standing < 700 and growing["bits"] == growing["said"] == []
    assert np.array_equal(pictures(growing)[:, :standing], last[:, :standing])


# --- another grey ---------------------------------------------------------------------------------


def test_a_grey_that_is_taken_changes_nothing_before_it_and_something_after(app):
    first, second = drawn(app), drawn(app, changes="2/100:255")
    before, after = pictures(first), pictures(second)
    assert np.array_equal(after[0], before[0])
    assert np.array_equal(after[1, :99], before[1, :99]) and after[1, 99] == 255
    assert (after[1, 100:] != before[1, 100:]).any() and second["changed"] == [[1, 99]]


def test_several_greys_are_taken_in_several_pictures(app):
    value = drawn(app, changes="1/50:3 1/784:9 2/50:7 2/60:200")
    assert pictures(value)[[0, 0, 1, 1], [49, 783, 49, 59]].tolist() == [3, 9, 7, 200]
    assert all(picture(sheet).shape == (PIXELS, 256) for sheet in value["said"])
    assert bits_of(value).shape == (2, PIXELS)


def test_the_first_pixels_of_all_pictures_are_taken(app):
    value = drawn(app, changes="1/1:7 1/2:9 2/1:0")
    assert pictures(value)[[0, 0, 1], [0, 1, 0]].tolist() == [7, 9, 0]
    model = app.model("autoregressive-fashion")
    x = torch.from_numpy(pictures(value)).view(2, 1, 28, 28) / 127.5 - 1
    nats = -model.pixel_log_probs(x, torch.tensor([0, 1])).flatten(1)
    assert torch.allclose(bits_of(value), nats / math.log(2), rtol=0.01, atol=0.01)


def test_taking_what_stands_there_changes_nothing(app):
    first = drawn(app)
    own = pictures(first)[0, 399]
    again = drawn(app, changes=f"1/400:{own}")
    assert np.array_equal(pictures(again), pictures(first))
    assert torch.allclose(bits_of(again), bits_of(first), atol=0.01)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ("dog", "changes='dog': write \"2/117:255\""),
        ("417:255", "changes='417:255': write"),
        ("3/1:0", "changes=3/1:0: choose a picture from 1 to 2"),
        ("0/1:0", "choose a picture from 1 to 2"),
        ("1/785:0", "choose a pixel from 1 to 784"),
        ("1/1:256", "choose a grey from 0 to 255"),
        ("1/9:1 1/9:2", "name each place once, in order"),
    ],
)
def test_what_cannot_be_taken_is_named(app, changes, said):
    with pytest.raises(KnobError) as error:
        drawn(app, changes=changes)
    assert said in str(error.value)


# --- the rest of a picture ------------------------------------------------------------------------


def finished(app: App, **knobs) -> list[dict]:
    knobs = defaults(FINISH, **{"count": 3, "sampled_by": "autoregressive-fashion"} | knobs)
    return values(finish.run(app, *FINISH.declared(app)[1], **knobs))


def test_the_upper_rows_stay_and_the_rest_is_drawn_in_several_ways(app):
    *_, value = finished(app, rows=20)
    true, *ways = [picture(tile["picture"]) for tile in value["tiles"]]
    assert all(np.array_equal(way[:20], true[:20]) for way in ways)
    assert len({way.tobytes() for way in ways}) == 3
    assert "upper 20 rows stay" in value["headline"] and value["tiles"][0]["framed"]


def test_a_way_says_what_its_own_pixels_cost(app):
    *_, value = finished(app, rows=25)
    model = app.model("autoregressive-fashion")
    for tile in value["tiles"]:
        x = torch.from_numpy(picture(tile["picture"]).copy())[None, None] / 127.5 - 1
        rest = -model.pixel_log_probs(x)[0, 25:].sum() / math.log(2)
        assert float(tile["note"].removesuffix(" bits").replace(",", "")) == pytest.approx(
            float(rest), abs=2
        )


def test_nothing_may_stay(app):
    *_, value = finished(app, rows=0, count=1)
    model = app.model("autoregressive-fashion")
    x = final(model.sample(Noise([0]), temperature=1.0))
    assert np.array_equal(picture(value["tiles"][1]["picture"]), levels_of(x)[0])
    assert value["headline"].startswith("Nothing stays")


def test_pictures_are_seen_while_they_are_finished(app, monkeypatch):
    monkeypatch.setattr(finish, "UPDATE_SECONDS", 0)
    shown, *later = finished(app, rows=26)
    assert len(later) > 40 and later[3]["provenance"] == "row 27 of 28"
    for value in later:
        shown = apply_diff(shown, json.loads(json.dumps(gradio.utils.diff(shown, value))))
        assert shown == value


# --- bits -----------------------------------------------------------------------------------------


def counted(app: App, **knobs) -> list[dict]:
    knobs = defaults(BITS, **{"sampled_by": "autoregressive-fashion"} | knobs)
    return values(bits.run(app, *BITS.declared(app)[1], **knobs))


def test_every_row_tells_what_its_picture_costs(app):
    *_, value = counted(app)
    model = app.model("autoregressive-fashion")
    assert [row["title"] for row in value["pictures"]][::4] == ["The picture", "All black"]
    for row in value["pictures"]:
        x = torch.from_numpy(picture(row["picture"]).copy())[None] / 127.5 - 1
        exact, bound, file = row["stacks"]
        assert sum(exact["bits"]) == pytest.approx(code_length(model, x).per_pixel, abs=0.01)
        assert sum(file["bits"]) == pytest.approx(png_bits(x) / PIXELS, abs=0.01)
        most = code_length(app.model("vae-fashion"), x, torch.Generator().manual_seed(bits.SEED))
        assert sum(bound["bits"]) == pytest.approx(most.per_pixel, abs=0.01)
        assert exact["bits"][3:] == [0, 0] and len(row["maps"]) == 2
    assert value["parts"][:3] == ["background", "edges", "inside"]


def test_odd_pictures_are_made_of_the_picture(app):
    first, upside, shuffled, noise, black = (
        picture(row["picture"]) for row in counted(app)[-1]["pictures"]
    )
    assert np.array_equal(upside, first[::-1]) and (black == 0).all()
    assert not np.array_equal(shuffled, first)
    assert np.array_equal(np.sort(shuffled.ravel()), np.sort(first.ravel()))
    assert len(np.unique(noise)) > 200


def test_rows_come_one_after_the_other(app):
    assert [len(value["pictures"]) for value in counted(app)] == [1, 2, 3, 4, 5]


def test_a_map_is_brighter_where_more_bits_go():
    glow = bit_map(torch.tensor([[0.0, 2.0, 4.0, 8.0, 30.0]])).astype(int).sum(-1)[0]
    assert glow[0] == 0 and (np.diff(glow[:4]) > 0).all() and glow[3] == glow[4] == 3 * 255


def test_values_that_do_not_fit_are_refused():
    black = np.zeros((28, 28), np.uint8)
    with pytest.raises(ValueError, match="1 bits for 2 pictures"):
        PixelsValue([black, black], ["a", "b"], 0, bits=[[0.0]], provenance="")
    row = Picture("a", black, [black], [Stack("b", [1.0, 2.0])])
    with pytest.raises(ValueError, match="'a' has"):
        BitStacksValue([row], ["c"], ["d"], provenance="")


# --- whoever comes --------------------------------------------------------------------------------


@pytest.mark.parametrize("panel", [DRAW, FINISH, BITS], ids=lambda panel: panel.id)
def test_without_its_weights_a_panel_is_left_out(panel, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    assert not panel.here
    write_pixel_models(tmp_path)
    assert panel.here


def test_the_printed_code_draws_the_same(app, monkeypatch):
    knobs = defaults(DRAW, count=2, seed=3, changes="1/700:255 2/750:0")
    scope: dict = {}
    exec(pixels.code(knobs), scope)
    *_, value = values(pixels.draw(app, **knobs))
    assert np.array_equal(levels_of(scope["x"]).reshape(2, -1), pictures(value))
    assert scope["bits"].tolist() == pytest.approx(bits_of(value).sum(1).tolist(), rel=1e-3)


def test_the_printed_code_finishes_the_same_pictures(app):
    knobs = defaults(FINISH, sampled_by="autoregressive-fashion", count=2, rows=20)
    scope: dict = {}
    exec(finish.code(*FINISH.declared(app)[1], knobs), scope)
    *_, value = values(finish.run(app, *FINISH.declared(app)[1], **knobs))
    shown = [picture(tile["picture"]) for tile in value["tiles"][1:]]
    assert np.array_equal(levels_of(scope["x"]), np.stack(shown))


def test_the_printed_code_counts_the_same_bits(app, capsys):
    knobs = defaults(BITS, sampled_by="autoregressive-fashion")
    scope: dict = {}
    exec(bits.code(*BITS.declared(app)[1], knobs), scope)
    exact, bound, _ = counted(app)[0]["pictures"][0]["stacks"]
    assert scope["exact"].per_pixel == pytest.approx(sum(exact["bits"]), abs=0.01)
    assert scope["bound"].per_pixel == pytest.approx(sum(bound["bits"]), abs=0.01)
    assert "edges" in capsys.readouterr().out
