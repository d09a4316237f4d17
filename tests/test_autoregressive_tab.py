"""The Autoregressive tab: what it writes, what it says of each token, how another one is taken,
what it refuses, and what it prints."""

from __future__ import annotations

import json
import math

import gradio
import numpy as np
import pytest
import torch
from gradio_client.utils import apply_diff

from conftest import told_by
from demos.page import shell
from demos.page.handlers import App
from demos.page.links import Links
from demos.page.tab import discover
from demos.tabs import autoregressive
from demos.tabs.autoregressive import temperature, words
from demos.tabs.autoregressive.beginning import MODELS, help_with, unread
from demos.widgets.token_text import LEVELS, WHOLE, attention_value
from gen_core import Noise, final
from gen_core.families.text import LONGEST
from gen_core.families.token_sampler import probabilities
from gen_core.knobs import KnobError
from gen_core.progress import Progress
from sampling_fixtures import defaults, picture, values
from text_fixtures import LENGTH, write_gpts

WORDS, FOUR = autoregressive.TAB.panels[:2]
MARKUP = "<img src=x onerror=alert(1)><b>&amp;"
JAPANESE = "むかしむかし"


@pytest.fixture
def app(tmp_path, monkeypatch) -> App:
    write_gpts(tmp_path)
    monkeypatch.setenv("GEN_WEIGHTS", str(tmp_path))
    return App("cpu")


def written(app: App, **knobs) -> dict:
    *_, value = values(words.write(app, **defaults(WORDS, **{"tokens": 20, "seed": 7} | knobs)))
    return value


# --- a text ---------------------------------------------------------------------------------------


def test_it_writes_what_the_model_samples_after_the_beginning(app):
    value = written(app, prompt="The fox", temperature=0.9, top_k=40, top_p=0.9)
    model = app.model("gpt-tales")
    choosing = {"temperature": 0.9, "top_k": 40, "top_p": 0.9}
    x = final(model.sample(Noise([7]), prompt="The fox", tokens=20, **choosing))
    assert "".join(value["tokens"]) == model.text(x)[0]
    assert value["begun"] == len(model.words.encode("The fox")) and value["whole"]
    assert len(value["tokens"]) == value["begun"] + 20
    bits = -model.token_log_probs(x[x >= 0][None])[0] / math.log(2)
    assert value["bits"] == pytest.approx(bits.tolist(), abs=0.01)
    assert f"{bits[value['begun'] :].mean():.2f} bits per token" in value["caption"]


def test_candidates_are_what_the_network_says_and_what_is_drawn_from(app):
    value = written(app, temperature=0.5, top_k=3)
    model, kinds = app.model("gpt-tales"), value["kinds"]
    logits = model.next_logits(torch.tensor([kinds]))[0]
    said, drawn = probabilities(logits), probabilities(logits, temperature=0.5, top_k=3)
    assert [*value["candidates"]] == [str(place) for place in range(len(kinds))]
    for place, rows in enumerate(value["candidates"].values()):
        own = kinds[place]
        assert [kind for kind, *_ in rows][:10] == said[place].topk(10).indices.tolist()
        assert own in [kind for kind, *_ in rows] and len(rows) <= 11
        for kind, p, q in rows:
            assert p == pytest.approx(WHOLE * float(said[place, kind]), abs=1)
            assert q == pytest.approx(WHOLE * float(drawn[place, kind]), abs=1)
            assert value["written"][str(kind)] == model.words.tokens[kind]
        if place >= value["begun"]:
            assert drawn[place, own] > 0 and sum(q > 0 for *_, q in rows) <= 3


def test_the_text_grows_while_it_is_written(app, monkeypatch):
    monkeypatch.setattr(words, "UPDATE_SECONDS", 0)
    pieces = [*words.write(app, **defaults(WORDS, tokens=6, seed=1))]
    told = [piece for piece in pieces if isinstance(piece, Progress)]
    *growing, last = values(iter(pieces))
    assert len(growing) == 6 and len(told) == 7
    for count, value in enumerate(growing):
        length = value["begun"] + count
        assert value["tokens"] == last["tokens"][:length] and not value["whole"]
        assert value["bits"] == last["bits"][:length] and value["attention"] is None
        only = str(length - 1)
        assert value["candidates"] == {only: last["candidates"][only]}
        assert len(json.dumps(value)) < 3000


def test_what_gradio_sends_of_a_growing_text_puts_it_together_again(app, monkeypatch):
    monkeypatch.setattr(words, "UPDATE_SECONDS", 0)
    taken = {"tokens": 12, "changes": "3:300 7:12"}
    shown, *later = values(words.write(app, **defaults(WORDS, **taken, seed=1)))
    for value in later:
        shown = apply_diff(shown, gradio.utils.diff(shown, value))
        assert shown == value


def test_no_more_than_ten_values_come_in_a_second(app, monkeypatch):
    assert words.UPDATE_SECONDS >= 0.1
    monkeypatch.setattr(words, "UPDATE_SECONDS", 3600)
    assert len(values(words.write(app, **defaults(WORDS, tokens=30)))) == 2


def test_attention_is_sent_as_a_picture_of_shares(app):
    value = written(app)
    model, n = app.model("gpt-tales"), len(value["tokens"])
    weights = model.attention(torch.tensor([value["kinds"]]))[:, 0]
    layers, heads = weights.shape[:2]
    sheet = picture(value["attention"]["sheet"])
    assert sheet.shape == (layers * n, heads * n)
    for layer, head, i in [(0, 0, 0), (1, 0, n - 1), (layers - 1, heads - 1, n // 2)]:
        row = sheet[layer * n + i, head * n : head * n + i + 1] / 255
        assert row**2 == pytest.approx(weights[layer, head, i, : i + 1].numpy(), abs=1.1 / LEVELS)
        assert not sheet[layer * n + i, head * n + i + 1 : (head + 1) * n].any()


def test_what_the_network_looked_at_adds_up_to_all(app):
    model = app.model("gpt-tales")
    x = torch.tensor([model.words.encode("Once upon a time")])
    weights = model.attention(x)
    assert weights.sum(-1).numpy() == pytest.approx(np.ones(weights.shape[:-1]), abs=1e-5)
    assert float(weights[..., 0, 0].min()) == 1  # the first token follows the start alone
    assert torch.equal(
        model.next_logits(x).log_softmax(-1).gather(-1, x[..., None])[..., 0],
        model.token_log_probs(x),
    )


def test_the_largest_attention_is_no_large_file():
    noise = torch.rand(6, 6, 256, 256).tril()
    value = attention_value(noise / noise.sum(-1, keepdim=True)).to_json()
    assert len(value["sheet"]) < 700_000  # a file of its own, which few fetch


# --- another token --------------------------------------------------------------------------------


def test_a_token_that_is_taken_changes_nothing_before_it(app):
    first, second = written(app), written(app, changes="5:325")
    place = first["begun"] + 4
    assert second["kinds"][:place] == first["kinds"][:place]
    assert second["bits"][:place] == first["bits"][:place]
    assert second["kinds"][place] == 325 and second["changed"] == [place]
    assert len(second["kinds"]) == len(first["kinds"])
    third = written(app, changes="5:325 12:40")
    assert third["kinds"][: place + 7] == second["kinds"][: place + 7]
    assert third["kinds"][place + 7] == 40 and third["changed"] == [place, place + 7]


def test_taking_what_was_drawn_changes_nothing_at_all(app):
    first = written(app)
    for place in (1, 9, 20):
        kind = first["kinds"][first["begun"] + place - 1]
        assert written(app, changes=f"{place}:{kind}")["kinds"] == first["kinds"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("dog", "changes='dog': write \"17:325 40:12\""),
        ("3:4 5;6", "changes='5;6': write"),
        (MARKUP, "changes='<img': write"),
        ("12:4 5:6", "name each place once, in order"),
        ("5:6 5:7", "name each place once, in order"),
        ("21:4", "changes=21:4: 20 tokens are written, choose a place from 1 to 20"),
        ("0:4", "changes=0:4: 20 tokens are written"),
        ("3:1024", "numbers from 0 to 1023"),
        ("1" * 2001, "at most 2,000"),
        (None, "changes"),
    ],
)
def test_what_is_no_change_is_told(app, changes, message):
    with pytest.raises(KnobError) as raised:
        written(app, changes=changes)
    assert message in str(raised.value)


@pytest.mark.parametrize("changes", ["", "5:325", "1:3 2:4 20:5"])
def test_the_printed_lines_write_the_same(app, capsys, changes):
    knobs = defaults(WORDS, tokens=20, seed=3, changes=changes, prompt='A "fox"\nand')
    *_, value = values(words.write(app, **knobs))
    scope: dict = {}
    exec(words.code(knobs), scope)
    text = "".join(value["tokens"])
    assert capsys.readouterr().out == text + "\n" and scope["x"].shape == (1, LENGTH)
    assert scope["bits"].tolist() == pytest.approx(value["bits"], abs=0.01)


# --- what a visitor may type ----------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prompt", ["", "\n \n", MARKUP, JAPANESE, "naïve “fox”", "fox " * 5000])
def test_any_beginning_is_written_on(app, prompt, model):
    value = written(app, prompt=prompt, model=model, tokens=5)
    read = app.model(MODELS[model]).condition.tokens(prompt)
    assert value["kinds"][: value["begun"]] == read and len(value["tokens"]) == len(read) + 5
    assert value["begun"] <= LENGTH // 2


def test_a_text_ends_where_the_network_sees_no_further(app):
    value = written(app, prompt="fox " * 5000, tokens=255)
    assert len(value["tokens"]) == LENGTH


def test_what_is_not_read_is_told(app):
    assert unread("Once", "gpt-tales") == ""
    assert unread(f"a {JAPANESE} fox", "gpt-tales") == "Not read: む か し"
    told = unread("fox " * 40, "gpt-shakespeare")
    assert told == f"Of its 160 tokens the last {LENGTH // 2} are read"
    assert unread("".join(map(chr, range(0x4E00, 0x4E40))), "gpt-tales").endswith(" …")
    assert help_with(JAPANESE, "Tales, letters")["note"].startswith("Not read")
    for wrong in (None, 3, ["a"]):
        assert help_with(wrong, "Tales, letters")["note"] == ""
    assert unread(JAPANESE, "nobody") == "Not read: む か し"
    for model in ("vae-fashion", ["a"], None, 3):
        assert help_with(JAPANESE, model)["note"] == "Not read: む か し"
    assert unread("fox\u200b\u202e", "gpt-tales") == "Not read: U+200B U+202E"


@pytest.fixture
def page(app):
    return shell.build_page(app, [autoregressive.TAB])


def endpoint(page, name: str):
    return next(fn.fn for fn in page.fns.values() if fn.api_name == name)


def test_the_api_says_what_is_wrong(page):
    run = endpoint(page, "autoregressive_words")
    asked = ["Once", "Tales, letters", 5, 0.8, 0, 0, 1.0, ""]
    *_, value = (piece for piece in told_by(run, *asked) if isinstance(piece, dict))
    assert value["whole"] and value["live"]
    wrong = [
        (0, "a" * (LONGEST + 1), "at most 20,000"),
        (1, "gpt-4", "model"),
        (2, 256, "tokens=256: choose"),
        (3, 2.5, "temperature=2.5: choose"),
        (5, -1, "top_k=-1: choose"),
        (7, "9:9", "5 tokens are written"),
    ]
    for place, bad, message in wrong:
        told = [bad if i == place else good for i, good in enumerate(asked)]
        with pytest.raises(Exception, match=message):
            list(told_by(run, *told))


def test_a_link_brings_the_tokens_that_were_taken(app, page):
    links = Links(app, discover(), {})
    box = next(knobs for knobs in app.knobs if knobs.panel == "words").built["changes"]
    query = {"tab": "autoregressive", "panel": "words"}
    assert links.read(query | {"words.changes": "17:325 40:12"})[0][box] == "17:325 40:12"
    updates, (problem,) = links.read(query | {"words.changes": "17"})
    assert box not in updates and "changes='17'" in problem


# --- four temperatures ----------------------------------------------------------------------------


def four(app: App, **knobs) -> dict:
    knobs = defaults(FOUR, **{"tokens": 40, "seed": 2} | knobs)
    *_, value = values(temperature.write_four(app, **knobs))
    return value


def test_four_texts_begin_alike_and_share_their_noise(app):
    value, model = four(app, prompt="The fox"), app.model("gpt-tales")
    assert [column["title"][12:] for column in value["columns"]] == ["0", "0.7", "1", "1.5"]
    for column, t in zip(value["columns"], temperature.TEMPERATURES, strict=True):
        x = final(model.sample(Noise([2]), prompt="The fox", tokens=40, temperature=t))
        assert "".join(column["tokens"]) == model.text(x)[0]
        begun, count = column["begun"], len(column["tokens"])
        assert count == len(column["bits"]) == len(column["again"]) == begun + 40
        figures = dict(column["figures"])
        bits = -model.token_log_probs(x[x >= 0][None])[0, begun:].mean() / math.log(2)
        assert float(figures["bits per token"]) == pytest.approx(float(bits), abs=0.02)


def test_cold_an_untrained_network_repeats_itself_and_hot_it_does_not(app):
    columns = four(app)["columns"]
    shares = [int(dict(column["figures"])["distinct 4-grams"].rstrip("%")) for column in columns]
    assert shares[0] < shares[-1] == 100
    assert any(columns[0]["again"]) and not any(columns[-1]["again"])


def test_tokens_that_stood_there_before_are_marked():
    assert temperature.repeated([1, 2, 3, 4, 9, 1, 2, 3, 4], 4) == [False] * 5 + [True] * 4
    assert temperature.repeated([5] * 6, 4) == [False] + [True] * 5
    assert temperature.repeated([1, 2], 4) == [False, False]


def test_the_printed_lines_measure_the_same(app, capsys):
    knobs = defaults(FOUR, tokens=40, seed=2, prompt="The fox")
    exec(temperature.code(knobs), {})
    *_, value = values(temperature.write_four(app, **knobs))
    said = capsys.readouterr().out
    for column in value["columns"]:
        bits, share = (figure for _, figure in column["figures"])
        assert f"{bits} bits per token, {share} distinct" in said
        assert "".join(column["tokens"]) in said
