"""Links that restore a tab with its knobs: ?tab=diffusion&panel=compare&compare.steps=20.

Tab and panel are chosen in the browser, before anything is built (address.js); so are the moment of
a timeline, &at=7, and the view, &view=projector (views.js).
"""

import difflib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from demos.page.controls import Knob, Knobs
from demos.page.handlers import App
from demos.page.tab import Tab
from gen_core.knobs import KnobError, shown

SCRIPT = Path(__file__).parent / "copy_link.js"
READER = "read-link"
"""The id of what the page presses when its address has a query."""
HOSTS = re.compile("^(__|hf_|utm_|fbclid$|gclid$)")
"""Parameters of Gradio, of the host and of who sent a visitor here: no settings (address.js)."""
OWN = ("tab", "panel", "at", "view")
"""What is no setting of a knob."""
ALIKE, SHORTEST = 0.8, 5
"""From which on a name that is none of ours may be a slip, and not one that somebody on the link's
way has added: the share of letters in common, or so many letters that one of ours begins with."""


class Links:
    """Writes and reads the links of one page.

    `switches` are the tabs' Advanced switches: a link that sets an advanced knob also shows it.
    """

    def __init__(self, app: App, tabs: list[Tab], switches: Mapping[str, gr.Checkbox]) -> None:
        self.tabs, self.switches = tabs, switches
        self.knobs, self.panels = list(app.knobs), dict(app.panels)

    def connect(self, page: gr.Blocks, buttons: Mapping[str, gr.Button]) -> None:
        """Restores at load, and makes each tab's button copy its link."""
        components = [c for knobs in self.knobs for c in knobs.components]
        outputs = [*self.switches.values(), *components]
        reader = gr.Button(visible="hidden", elem_id=READER)
        ask = f"() => {{ if (location.search) noiseToData.press('{READER}'); }}"  # most ask nothing
        page.load(None, None, None, js=ask, api_visibility="private")
        # In the queue, though it takes no time: outside of it Gradio drops warnings.
        restored = reader.click(
            self.restore,
            None,
            outputs,
            show_progress="hidden",
            show_progress_on=outputs[0],  # else all are told of every message of every later run
            api_visibility="private",
        )
        told = "() => noiseToDataRuns.restored()"
        restored.then(None, None, None, js=told, api_visibility="private")
        for tab, button in buttons.items():
            mine = [knobs for knobs in self.knobs if knobs.tab == tab]
            names = [f"{knobs.panel}.{knob.linked}" for knobs in mine for knob in knobs.knobs]
            defaults = [knob.default for knobs in mine for knob in knobs.knobs]
            told = ", ".join(json.dumps(part) for part in (tab, names, defaults))
            call = f"(...values) => noiseToDataLink.copy({told}, values)"
            inputs = [c for knobs in mine for c in knobs.components]
            button.click(None, inputs, None, js=call, api_visibility="private")

    def restore(self, request: gr.Request) -> dict[Any, Any]:
        """The components' values that the page's query string asks for: of a name that stands there
        several times the first one, as the browser reads it."""
        query: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            query.setdefault(name, value)
        updates, problems = self.read(query)
        for problem in problems:
            gr.Warning(html.escape(problem, quote=False), 15, title="This link was adjusted")
        return updates if updates else gr.skip()

    def read(self, query: Mapping[str, str]) -> tuple[dict[Any, Any], list[str]]:
        """Updates by component, and what could not be understood: it keeps its default. Names that
        are none of ours stay without a word; who sent the link on may have added them."""
        tab = query.get("tab")
        if tab is None:
            return {}, []
        known = [t.id for t in self.tabs]
        if tab not in known:
            return {}, [f"tab={shown(tab)}: choose one of {', '.join(known)}"]
        updates: dict[Any, Any] = {}
        problems = []
        mine = {knobs.panel: knobs for knobs in self.knobs if knobs.tab == tab}
        panel = query.get("panel")
        there = [shown.id for shown in self.panels[tab].children] if tab in self.panels else mine
        if panel is not None and panel not in there:
            problems.append(f"panel={shown(panel)}: choose one of {', '.join(there)}")
        if panel in mine:  # a name that several panels have is this one's
            mine = {panel: mine[panel], **mine}
        for key in [key for key in query if key not in OWN and not HOSTS.match(key)]:
            if not (found := _find(mine, key)):
                problems += _slip(mine, key)
                continue
            knobs, knob = found
            try:
                updates[knobs.built[knob.name]] = knob.from_text(query[key])
            except KnobError as error:
                problems.append(str(error))
                continue
            if knob.advanced and tab in self.switches:
                updates[self.switches[tab]] = True
        return updates, problems


def _find(panels: Mapping[str, Knobs], key: str) -> tuple[Knobs, Knob] | None:
    """The knob a link's key means: "panel.name", or the first of that name in the tab."""
    panel, _, name = key.rpartition(".")
    for knobs in panels.values():
        for knob in knobs.knobs:
            if name in (knob.linked, knob.name) and panel in ("", knobs.panel):
                return knobs, knob
    return None


def _slip(panels: Mapping[str, Knobs], key: str) -> list[str]:
    """A message where a key is nearly that of a knob; none where it is another's."""
    asked = key.lower()
    listed = [(panel, knob.linked) for panel, knobs in panels.items() for knob in knobs.knobs]
    names = list(dict.fromkeys(n for panel, name in listed for n in (name, f"{panel}.{name}")))
    near = [name for name in names if len(asked) >= SHORTEST and name.startswith(asked)]
    near += difflib.get_close_matches(asked, names, cutoff=ALIKE)
    meant = [name for name in near if name[0] == asked[0]][:1]
    return [f"{shown(key)} is not a setting of this tab: write {name}" for name in meant]
