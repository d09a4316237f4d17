"""Links that arrive changed, damaged or long"""

from __future__ import annotations

import html
import http.client
import re
from collections.abc import Iterator
from urllib.parse import quote, urlencode, urlsplit

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Locator, Page, expect
from starlette.requests import Request

from demos.page import links as reading
from demos.page import shell
from demos.page.handlers import App
from demos.page.links import Links
from demos.page.tab import declared
from demos.tabs import text_to_image, vae
from gen_core.knobs import KnobError
from proxy import proxy_of
from serving import page_of

ADDED = (
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid twclid ttclid yclid igshid igsh li_fat_id "
    "utm_source utm_medium utm_campaign utm_term utm_content utm_id mc_eid mc_cid mkt_tok _ga _gl "
    "_hsenc _hsmi ref ref_src ref_url referrer campaign si s t spm share shared feature mibextid "
    "from amp lang locale theme embed print logs preview v version id ei sa usg ved oly_enc_id "
    "vero_id rb_clickid cmpid wt_mc pk_campaign piwik_campaign at_medium __theme __sign hf_space"
)
"""By mail programs, networks, search engines and hosts."""
CHINESE = "青色背景上的三维熊猫表情" * 150
DAMAGED = [
    "%",
    "%zz",
    "%E0%A4%A",
    "%ff%fe",
    "%00",
    "%ED%A0%BD",
    "+",
    "%25",
    "5%",
    "\\u0035",
    "&=&;",
]


@pytest.fixture(scope="module")
def links() -> Links:
    """Of the whole page."""
    page = shell.build_page(App("cpu"))
    owners = (getattr(fn.fn, "__self__", None) for fn in page.fns.values())
    return next(owner for owner in owners if isinstance(owner, Links))


@pytest.fixture(scope="module")
def address(emoji_weights) -> Iterator[str]:
    with page_of(text_to_image.TAB, weights=emoji_weights.parent) as address:
        yield address


def asked(links: Links, query: str) -> tuple[dict, list[str]]:
    """What a link as it stands in the address sets, by the knobs' names, and the warnings, as
    HTML."""
    warnings: list[str] = []
    request = gr.Request(Request({"type": "http", "query_string": query.encode(), "headers": []}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading.gr, "Warning", lambda message, *_, **__: warnings.append(message))
        updates = links.restore(request)
    names = {id(c): f"{k.panel}.{name}" for k in links.knobs for name, c in k.built.items()}
    return {
        names.get(id(c), "advanced"): v for c, v in updates.items() if c != "__type__"
    }, warnings


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", [tab.id for tab in declared()])
def test_a_link_to_which_others_have_added(links, tab):
    """What they have added is passed over without a word."""
    for name in ADDED.split():
        assert asked(links, f"tab={tab}&{name}=container") == ({}, []), name


@pytest.mark.says("'stepps' is not a setting of this tab: write steps")
def test_a_setting_whose_name_is_nearly_right(links, says):
    assert asked(links, "tab=diffusion&stepps=9")[1] == [says]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Steps", "steps"),
        ("guidance", "guidance_scale"),
        ("guidence_scale", "guidance_scale"),
        ("generate.stepps", "generate.steps"),
        ("compare.colums", "compare.columns"),
    ],
)
def test_other_slips_of_the_pen(links, written, meant):
    """The right name is told."""
    found, (warning,) = asked(links, f"tab=diffusion&{written}=9")
    assert found == {} and warning.endswith(f"is not a setting of this tab: write {meant}")


def test_a_name_that_stands_in_a_link_twice(links):
    """The first one counts, for the server as for the browser."""
    query = "tab=flow&generate.steps=5&tab=gan&generate.steps=7&generate.steps=x"
    assert asked(links, query) == ({"generate.steps": 5}, [])


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", DAMAGED)
def test_a_link_that_was_damaged_on_its_way(links, value):
    """What can be read of it counts; a warning names the rest and the range."""
    found, warnings = asked(links, f"tab=flow&generate.seed=4&generate.steps={value}")
    assert found == {"generate.seed": 4}
    (warning,) = warnings
    assert warning.startswith("steps=") and warning.endswith("a whole number from 1 to 1000")


@pytest.mark.browser
def test_opening_a_damaged_link(visit, address):
    """The page opens all the same, with what can be read of it."""
    damaged = "&".join(DAMAGED[:4])
    page = visit(f"{address}?tab=text-to-image&panel=two&two.seed=41&fbclid=%E0&{damaged}")
    expect(page.locator("#text-to-image-two-seed input")).to_have_value("41")
    assert page.get_by_text("This link was adjusted").count() == 0


@pytest.mark.browser
def test_markup_in_a_link(visit, address):
    """It is shown as the text that it is."""
    markup = "<img src=x onerror=hacked=1>"
    page = visit(f"{address}?tab=text-to-image&prompt={markup}&seed={markup}&stepps={markup}")
    expect(page.locator(".toast-wrap")).to_contain_text("seed='<img src=x")
    expect(page.locator("#text-to-image-generate-prompt textarea")).to_have_value(markup)
    expect(page.locator("#text-to-image-generate-prompt-words mark").first).to_have_text("img")
    assert page.evaluate("typeof hacked") == "undefined"


@pytest.mark.browser
def test_a_link_of_more_than_eight_kilobytes(visit, address):
    """It is restored, such as a long prompt in Chinese."""
    link = f"{address}?tab=text-to-image&generate.prompt={quote(CHINESE)}"
    assert len(link) > 16_000
    page = visit(link)
    expect(page.locator("#text-to-image-generate-prompt textarea")).to_have_value(CHINESE)


def test_a_link_of_a_megabyte(address):
    """It is refused, and the app goes on."""
    host = urlsplit(address).netloc
    with pytest.raises((ConnectionError, AssertionError)):
        assert status(host, f"/?tab=text-to-image&prompt={'a' * 1_000_000}") == 200
    assert status(host, f"/?tab=text-to-image&prompt={'a' * 60_000}") == 200


def status(host: str, path: str) -> int:
    """What the server answers."""
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.says("prompt has 60,000 characters: write at most 2,000")
def test_a_prompt_in_a_link_that_is_too_long(links, says):
    assert asked(links, f"tab=text-to-image&prompt={'a' * 60_000}") == ({}, [says])


# --- copying one ----------------------------------------------------------------------------------

REFUSED = {
    "no clipboard": "Object.defineProperty(navigator, 'clipboard', { value: undefined })",
    "refused": "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no'))",
    "asked, no answer": "navigator.clipboard.writeText = () => new Promise(() => {})",
}
NO_COPY = "document.execCommand = () => false;"


def offered(page: Page) -> Locator:
    """Presses Copy link; the field, once all of its text is selected."""
    page.get_by_role("button", name="Copy link").locator("visible=true").click()
    field = page.get_by_label("The link", exact=True)
    expect(field).to_have_value(re.compile("tab=text-to-image"))
    page.wait_for_function(
        "field => document.activeElement === field && field.selectionStart === 0"
        " && field.selectionEnd === field.value.length",
        arg=field.element_handle(),
    )
    return field


@pytest.mark.browser
@pytest.mark.parametrize("how", REFUSED)
@pytest.mark.says("Copy this link")
def test_copying_a_link_where_the_clipboard_is_refused(visit, address, how, says):
    page = visit(f"{address}?tab=text-to-image&panel=two")
    page.evaluate(f"{REFUSED[how]}; {NO_COPY}")
    offered(page)
    expect(page.locator(".link-card [role=status]")).to_have_text(says)


@pytest.mark.browser
def test_copying_a_link_in_a_frame_of_another_host(chromium, emoji_weights):
    """The address is offered in a field, selected, whatever the frame allows."""
    weights = emoji_weights.parent
    with (
        page_of(text_to_image.TAB, weights=weights, root_path="/noise/") as served,
        proxy_of(served, "/noise") as address,
    ):
        host = address.replace("127.0.0.1", "localhost").replace("/noise/", "/framed")
        page = chromium.new_page()  # its console has the browser's word on the refusal
        page.goto(f"{host}?tab=text-to-image")
        frame = page.frame_locator("iframe")
        frame.get_by_role("button", name="Copy link").locator("visible=true").click()
        field = frame.get_by_label("The link", exact=True)
        expect(field).to_have_value(re.compile("tab=text-to-image"))
        chosen = "field => field.value.slice(field.selectionStart, field.selectionEnd)"
        assert field.evaluate(chosen) == field.input_value()
        page.close()


# --- whatever stands in a link --------------------------------------------------------------------


@pytest.mark.browser
def test_a_link_to_a_picture_that_another_person_brought(visit):
    """It stays with that person: the page waits for one, and reports no error."""
    with page_of(vae.TAB) as address:
        link = f"{address}?tab=vae&panel=reconstruct&source="
        pages = [visit(link + source) for source in ("Upload", "Drawing")]
        for page in pages:
            line = page.locator("#vae-reconstruct-run")
            expect(line).to_have_text("Example. Press Reconstruct to apply your settings")
            page.wait_for_function("performance.now() > 4000")  # in which a run would begin
            expect(line).to_have_text("Example. Press Reconstruct to apply your settings")
            expect(page.locator(".toast-body")).to_have_count(0)
        for page in pages:
            page.close()  # before the server goes


ODD = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        ["", "1e400", "-0", "٣", "１２", "9" * 5000, "true", "null", "[1]", "<img src=x>"]
    ),
)


@given(st.data())
def test_any_list_of_names_and_values(links, data):
    """A value is taken as it is checked, or a warning names it and what the setting takes."""
    tab = data.draw(st.sampled_from(sorted({k.tab for k in links.knobs})))
    own = [(k, knob) for k in links.knobs if k.tab == tab for knob in k.knobs]
    names = [f"{k.panel}.{knob.linked}" for k, knob in own]
    pairs = data.draw(st.lists(st.tuples(st.one_of(st.sampled_from(names), ODD), ODD), max_size=5))
    found, warnings = asked(links, urlencode([("tab", tab), *pairs]))
    by_name = dict(zip(names, own, strict=True))
    first = {name: value for name, value in reversed(pairs) if name in by_name}
    for name, value in first.items():
        knobs, knob = by_name[name]
        try:
            knob.from_text(value)
        except KnobError as error:
            assert f"{knobs.panel}.{knob.name}" not in found
            said = html.escape(str(error), quote=False)
            assert said in warnings and re.search("choose|write|takes|damaged", said)
        else:
            checked = knob.check(found[f"{knobs.panel}.{knob.name}"])
            assert checked == knob.check(knob.from_text(value)) or checked != checked
    assert all("<" not in warning and len(warning) < 700 for warning in warnings)


@given(st.text(max_size=200))
def test_any_text_as_a_link(links, text):
    """The page opens with what it begins with, or with what can be read."""
    for before in ("", "tab=flow&"):
        found, warnings = asked(links, before + quote(text, safe="&=?%+;#", errors="replace"))
        listed = {f"{k.panel}.{knob.name}" for k in links.knobs for knob in k.knobs}
        assert set(found) <= listed and (before or not found or "tab=" in text)
        assert all("<" not in warning for warning in warnings)
