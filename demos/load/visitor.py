"""A visitor: a browser tab with a session, which loads the page, presses and slides."""

import json
import random
import re
import string
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import httpx

from demos.load.report import Answer
from demos.page.handlers import SHARED

LIVE = ("vae_samples_temperature", "gan_samples_truncation_psi")
"""Endpoints that answer while a knob moves."""
PRESSED = {
    "diffusion_generate": 5,
    "flow_generate": 4,
    "text_to_image_generate": 3,
    "vae_samples": 3,
    "gan_samples": 3,
    "gan_portraits": 2,
    "vae_interpolate": 2,
    "latent_space_mix": 2,
    "diffusion_person": 1,
    "flow_person": 1,
    "gan_walk": 1,
    "gan_styles": 1,
    "latent_space_between": 1,
    "text_to_image_search": 1,
}
"""What people press, and how often."""
MOVED = 12
"""How often they move a slider instead."""
FIRST_SEEN = "ov-rows"
"""The class of the column that a visit begins with."""
GONE = "(left in the middle)"
FILE = re.compile(r"""(?:href|src)=["']\.?/?((?:assets|static)/[\w./-]+)["']""")
PICTURE = re.compile(r"files/[0-9a-f]+\.\w+")


class Site:
    """What every visitor knows of the page: its endpoints with their defaults, and its sliders."""

    def __init__(self, address: str, config: Any, info: Any) -> None:
        self.address = address
        events = {d["api_name"]: d["id"] for d in config["dependencies"] if d["api_name"]}
        parameters = {name.strip("/"): told["parameters"] for name, told in info.items()}
        self.events = {name: events[name] for name in parameters if name in events}
        self.names = {n: [p["parameter_name"] for p in ps] for n, ps in parameters.items()}
        self.defaults = {
            n: [p.get("parameter_default") for p in ps] for n, ps in parameters.items()
        }
        seen = {
            id_
            for c in config["components"]
            if FIRST_SEEN in (c["props"].get("elem_classes") or ())
            for id_ in _within(config["layout"], c["id"])
        }
        shown = [c["props"] for c in config["components"] if c["id"] in seen]
        self.first_pictures = set(PICTURE.findall(json.dumps(shown)))
        self.sliders = {
            c["id"]: (fn, str(c["props"].get("value", "")))
            for c in config["components"]
            for fn in ("decode", "move")
            if fn in (c["props"].get("server_fns") or ())
        }

    @classmethod
    async def of(cls, http: httpx.AsyncClient, address: str) -> "Site":
        config = (await http.get(f"{address}/config")).json()
        info = (await http.get(f"{address}/gradio_api/info")).json()
        return cls(address, config, info["named_endpoints"])

    def values(self, name: str, seed: int | None, **changes: Any) -> list[Any]:
        """An endpoint's defaults, with a seed of one's own if it has one."""
        own = dict(zip(self.names[name], self.defaults[name], strict=True)) | changes
        if seed is not None and "seed" in own:
            own["seed"] = seed
        return [own[parameter] for parameter in self.names[name]]


class Visitor:
    """A browser tab: a session, and what it does."""

    def __init__(self, site: Site, http: httpx.AsyncClient, rng: random.Random) -> None:
        self.site, self.http, self.rng = site, http, rng
        self.vanishes = 0.0
        """How likely it is gone in the middle of a press, and comes back as somebody else."""
        self.session = self._new_session()

    def _new_session(self) -> str:
        return "".join(self.rng.choices(string.ascii_lowercase + string.digits, k=11))

    async def load(self) -> float:
        """The page with the files it begins with, and the pictures of its first tab; seconds."""
        began = time.perf_counter()
        page = (await self.http.get(f"{self.site.address}/")).text
        for file in {*FILE.findall(page), *self.site.first_pictures}:
            await self.http.get(f"{self.site.address}/{file}")
        return time.perf_counter() - began

    async def press(self, name: str, values: Sequence[Any]) -> Answer:
        """An endpoint through the queue, to its end."""
        answer, began = Answer(name, 0.0), time.perf_counter()
        try:
            joined = await self.http.post(
                f"{self.site.address}/gradio_api/queue/join",
                json={
                    "data": [*values],
                    "fn_index": self.site.events[name],
                    "session_hash": self.session,
                },
            )
            joined.raise_for_status()
            leaves = self.rng.random() < self.vanishes
            async for message in self._messages(answer):
                if leaves and message["msg"] in ("process_generating", "process_starts"):
                    self.session, answer.kind = self._new_session(), GONE
                    break
                data = (message.get("output") or {}).get("data") or []
                if answer.first is None and any(_shows(part) for part in data):
                    answer.first = time.perf_counter() - began
                if message["msg"] == "process_completed":
                    await self._fetch(answer, set(PICTURE.findall(json.dumps(data))))
                    if not message.get("success"):
                        answer.error = str((message.get("output") or {}).get("error"))[:200]
                    break
            else:
                answer.error = "the stream ended before the answer"
        except httpx.HTTPError as error:
            answer.error = f"{type(error).__name__} {error}"[:200]
        answer.seconds = time.perf_counter() - began
        return answer

    async def _fetch(self, answer: Answer, pictures: set[str]) -> None:
        for name in pictures:
            file = await self.http.get(f"{self.site.address}/{name}")
            file.raise_for_status()
            answer.size += len(file.content)

    async def _messages(self, answer: Answer) -> AsyncIterator[dict[str, Any]]:
        stream = self.http.stream(
            "GET",
            f"{self.site.address}/gradio_api/queue/data",
            params={"session_hash": self.session},
        )
        async with stream as lines:
            async for line in lines.aiter_lines():
                if line.startswith("data:"):
                    answer.size += len(line)
                    answer.rows = _rows(line) or answer.rows
                    yield json.loads(line[5:])

    async def move(self) -> Answer:
        """A slider, to a place of its own."""
        component = self.rng.choice([*self.site.sliders])
        fn, text = self.site.sliders[component]
        answer, began = Answer(f"slider {fn}", 0.0), time.perf_counter()
        try:
            said = await self.http.post(
                f"{self.site.address}/gradio_api/component_server",
                json={
                    "data": self._moved(text),
                    "component_id": component,
                    "fn_name": fn,
                    "session_hash": self.session,
                },
            )
            said.raise_for_status()
            answer.error = str((said.json() or {}).get("error") or "")
        except httpx.HTTPError as error:
            answer.error = f"{type(error).__name__} {error}"[:200]
        answer.seconds = answer.first = time.perf_counter() - began
        return answer

    def _moved(self, text: str) -> str:
        head, colon, rest = text.partition(":")
        if ";" in head:  # a face, then directions
            return f"{text.split(';')[0]};smile:{self.rng.uniform(-2, 2):.2f}"
        place = rest.split(";")[0]
        return (
            head
            + colon
            + re.sub(r"-?\d+(\.\d+)?", lambda _: f"{self.rng.uniform(-1, 1):.2f}", place)
        )

    async def turn(self) -> Answer:
        """A knob that answers while it moves."""
        name = self.rng.choice([name for name in LIVE if name in self.site.events])
        (knob,) = (k for k in ("temperature", "truncation_psi") if name.endswith(k))
        seed = self.rng.randrange(1_000_000)
        value = round(self.rng.uniform(0.3, 1.2), 2)
        return await self.press(name, self.site.values(name, seed, **{knob: value}))

    async def whatever(self) -> Answer:
        """What somebody would press, with a seed of one's own."""
        names = [name for name in PRESSED if name in self.site.events]
        weights = [*(PRESSED[name] for name in names), MOVED]
        (name,) = self.rng.choices([*names, ""], weights)
        if not name:
            return await self.move()
        changes = {}
        if name == "text_to_image_search":
            changes = {self.site.names[name][0]: f"a 3d dog {self.rng.randrange(1_000)}"}
        seed = self.rng.randrange(1_000_000)
        return await self.press(name, self.site.values(name, seed, **changes))


def _within(layout: Any, id_: int, inside: bool = False) -> Iterator[int]:
    """The ids of what stands on the page within the component `id_`."""
    inside = inside or layout["id"] == id_
    if inside:
        yield layout["id"]
    for child in layout.get("children") or ():
        yield from _within(child, id_, inside)


def _shows(part: Any) -> bool:
    """Whether an output changes what is on the page."""
    return not (part is None or (isinstance(part, dict) and part.get("__type__") == "update"))


def _rows(line: str) -> float:
    """Pictures times evaluations of a finished run, of which its card says both."""
    count = re.search(r"(\d+) pictures? in [\d.]+ m?s", line)
    each = re.search(r"([\d.]+) network evaluations per picture", line)
    shared = SHARED.strip(" ·") in line
    return float(count[1]) * float(each[1]) if count and each and not shared else 0.0
