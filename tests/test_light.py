"""The page is light: pictures are files, fetched when seen, and nothing is fetched twice."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator

import brotli
import gradio as gr
import httpx
import pytest
from gradio_client import Client
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from demos.page.files import FOREVER, PICTURE, SMALL, Files
from demos.page.image_io import data_url
from demos.page.server import Light
from demos.page.tab import declared
from demos.tabs import vae
from serving import page_of

LARGE, TINY = bytes(range(256)) * 4, b"tiny"
LINK = re.compile(r"files/[0-9a-f]{32}\.(?:png|jpeg)")
CLIENT = httpx.Client(timeout=60)
"""One for all: each takes as long as thirty answers, for it reads the certificates of the world."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_of(vae.TAB) as address:
        yield address


def get(address: str, **headers: str) -> httpx.Response:
    """An answer as it came, not unpacked."""
    with CLIENT.stream("GET", address, headers={"accept-encoding": "identity"} | headers) as answer:
        answer.body = b"".join(answer.iter_raw())
        return answer


def test_large_pictures_become_links_that_follow_from_their_content():
    files = Files()
    large = data_url(LARGE)
    link = files.linked({"rows": [large, 3, data_url(TINY)], "html": f'<img src="{large}">'})
    assert link["rows"][1:] == [3, data_url(TINY)]
    assert LINK.fullmatch(link["rows"][0]) and link["html"] == f'<img src="{link["rows"][0]}">'
    assert Files().linked(large) == link["rows"][0] != files.linked(data_url(LARGE[1:]))
    assert files.linked(data_url(LARGE, "webp")).endswith(".webp")


def test_what_a_pad_sends_to_the_server_stays_in_the_page():
    with gr.Blocks() as page:
        pad, card = gr.HTML(data_url(LARGE)), gr.HTML({"picture": data_url(LARGE)})
    Files().lighten(page)
    assert pad.value == data_url(LARGE) and LINK.fullmatch(card.value["picture"])


def test_the_pictures_of_a_run_are_files_for_a_while():
    files, other = Files(), data_url(bytes(reversed(LARGE)) * 20)
    large = data_url(LARGE * 20)
    told = files.linked(({"sheet": large, "preview": data_url(LARGE)}, large), passing=True)
    assert LINK.fullmatch(told[0]["sheet"])
    assert told[0]["preview"] == data_url(LARGE)  # a small one is seen once
    assert told[1] == large  # a pad sends what it shows back to the server

    def there(link):
        return TestClient(Starlette(routes=[files.route()])).get(f"/{link}").status_code == 200

    assert there(told[0]["sheet"])
    files.passing.size = 30_000
    second = files.linked({"sheet": other}, passing=True)["sheet"]
    assert there(second) and not there(told[0]["sheet"])
    files.passing.seconds = -1
    third = files.linked({"sheet": large}, passing=True)["sheet"]
    assert not there(second) and not there(third)


def test_a_new_visit_makes_no_copy_of_the_pages_config(monkeypatch):
    """Gradio's took a third of a second of everybody's time for each visitor."""
    with page_of(vae.TAB) as address:
        asked = []
        monkeypatch.setattr(
            "gradio.blocks.BlocksConfig.config_for_block", lambda *_: asked.append(1) or {}
        )
        client = Client(address, verbose=False)
        first = len(asked)  # for the client, which reads the config
        value = client.predict(api_name="/vae_samples")
        assert value["tiles"] and len(asked) == first


def test_a_page_carries_no_picture_and_its_files_are_kept_for_good(address):
    config = get(f"{address}config").body.decode()
    assert not PICTURE.search(config)
    links = set(LINK.findall(config))
    assert links
    for link in links:
        answer = get(address + link)
        assert answer.headers["content-type"] == "image/png" and answer.body[1:4] == b"PNG"
        assert answer.headers["cache-control"] == FOREVER["cache-control"]
        assert len(answer.body) > SMALL / 2
    assert get(f"{address}files/{'0' * 32}.png").status_code == 404
    assert get(f"{address}files/..%2f..%2fapp.py").status_code == 404


@pytest.mark.parametrize("path", ["", "?tab=vae", "config"])
def test_the_page_is_compressed_and_not_sent_to_whoever_has_it(address, path):
    plain = get(address + path)
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, "gzip, br": brotli.decompress}
    for accepted, unpacked in unpack.items():
        packed = get(address + path, **{"accept-encoding": accepted})
        assert packed.headers["content-encoding"] in accepted
        assert int(packed.headers["content-length"]) == len(packed.body) < len(plain.body) / 4
        assert unpacked(packed.body) == plain.body
    tag = plain.headers["etag"]
    again = get(address + path, **{"if-none-match": tag})
    assert (again.status_code, again.body) == (304, b"")
    assert get(address + path, **{"if-none-match": 'W/"another"'}).body == plain.body


def test_each_address_of_the_page_gets_its_own_and_all_visitors_of_one_the_same(address):
    proxied = {"x-forwarded-host": "teacher.example", "x-forwarded-proto": "https"}
    roots = [json.loads(get(f"{address}config", **h).body)["root"] for h in ({}, proxied, {})]
    assert roots == [address.rstrip("/"), "https://teacher.example", address.rstrip("/")]
    for k in range(20):  # more than are kept
        host = f"room-{k}.example"
        config = json.loads(get(f"{address}config", **{"x-forwarded-host": host}).body)
        assert config["root"] == f"http://{host}"
    plain = get(address).body
    assert b'"deep_link_state":"invalid"' in get(f"{address}?deep_link=nothing").body
    assert get(address).body == plain


@pytest.mark.parametrize("headers", [{}, {"set-cookie": "visitor=1"}])
def test_an_answer_that_is_one_visitors_own_is_not_kept_for_the_next(headers):
    asked = []

    async def app(scope, receive, send):
        asked.append(scope["path"])
        await PlainTextResponse(f"answer {len(asked)}", headers=headers)(scope, receive, send)

    visitor = TestClient(Light(app))
    said = [visitor.get("/").text for _ in range(2)]
    assert said == (["answer 1", "answer 2"] if headers else ["answer 1"] * 2)


def test_the_scripts_of_widgets_are_one_file_that_a_browser_keeps(address):
    page = get(address).body.decode()
    (link,) = re.findall(r'<script src="(files/[0-9a-f]{32}\.js)"></script>', page)
    script = get(address + link)
    assert script.headers["cache-control"] == FOREVER["cache-control"]
    assert script.headers["content-type"].startswith("text/javascript")
    packed = get(address + link, **{"accept-encoding": "br"})
    assert packed.headers["content-encoding"] == "br"
    assert brotli.decompress(packed.body) == script.body
    asked = [c["props"].get("js_on_load") for c in config_of(address)["components"]]
    called = {
        re.match(r"noiseToDataWidgets\.(w[0-9a-f]+)\(", line)[1] for line in filter(None, asked)
    }
    assert called and called <= set(re.findall(r"^[,}]*(w[0-9a-f]+)\(", script.body.decode(), re.M))


def test_gradios_own_files_are_kept_for_good_and_an_error_is_not(address):
    (script, *_) = re.findall(r"assets/[\w.-]+\.js", get(address).body.decode())
    assert get(address + script).headers["cache-control"] == FOREVER["cache-control"]
    missing = get(f"{address}assets/nothing-here.js")
    assert missing.status_code == 404 and "immutable" not in str(missing.headers)


@pytest.fixture(scope="module")
def whole() -> Iterator[str]:
    with page_of() as address:
        yield address


def test_an_example_weighs_little_and_its_first_picture_hardly_anything(whole):
    """In kB: what is fetched until there is something to see, and in all."""
    shown = {c["props"].get("elem_id"): c["props"] for c in config_of(whole)["components"]}
    panels = [p.name for tab in declared() for p in tab.panels if p.name in shown]
    began = {name: opened(whole, shown[name].get("value")) for name in panels}
    first = {name: kilobytes(whole, first_seen(value)) for name, value in began.items()}
    every = {name: kilobytes(whole, LINK.findall(json.dumps(began[name]))) for name in panels}
    assert len(panels) > 20 and sum(size > 0 for size in every.values()) > 15
    assert {name: size for name, size in first.items() if size > 150} == {}
    assert {name: size for name, size in every.items() if size > 1000} == {}


def opened(address: str, value: object) -> object:
    """What a widget begins with, from its file where it is one."""
    if isinstance(value, dict) and "file" in value:
        return json.loads(get(address + value["file"]).body)
    return value


def test_what_a_widget_begins_with_is_a_file_where_it_is_large():
    example = {"provenance": "cpu", "rows": [[k / 7 for k in range(400)]]}
    with gr.Blocks() as page:
        large = gr.HTML(example, js_on_load="const view = 1;\nshowValue(view);")
        small = gr.HTML({"provenance": "cpu"}, js_on_load="const view = 2;\nshowValue(view);")
        other = gr.HTML(example, js_on_load="function showValue(view) {}")
    files = Files()
    files.lighten(page)
    assert small.value == {"provenance": "cpu"} and other.value == example
    answer = TestClient(Starlette(routes=[files.route()])).get(f"/{large.value['file']}")
    assert answer.json() == example and answer.headers["content-type"] == "application/json"
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["cache-control"] == FOREVER["cache-control"]
    assert len(files.scripts) == 1


def config_of(address: str) -> dict:
    return json.loads(get(f"{address}config").body)


def first_seen(value: object) -> list[str]:
    """Of a timeline the picture that it begins with, of all else the largest."""
    if isinstance(value, dict) and value.get("lanes"):
        lane = next(lane for lane in value["lanes"] if not lane.get("still"))
        return LINK.findall(lane.get("first") or lane.get("sheet", ""))
    return LINK.findall(json.dumps(value))[:1]


def kilobytes(address: str, links: list[str]) -> float:
    return sum(len(get(address + link).body) for link in set(links)) / 1000


@pytest.mark.slow  # in test_field_start ten tabs draw at once, in each test run
@pytest.mark.browser
def test_seven_tabs_of_one_browser_are_all_answered(chromium, whole):
    """A browser has six connections to a host: a page may not keep one open while it is idle."""
    context = chromium.new_context()
    context.set_default_timeout(120_000)
    pages = [context.new_page() for _ in range(7)]
    for page in pages:
        page.goto(f"{whole}?tab=vae&panel=samples")
    for page in pages:
        page.bring_to_front()
        card = page.locator("#vae-samples")
        expect(card.locator(".card-source")).to_have_text("Example")
        page.get_by_role("button", name="Draw new pictures", exact=True).click()
        expect(card.locator(".card-live")).to_contain_text("live", timeout=120_000)
    context.close()


@pytest.mark.browser
def test_an_example_that_does_not_arrive_is_no_empty_card(chromium, whole):
    page = chromium.new_page()
    page.route("**/files/*.json", lambda route: route.abort())
    page.goto(f"{whole}?tab=autoregressive&panel=words", timeout=120_000)
    empty = page.locator("#autoregressive-words .card-empty")
    expect(empty).to_contain_text("did not arrive", timeout=120_000)
    page.close()


@pytest.mark.browser
def test_a_first_visit_weighs_little_and_a_second_hardly_anything(chromium):
    """In kB, as they cross the network."""
    with page_of() as address:
        context = chromium.new_context()
        first, second = (weight(context, address) for _ in range(2))
        context.close()
    assert first <= 900 and second <= 150


def weight(context, address: str) -> float:
    page, bytes_ = context.new_page(), []
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: bytes_.append(event["encodedDataLength"]))
    page.goto(address)
    pictures = page.locator(".ov-rows img")
    pictures.first.wait_for()
    page.wait_for_function(
        "[...document.querySelectorAll('.ov-rows img')].every((image) => image.complete)"
    )
    page.close()
    return sum(bytes_) / 1000
