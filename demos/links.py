"""Links that restore a tab with its knobs: ?tab=diffusion&panel=compare&compare.steps=20."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import gradio as gr

from demos.handlers import App
from demos.knobs import Knobs
from demos.tab import Tab
from gen_core.checks import KnobError


class Links:
    """Writes and reads the links of one page."""

    def __init__(self, app: App, tabs: list[Tab], outer: gr.Tabs) -> None:
        self.app, self.tabs, self.outer = app, tabs, outer
        self.panels: dict[str, gr.Tabs] = dict(app.panels)
        self.components = [c for knobs in app.knobs for c in knobs.components]

    def connect(self, page: gr.Blocks, buttons: dict[str, gr.Button]) -> None:
        """Restores at load, and makes each tab's button copy its link."""
        outputs = [self.outer, *self.panels.values(), *self.components]
        page.load(self.restore, None, outputs, queue=False, show_progress="hidden", api_name=False)
        for tab, button in buttons.items():
            mine = [knobs for knobs in self.app.knobs if knobs.tab == tab]
            names = [f"{knobs.panel}.{knob.name}" for knobs in mine for knob in knobs.knobs]
            defaults = [knob.default for knobs in mine for knob in knobs.knobs]
            told = ", ".join(json.dumps(part) for part in (tab, names, defaults))
            call = f"(...values) => noiseToData.copyLink({told}, values)"
            inputs = [c for knobs in mine for c in knobs.components]
            button.click(None, inputs, None, js=call, api_name=False)

    def restore(self, request: gr.Request) -> dict[Any, Any]:
        """The components' values that the page's query string asks for."""
        query = {k: v for k, v in request.query_params.items() if not k.startswith("__")}
        updates, problems = self.read(query)
        for problem in problems:
            gr.Warning(f"This link was adjusted. {problem}", duration=None)
        return updates if updates else {self.outer: gr.skip()}

    def read(self, query: Mapping[str, str]) -> tuple[dict[Any, Any], list[str]]:
        """Updates by component, and what could not be understood: it keeps its default."""
        tab = query.get("tab")
        if tab is None:
            return {}, []
        known = [t.id for t in self.tabs]
        if tab not in known:
            return {}, [f"tab={tab!r}: choose one of {', '.join(known)}"]
        updates: dict[Any, Any] = {self.outer: gr.Tabs(selected=tab)}
        problems = []
        mine = {knobs.panel: knobs for knobs in self.app.knobs if knobs.tab == tab}
        if "panel" in query:
            if query["panel"] in mine and tab in self.panels:
                updates[self.panels[tab]] = gr.Tabs(selected=query["panel"])
            elif query["panel"] not in mine:
                problems.append(f"panel={query['panel']!r}: choose one of {', '.join(mine)}")
        for key, text in query.items():
            if key in ("tab", "panel"):
                continue
            try:
                component, value = self._knob(mine, key, text)
                updates[component] = value
            except KnobError as error:
                problems.append(str(error))
        return updates, problems

    def _knob(self, mine: dict[str, Knobs], key: str, text: str) -> tuple[Any, Any]:
        panel, _, name = key.rpartition(".")
        candidates = [mine[panel]] if panel in mine else [] if panel else list(mine.values())
        for knobs in candidates:
            for knob in knobs.knobs:
                if knob.name == name:
                    return knobs.built[name], knob.from_text(text)
        raise KnobError(f"{key!r} is no knob of this tab")
