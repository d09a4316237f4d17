"""Values at the ends of what a setting takes, beyond them, and of other kinds"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request as Asked
from urllib.request import urlopen

import gradio as gr
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import awaited, told_by
from core_fixtures import tiny
from demos.page import shell
from demos.page.controls import Knob, Knobs
from demos.page.handlers import App
from demos.page.links import Links
from demos.page.tab import declared
from demos.tabs import text_to_image
from demos.tabs.autoregressive.changes import Changes, PictureChanges
from demos.tabs.text_to_image import generate
from demos.widgets.point_pad import PointsKnob
from gen_core.__main__ import main
from gen_core.data.planes import MOST_POINTS
from gen_core.families.text import TextFamily
from gen_core.family import Family, own_knobs, registry
from gen_core.knobs import Choice, Flag, KnobError, Number, Text, Whole
from gen_core.sampling import MAX_SEED
from gen_core.training import checkpoint
from serving import page_of

TABS = [tab.id for tab in declared()]
NUMERIC = ("whole", "number", "seed")
LONG_NUMBER = 10**5000
"""Python writes no number of more than 4,300 digits as text, unless told to."""
OF_OTHER_KINDS = [
    *(math.nan, math.inf, -math.inf, LONG_NUMBER, -LONG_NUMBER, 2**63, -1, 2.5, True, None),
    *("", " ", "12", "٣", "1e400", "NaN", "9" * 5000, "\ud83d", "<img src=x onerror=alert(1)>"),
    *([], [1], {}, {"a": 1}, [[[[]]]], b"1", 1j, object()),
]
WAY_OUT = re.compile("choose|write|takes|from .* to|one of|draw|give|leave")
FAMILIES = [name for name, kind in registry.classes.items() if issubclass(kind, Family)]


@pytest.fixture(scope="module")
def app() -> App:
    """One whose page is built, and whose work only keeps what it is given."""
    app = App("cpu")
    app.page = shell.build_page(app)
    return app


@pytest.fixture(scope="module")
def address(emoji_weights) -> Iterator[str]:
    with page_of(text_to_image.TAB, weights=emoji_weights.parent) as address:
        yield address


def of_tab(app: App, tab: str) -> list[tuple[Knobs, Knob]]:
    return [(knobs, knob) for knobs in app.knobs if knobs.tab == tab for knob in knobs.knobs]


def ends(knob: Knob) -> list[Any]:
    """The lowest and the highest value, or all of a list, as the page has them."""
    if knob.kind == "seed":
        return [0, MAX_SEED]
    if knob.kind in ("whole", "number"):
        return [knob.low, knob.high]
    if knob.kind == "flag":
        return [False, True]
    if isinstance(knob, PointsKnob):
        return ["", "AAA" * MOST_POINTS]
    if isinstance(knob, Changes):
        return ["", "1/1:0" if isinstance(knob, PictureChanges) else "1:0"]
    return ["", "a" * int(knob.high)] if knob.kind == "text" else knob.choices or [knob.default]


def beyond(knob: Knob) -> list[Any]:
    if knob.kind == "seed":
        return [-1, MAX_SEED + 1, 2**63]
    if knob.kind in ("whole", "number"):
        return [knob.low - 1, knob.high + 1]
    if isinstance(knob, PointsKnob):
        return ["AAA" * (MOST_POINTS + 1), "A", "___", "AA ", "ÄÄÄ"]
    return ["a" * (int(knob.high) + 1)] if knob.kind == "text" else ["?".join(["?", *knob.choices])]


def refusal(check: Callable[[Any], Any], value: Any) -> str:
    """What is said to a value; "" where it is taken."""
    try:
        check(value)
    except KnobError as error:
        return str(error)
    return ""


# --- in links -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", TABS)
def test_the_ends_of_every_setting_in_a_link(app, tab):
    """They are restored; one step beyond, a warning tells the value and the range."""
    links = next(fn.fn.__self__ for fn in app.page.fns.values() if is_restore(fn.fn))
    for knobs, knob in of_tab(app, tab):
        name = f"{knobs.panel}.{knob.linked}"
        for value in ends(knob):
            text = str(value).lower() if knob.kind == "flag" else str(value)
            updates, problems = links.read({"tab": tab, name: text})
            assert problems == [] and updates[knobs.built[knob.name]] == value, name
        for value in beyond(knob):
            updates, (problem,) = links.read({"tab": tab, name: str(value)})
            simple = knob.kind in NUMERIC or knob.kind in ("choice", "label")
            assert updates == {} and WAY_OUT.search(problem), name
            assert not simple or (str(value)[:9] in problem and knob.rule.takes in problem), name


def is_restore(fn: Any) -> bool:
    return isinstance(getattr(fn, "__self__", None), Links)


# --- in the API -----------------------------------------------------------------------------------


def endpoints(app: App, tab: str) -> Iterator[tuple[Any, Knobs]]:
    """Those of a tab that take knobs."""
    for fn in app.page.fns.values():
        for knobs in app.knobs:
            inputs = [part._id for part in fn.inputs]
            own = [part._id for part in knobs.components]
            if knobs.tab == tab and fn.api_name in app.works and own and inputs[: len(own)] == own:
                yield fn, knobs


@pytest.fixture(scope="module")
def listed(app) -> list[tuple[Any, Knobs]]:
    return [found for tab in TABS for found in endpoints(app, tab)]


def asked(fn: Any, knobs: Knobs, **changes: Any) -> list[Any]:
    """Runs an endpoint with its first values, few pictures and steps, and these changes."""
    few = {knob.name: knob.low for knob in knobs.knobs if knob.name in ("count", "steps")}
    first = {knob.name: knob.default for knob in knobs.knobs} | few | changes
    more = len(fn.inputs) - len(first)
    return told_by(fn.fn, *first.values(), *[None] * more)


@pytest.fixture
def told(app, monkeypatch) -> None:
    """The work of all endpoints answers with what it was given, in place of doing it."""
    for name, work in app.works.items():
        told = replace(work, fn=lambda **given: {k: str(v) for k, v in given.items()})
        monkeypatch.setitem(app.works, name, replace(told, own_process=False))


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("tab", TABS)
def test_the_ends_of_every_setting_in_the_api(app, tab):
    """The run gets them; one step beyond, the answer tells the value and the range."""
    found = [*endpoints(app, tab)]
    assert found
    for fn, knobs in found:
        for knob in knobs.knobs:
            for value in ends(knob):
                (given,) = asked(fn, knobs, **{knob.name: value})
                assert given[knob.name] == str(knob.check(value)), (fn.api_name, knob.name)
            for value in [*beyond(knob), math.nan, None, [1]]:
                if not refusal(knob.check, value):
                    continue
                with pytest.raises(gr.Error) as refused:
                    asked(fn, knobs, **{knob.name: value})
                assert refused.value.title == "Please check", (fn.api_name, knob.name)
                assert WAY_OUT.search(refused.value.message) and "<" not in refused.value.message


@pytest.mark.says("seed=4294967295: choose 0 to 4294967292, so that all have one")
def test_the_last_seed_with_several_pictures(app, says):
    fn, knobs = next(
        found for found in endpoints(app, "flow") if found[0].api_name == "flow_generate"
    )
    with pytest.raises(gr.Error, match=says):
        asked(fn, knobs, seed=MAX_SEED, count=4)


@pytest.mark.parametrize("tab", TABS)
def test_values_of_other_kinds_for_every_setting(app, tab):
    """Not-a-number, infinity, numbers of thousands of digits, lists, nothing at all: each is taken
    or refused with the way out."""
    for _, knob in of_tab(app, tab):
        for value in OF_OTHER_KINDS:
            said = refusal(knob.check, value)
            assert not said or (WAY_OUT.search(said) and len(said) < 600), (knob.name, said)
            if knob.kind in NUMERIC and said:
                assert said.startswith(f"{knob.name}=") and knob.rule.takes in said
        if knob.kind in NUMERIC:
            assert all(
                refusal(knob.check, v) for v in OF_OTHER_KINDS if not isinstance(v, int | float)
            )


@pytest.mark.parametrize("written", ["NaN", "1e400", "-Infinity", "true", "[]", '"12"', "null"])
def test_a_number_as_json_can_write_it(address, written):
    """The answer tells the value that was read, and the range."""
    values = [json.dumps(knob.default) for knob in generate.PANEL.knobs]
    values[2] = written  # the steps
    assert "choose a whole number from 1 to 60" in called(address, f"[{', '.join(values)}]")


@pytest.mark.parametrize(
    "body", ["9" * 5000, "[" * 50_000, "{", "\x00", '["\\ud83d"]', "[1e999999999]"]
)
def test_a_body_that_is_no_list_of_values(address, body):
    """It is refused, and the app goes on."""
    said = called(address, body)
    assert not said.startswith("5") and "Traceback" not in said
    assert "steps=0: choose" in called(address, '["", "", 0, 3, "DDIM", 1, 0]')


def called(address: str, data: str) -> str:
    """What an endpoint answers to a body with these data."""
    url = f"{address}gradio_api/call/text_to_image_generate"
    body = f'{{"data": {data}}}'.encode()
    try:
        headers = {"Content-Type": "application/json"}
        with urlopen(Asked(url, body, headers), timeout=60) as answer:
            event = json.load(answer)["event_id"]
        with urlopen(f"{url}/{event}", timeout=60) as answer:
            return answer.read().decode()
    except HTTPError as error:
        return f"{error.code} {error.read().decode()}"


# --- on the command line --------------------------------------------------------------------------


@pytest.fixture
def models(monkeypatch) -> dict[str, Family]:
    """Untrained ones, by their families' names, in place of checkpoints."""
    made: dict[str, Family] = {}

    def load(name: str, device: str) -> Family:
        return made.setdefault(name, tiny(name))

    monkeypatch.setattr(checkpoint, "load", load)
    return made


@pytest.mark.heavy
@pytest.mark.parametrize("family", FAMILIES)
def test_the_ends_of_every_setting_on_the_command_line(family, models, tmp_path, capsys):
    """The pictures are drawn; one step beyond, a line tells the value and the range."""
    ending = "txt" if issubclass(registry.classes[family], TextFamily) else "png"
    command = ["sample", family, "--count", "1", "--out", str(tmp_path / f"drawn.{ending}")]
    for knob in own_knobs(registry.classes[family]):
        flag = f"--{knob.name.replace('_', '-')}"
        for value in knob.examples():
            assert main([*command, flag, str(value)]) == 0, (flag, value)
        for value in [*map(str, knob.bad_values()), "", "1e400", "٣x", "9" * 5000]:
            if not refusal(knob.parse, value):
                continue
            capsys.readouterr()
            assert main([*command, f"{flag}={value}"]) == 2, (flag, value)
            said = capsys.readouterr().err
            assert said.startswith(f"error: {knob.name}=") and said.count("\n") == 1
            assert knob.takes in said
    for seed in ("-1", "4294967296", str(2**63), "nan", "1e400"):
        assert main([*command, f"--seed={seed}"]) == 2
        assert f"choose a whole number from 0 to {MAX_SEED}" in capsys.readouterr().err


# --- every panel at its ends ----------------------------------------------------------------------

STEPS = ("steps", "moments")
RUNS = {"lowest": (), "many pictures": ("count",), "many steps": STEPS}
"""Which of these settings are at their highest, the others at their lowest; all else is at its
highest where one of them is."""


def at_ends(knobs: Knobs, high: tuple[str, ...]) -> Iterator[Any]:
    for knob in knobs.knobs:
        if knob.kind not in ("whole", "number"):
            yield knob.default
        elif knob.name in ("count", *STEPS):
            yield ends(knob)[knob.name in high]
        else:
            yield ends(knob)[bool(high)]


async def shown_by(fn: Any, values: list[Any], whole: bool) -> Any:
    """The last that an endpoint's run shows, or the first."""
    pieces, last = fn.fn(*values, lambda *_, **__: None), None
    async for piece in pieces:
        last = last if piece == gr.skip() else piece
        if last is not None and not whole:
            break
    await pieces.aclose()
    return last


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("tab", TABS)
def test_running_every_panel_at_its_ends(app, tab, run):
    """It shows something, or says in a sentence what is too much."""
    for fn, knobs in endpoints(app, tab):
        if fn.api_name.endswith("_larger"):  # it would fetch a model
            continue
        values = [*at_ends(knobs, RUNS[run])]
        values += [None] * (len(fn.inputs) - len(values))
        try:
            shown = awaited(shown_by(fn, values, whole=run != "many steps"))
        except gr.Error as error:
            shown = error.title == "Please check" and WAY_OUT.search(error.message)
        assert shown is not None and shown is not False, fn.api_name


# --- whatever is given ----------------------------------------------------------------------------

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=60),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(OF_OTHER_KINDS),
)
RULES = [
    Whole("steps", 20, 1, 1000),
    Whole("seed", 0, 0, MAX_SEED),
    Number("scale", 1.0, -2, 20),
    Choice("solver", "a", ["a", "b"]),
    Flag("smooth", False),
    Text("prompt", "", 40),
]


@given(st.sampled_from(RULES), ANYTHING)
@example(RULES[0], LONG_NUMBER)
def test_anything_as_a_value(rule, value):
    """It comes back in the setting's range and type, or is refused with the range named."""
    for judge in (rule.check, *([rule.parse] if isinstance(value, str) else [])):
        try:
            checked = judge(value)
        except KnobError as error:
            said = str(error)
            assert said.startswith(rule.name) and len(said) < 200
            assert rule.takes in said or isinstance(rule, Text)
        else:
            assert type(checked) is type(rule.default) and rule.check(checked) == checked


@given(st.data())
def test_anything_as_a_value_of_any_setting(app, data):
    """Only a sentence for the visitor ever comes of it."""
    knob = data.draw(st.sampled_from([knob for knobs in app.knobs for knob in knobs.knobs]))
    value = data.draw(ANYTHING)
    refusal(knob.check, value)
    if isinstance(value, str):
        refusal(knob.from_text, value)


@pytest.mark.usefixtures("told")
@given(st.data())
def test_anything_as_a_value_in_the_api(app, listed, data):
    """It reaches the run, or is refused in words without markup."""
    fn, knobs = data.draw(st.sampled_from(listed))
    name = data.draw(st.sampled_from([knob.name for knob in knobs.knobs]))
    try:
        (given,) = asked(fn, knobs, **{name: data.draw(ANYTHING)})
    except gr.Error as error:
        said = error.message
        refused = error.title == "Please check" and "<" not in said and len(said) < 700
        assert refused, said
    else:
        assert name in given
