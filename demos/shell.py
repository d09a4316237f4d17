"""The page around the tabs: title, theme, device badge, tab order, links."""

from __future__ import annotations

import html
from pathlib import Path

import gradio as gr

from demos.handlers import App
from demos.links import Links
from demos.tab import discover
from gen_core.devices import device_title

HERE = Path(__file__).parent
CSS = HERE / "shell.css"
SCRIPT = HERE / "shell.js"

TITLE = "Noise to Data"
TAGLINE = (
    "Every generative model turns noise into data. "
    "Watch each family do it, touch every knob, break it and mend it."
)
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def theme() -> gr.themes.Base:
    """System fonts only: nothing on the page comes from another host."""
    return gr.themes.Base(
        primary_hue="indigo", neutral_hue="slate", radius_size="md", font=SANS, font_mono=MONO
    )


def build_page(app: App) -> gr.Blocks:
    """All tabs on one page. Can be called again for a second, independent page."""
    tabs, buttons = discover(), {}
    app.knobs.clear()
    app.panels.clear()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.HTML(_header(app), apply_default_css=False)
        with gr.Tabs(elem_id="tabs") as outer:
            for tab in tabs:
                with (
                    gr.Tab(tab.title, id=tab.id, elem_id=f"tab-{tab.id}"),
                    gr.Column(elem_classes=["tab-body"]),
                ):
                    buttons[tab.id] = _tools(tab.id)
                    tab.build(app)
        Links(app, tabs, outer).connect(page, buttons)
    return page


def _tools(tab: str) -> gr.Button:
    """The switch that shows a tab's advanced knobs (style sheet alone), and the link button."""
    with gr.Row(elem_classes=["tab-tools"]):
        gr.Checkbox(
            False, label="Advanced", container=False, min_width=90,
            elem_classes=["advanced-switch"], elem_id=f"{tab}-advanced",
        )  # fmt: skip
        return gr.Button("Copy link", size="sm", min_width=90, elem_classes=["copy-link"])


def _header(app: App) -> str:
    kind, name = app.device.type.upper(), html.escape(device_title(app.device))
    return f"""
    <header class="masthead">
      <div><h1>{TITLE}</h1><p>{TAGLINE}</p></div>
      <div class="masthead-tools">
        <span class="device-badge" title="Everything on this page is computed here">
          <b>{kind}</b> {name}</span>
        <button type="button" class="theme-toggle" aria-label="Switch between light and dark"
          onclick="noiseToData.toggleTheme()"></button>
      </div>
    </header>"""
