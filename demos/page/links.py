"""Links that restore a tab with its knobs: ?tab=diffusion&panel=compare&compare.steps=20.

Tab and panel are chosen in the browser, before anything is built (address.js); so are the moment of
a timeline, &at=7, and the view, &view=projector (views.js).
"""

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
from gen_core.knobs import KnobError

SCRIPT = Path(__file__).parent / "copy_link.js"
READER = "read-link"
"""The id of what the page presses when its address has a query."""
HOSTS = re.compile("^(__|hf_|utm_|fbclid$|gclid$)")
"""Parameters of Gradio, of the host and of who sent a visitor here: no settings (address.js)."""


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
        """The components' values that the page's query string asks for."""
        updates, problems = self.read(request.query_params)
        for problem in problems:
            gr.Warning(html.escape(problem, quote=False), 15, title="This link was adjusted")
        return updates if updates else gr.skip()

    def read(self, query: Mapping[str, str]) -> tuple[dict[Any, Any], list[str]]:
        """Updates by component, and what could not be understood: it keeps its default."""
        tab = query.get("tab")
        if tab is None:
            return {}, []
        known = [t.id for t in self.tabs]
        if tab not in known:
            return {}, [f"tab={tab!r}: choose one of {', '.join(known)}"]
        updates: dict[Any, Any] = {}
        problems = []
        mine = {knobs.panel: knobs for knobs in self.knobs if knobs.tab == tab}
        panel = query.get("panel")
        there = [shown.id for shown in self.panels[tab].children] if tab in self.panels else mine
        if panel is not None and panel not in there:
            problems.append(f"panel={panel!r}: choose one of {', '.join(there)}")
        if panel in mine:  # a name that several panels have is this one's
            mine = {panel: mine[panel], **mine}
        for key in query.keys() - {"tab", "panel", "at", "view"} - set(filter(HOSTS.match, query)):
            try:
                knobs, knob = _find(mine, key)
                updates[knobs.built[knob.name]] = knob.from_text(query[key])
                if knob.advanced and tab in self.switches:
                    updates[self.switches[tab]] = True
            except KnobError as error:
                problems.append(str(error))
        return updates, problems


def _find(panels: Mapping[str, Knobs], key: str) -> tuple[Knobs, Knob]:
    """The knob a link's key means: "panel.name", or the first of that name in the tab."""
    panel, _, name = key.rpartition(".")
    for knobs in panels.values():
        for knob in knobs.knobs:
            if name in (knob.linked, knob.name) and panel in ("", knobs.panel):
                return knobs, knob
    raise KnobError(f"{key!r} is not a setting of this tab")
