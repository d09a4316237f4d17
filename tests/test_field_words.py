"""Words, and what is written in their place"""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Page, expect

from demos.page.controls import Knobs
from demos.page.handlers import App
from demos.page.panel import Page as Place
from demos.page.panel import Panel, is_value
from demos.page.saving import files
from demos.tabs import text_to_image
from demos.tabs.text_to_image import bigger, compare, fit, generate, start
from demos.tabs.text_to_image.generate import MAX_PROMPT, help_with, strange_to_the_model
from gen_core.data.emoji.reading import as_read
from gen_core.families.text_to_image.tokens import encoded
from gen_core.hub.models import big_models
from gen_core.hub.pipeline import Drawn
from gen_core.knobs import text
from sampling_fixtures import defaults, values
from serving import page_of

FAMILY, FLAG, SCOTLAND = "👨‍👩‍👧", "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"
SHORT, LONG = "a 3d emoji of a panda", "a 3d emoji of a panda, " * 4
"""Of 30 tokens that the encoder has room for, a comma takes one and "3d" two."""
GUIDED = [generate.PANEL, generate.INSIDE_PANEL, compare.TWO_PANEL, start.PANEL, fit.PANEL]


@pytest.fixture(scope="module")
def app(emoji_weights) -> Iterator[App]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_WEIGHTS", str(emoji_weights.parent))
        yield App("cpu")


@pytest.fixture(scope="module")
def address(emoji_weights) -> Iterator[str]:
    with page_of(text_to_image.TAB, weights=emoji_weights.parent) as address:
        yield address


def marked(prompt: str) -> list[str]:
    """What is told to be unknown."""
    return [entry["word"] for entry in strange_to_the_model(prompt)["words"]]


def offered(prompt: str) -> list[str]:
    """What may be pressed in place of the first unknown word."""
    return list(strange_to_the_model(prompt)["words"][0]["nearest"])


def tokens(app: App, prompt: str) -> torch.Tensor:
    """What the encoder is given."""
    return encoded(app.model(generate.MODEL).pipeline.tokenizer, [prompt])


def corrected(page: Page, before: str) -> str:
    """The prompt, once the correction of a word that stands behind others was pressed."""
    box = page.locator("#text-to-image-generate-prompt textarea")
    correction = page.get_by_role("button", name="panda", exact=True)
    box.fill("")
    expect(correction).to_have_count(0)  # that of the text before
    box.fill(f"{before} a pnada")
    correction.click()
    expect(box).to_have_value(re.compile("panda$"))
    return box.input_value()


# --- emoji ----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_an_emoji_before_a_misspelt_word(visit, address):
    """The correction that is offered takes the word's place, whatever stands before it."""
    page = visit(address)
    for before in ("🐼", FAMILY, FLAG, SCOTLAND, "👍🏽", "1️⃣", "𝒂 𠀋", "e\u0301", "\u202e על"):
        assert corrected(page, before) == f"{before} a panda"


@pytest.mark.parametrize(
    ("symbol", "name"),
    [("🐼", "panda"), ("❤️", "heart"), ("❤", "heart"), ("❤\ufe0e", "heart"), ("🧜‍♀️", "mermaid")],
)
def test_an_emoji_of_which_the_model_knows_the_name(app, symbol, name):
    """It is read as its name, and nothing is marked."""
    for prompt in ("{}", "{} on a teal background", "a 3d{}, on red", "{0}{0}"):
        spelt = prompt.replace("{0}", "{}").replace("{}", f" {name} ")
        assert torch.equal(tokens(app, prompt.format(symbol)), tokens(app, spelt))
        assert marked(prompt.format(symbol)) == []


@pytest.mark.parametrize(
    ("symbol", "instead"),
    [
        ("👍🏽", ["thumbs up"]),
        ("🧜🏽‍♀️", []),
        ("🐕", ["dog"]),
        ("😺", ["cat"]),
        (FAMILY, []),
        ("🏳️‍🌈", []),
        (FLAG, []),
        (SCOTLAND, []),
        ("1️⃣", []),
    ],
)
def test_an_emoji_that_the_model_does_not_know(symbol, instead):
    """It is marked as one, with a known word for it where there is one."""
    assert marked(f"{symbol} on a teal background") == [symbol]
    assert offered(f"{symbol} on a teal background") == instead


# --- what is no word ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sign", ["!!!", "...", "???", "—", "&", "€", "+", "___", "½", "→", "\ud83d"]
)
def test_signs_that_stand_alone(sign):
    """They are marked: the model makes an arbitrary picture of them."""
    seen = sign.encode("utf-8", "replace").decode()
    assert marked(sign) == [seen] and marked(f"a cat {sign} on red") == [seen]


def test_punctuation_at_a_word():
    """It is passed over, for it changes little."""
    assert marked("“a cat!”, (on red). A dog; at night:") == []


@pytest.mark.parametrize(
    "word",
    [
        "红色的猫",
        "ねこ",
        "고양이",
        "हिन्दी",
        "кошка",
        "قطة",
        "חתול",
        "แมว",
        "cafe\u0301",
        "7",
        "2026",
    ],
)
def test_words_of_other_scripts_and_numbers(word):
    """Each is marked as one word."""
    assert marked(f"{word} on a teal background") == [word]


def test_a_number_for_which_there_is_a_word():
    """The word is offered: the model counts to four."""
    assert offered("3 cats") == ["three"]


@pytest.mark.parametrize("unseen", ["\x00", "\u200b", "\ufeff", "\xad", "\u200e", "\u202e", "\x1b"])
def test_characters_that_nobody_sees(app, unseen):
    """They come along when text is pasted, and are not read."""
    pasted = f"{unseen}a pan{unseen}da on teal{unseen}"
    assert torch.equal(tokens(app, pasted), tokens(app, "a panda on teal"))
    assert marked(pasted) == []


# --- more than there is room for ------------------------------------------------------------------


@pytest.mark.parametrize("of", generate.BOXES)
def test_more_words_than_there_is_room_for(of):
    """What is not read is told while one types, of each of the prompts."""
    prompt = f"{LONG}with a purpel rocket"
    (told,) = help_with({of: prompt})["texts"]
    assert told["unread"].endswith("with a purpel rocket")
    assert prompt.endswith(told["unread"]) and told["words"] == [], "of what is read"
    assert strange_to_the_model(SHORT)["unread"] == ""


@pytest.mark.parametrize("sign", ["🐼", "猫", "ö", "\ud83d", "e\u0301", FAMILY])
def test_a_long_row_of_signs(app, sign):
    """The part that is told is the one that changes nothing."""
    prompt = text("prompt", "".join(f"{sign}{k % 7} " for k in range(60)), MAX_PROMPT)
    rest = strange_to_the_model(prompt)["unread"]
    read = prompt.removesuffix(f"{rest} ")
    assert rest and read != prompt
    whole = slice(0, 28)  # the last character may be cut in two
    assert torch.equal(tokens(app, read)[:, whole], tokens(app, prompt)[:, whole])


@pytest.mark.says("Not read, for 32 tokens are all it takes: on red")
def test_two_prompts_that_differ_where_neither_is_read(app, says):
    long = "a cat, " * 10
    asked = {"prompt": f"{long}on red", "other_prompt": f"{long}on teal", "steps": 1, "count": 1}
    *_, value = values(compare.TWO_PANEL.run(app, **defaults(compare.TWO_PANEL, **asked)))
    rows = value["rows"]
    assert rows[0]["cells"] == rows[1]["cells"]
    assert not any(different for row in rows for _, different in row["words"])
    assert rows[0]["note"] == says and rows[1]["note"] == says.replace("red", "teal")


@pytest.mark.browser
def test_a_prompt_that_grows_too_long(visit, address):
    """Its end is marked under the box, also that of a second and of a negative prompt."""
    page = visit(f"{address}?tab=text-to-image&panel=two")
    for name in ("prompt", "other_prompt", "negative_prompt"):
        box = page.locator(f"#text-to-image-two-{name} textarea")
        box.fill(LONG + "<i>rocket</i>")
        told = page.locator("#text-to-image-two-prompt-words span", has_text="reads no more")
        expect(told).to_contain_text("<i>rocket</i>")
        box.fill("")
        expect(told).to_have_count(0)


@pytest.mark.says("prompt has 100,000 characters: write at most 2,000")
def test_a_prompt_of_a_hundred_kilobytes(address, says):
    with pytest.raises(AppError, match=says):
        Client(address, verbose=False).predict("a" * 100_000, api_name="/text_to_image_generate")


# --- the negative prompt --------------------------------------------------------------------------


@pytest.mark.says("At guidance 1 the negative prompt has no effect: choose more.")
def test_a_negative_prompt_at_guidance_1(says):
    asked = {"prompt": "a cat", "negative_prompt": "blurry"}
    assert help_with(asked | {"guidance_scale": 1})["note"] == says
    assert help_with(asked | {"guidance_scale": 1.5})["note"] == ""
    assert help_with(asked | {"guidance_scale": 1, "negative_prompt": ""})["note"] == ""


@pytest.mark.browser
def test_turning_guidance_down_to_1(visit, address):
    """A note appears under the prompt, and goes as guidance goes up."""
    page = visit(address)
    note = page.locator("#text-to-image-generate-prompt-words", has_text="has no effect")
    page.locator("#text-to-image-generate-negative_prompt textarea").fill("blurry")
    guidance = page.locator("#text-to-image-generate-guidance_scale input[type=number]")
    guidance.fill("1")
    guidance.blur()
    expect(note).to_have_count(1)
    guidance.fill("2")
    guidance.blur()
    expect(note).to_have_count(0)


@pytest.mark.parametrize("panel", [p for p in GUIDED if p.saves], ids=lambda panel: panel.id)
def test_saving_a_picture_whose_negative_prompt_had_no_effect(app, panel):
    """The file does not tell of it; with more guidance it does."""
    for guidance, told in ((1, False), (2, True)):
        made = saved(app, panel, negative_prompt="blurry", guidance_scale=guidance)
        assert ("blurry" in made["Description"]) is told
        assert ("negative_prompt" in made) is told and made["guidance_scale"] == f"{guidance:.1f}"


def saved(app: App, panel: Panel, **knobs: Any) -> dict[str, Any]:
    """What the file of a run says of itself."""
    _, sources = panel.declared(app)
    place = Place(panel, app, Knobs(panel.tab, panel.id, []), sources)
    asked = defaults(panel, steps=1, count=1, **knobs)
    *_, last = [piece for piece in panel.values(place, **asked) if is_value(piece)]
    shown = last.value[0] if isinstance(last.value, tuple) else last.value
    assert ("negative_prompt" in shown.made) == ("negative_prompt" in last.run.knobs)
    (file,) = files(last.run).values()
    return Image.open(io.BytesIO(file)).info


@pytest.mark.parametrize("panel", GUIDED, ids=lambda panel: panel.id)
def test_the_printed_code_at_guidance_1(app, panel):
    """It leaves the negative prompt out, for it has no effect."""
    _, sources = panel.declared(app)
    for guidance, told in ((1, False), (2, True)):
        asked = defaults(panel, negative_prompt="blurry", guidance_scale=guidance)
        assert ("blurry" in panel.code(*sources, asked)) is told


@pytest.mark.says("At guidance 1 the negative prompt has no effect.")
def test_a_column_without_guidance(app, says, monkeypatch):
    panel = compare.CHANGE_PANEL
    monkeypatch.setitem(compare.COLUMNS, "Guidance", ("guidance_scale", {1.0: "1", 3.0: "3"}))
    monkeypatch.setitem(compare.USUAL, "steps", 1)
    for negative, told in (("blurry", True), ("", False)):
        asked = defaults(panel, change="Guidance", negative_prompt=negative, count=1)
        *_, value = values(panel.run(app, **asked))
        assert (says in value["caption"]) is told


class Tags(HTMLParser):
    """The names of a piece of HTML's elements and of their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


# --- whatever is written --------------------------------------------------------------------------

MARKUP = st.sampled_from(
    ["<img src=x onerror=alert(1)>", "</script><script>", "&lt;", "{{x}}", '"']
)
PIECES = st.sampled_from(
    ["a cat", "🐼", FAMILY, FLAG, "👍🏽", "\x00", "\u202e", "\ud83d", ", ", "\r\n"]
)
TEXTS = st.one_of(
    st.text(st.characters(), max_size=40),  # surrogates and control characters among them
    st.lists(st.one_of(MARKUP, PIECES, st.text(max_size=3)), max_size=60).map("".join),
)


@given(TEXTS)
@example("\r\n🐼\r a pnada")
def test_any_text_in_a_prompt(prompt):
    """The marks stand where the words are, and all of the rest is told to be unread."""
    told = json.loads(json.dumps(strange_to_the_model(prompt)))
    shown = re.sub("\r\n?", "\n", prompt).encode("utf-8", "replace").decode()[:MAX_PROMPT]
    assert shown.rstrip().endswith(told["unread"])
    end = 0
    for word in told["words"]:
        assert end <= word["start"] < min(word["end"], len(shown) - len(told["unread"]))
        assert shown[word["start"] : word["end"]] == word["word"]
        end = word["end"]


@given(TEXTS)
def test_any_text_as_it_is_read(text):
    """Nothing is added but names, and each character is known by its place."""
    read, places = as_read(text)
    assert len(read) == len(places) and places == sorted(places)
    assert all(0 <= place < len(text) for place in places)
    assert not any(unicodedata.category(c) == "Cc" and not c.isspace() for c in read)


@given(TEXTS)
def test_markup_in_a_prompt_of_a_bigger_model(prompt):
    """It stands in the answer as text."""
    prompt = text("prompt", prompt, MAX_PROMPT)
    drawn = Drawn(np.zeros((64, 64, 3), np.uint8), False, 1, False, 0.5)
    answer = bigger.figure(big_models()[0], drawn, prompt, prompt, 1, torch.device("cpu"))
    page = Tags()
    page.feed(answer)
    assert page.tags <= {"figure", "img", "figcaption", "p", "a"}
    assert page.attributes <= {"class", "src", "alt", "download", "href"}
