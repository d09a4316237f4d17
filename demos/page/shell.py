"""The page around the tabs: title, theme, device badge, tab order, links."""

import html
import random
from pathlib import Path

import gradio as gr

from demos.page.controls import switch
from demos.page.handlers import App
from demos.page.links import Links
from demos.page.tab import Tab, discover
from demos.widgets import code
from gen_core.hub.language_models import language_models

HERE = Path(__file__).parent
STYLES = (HERE / "shell.css", HERE / "views.css", code.STYLE)
SCRIPT = HERE / "shell.js"
ACCESS = [HERE / name for name in ("access.js", "dropdowns.js")]
"""What makes Gradio's elements fit for keys and screen readers."""
VIEWS, MORE, ADDRESS = HERE / "views.js", HERE / "more.js", HERE / "address.js"
"""In the page's head, before Gradio reads its config."""

TITLE = "Noise to Data"
TAGLINE = (
    "Generative models turn random noise into pictures and texts. Watch each kind do it, change "
    "every setting, break one and see why."
)
FOOT = (
    "Everything here is computed on the machine that serves this page{}: no account, no tracking. "
    "Pictures learned from Fashion-MNIST by Zalando Research (MIT licence), from the emoji of "
    "Microsoft (MIT), Google (Apache 2.0) and Twitter (CC-BY 4.0), and from portraits that were "
    "drawn by a program and show nobody; texts from plays by Shakespeare and fairy tales of the "
    "public domain."
)


def build_page(app: App, tabs: list[Tab] | None = None) -> gr.Blocks:
    """All tabs (or those given) on one page. Can be called again for a second, independent page."""
    tabs, switches, buttons = tabs or discover(), {}, {}
    app.knobs.clear()
    app.panels.clear()
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        gr.HTML(_header(app), apply_default_css=False)
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
            for tab in tabs:
                with (
                    gr.Tab(tab.title, id=tab.id, elem_id=f"tab-{tab.id}"),
                    gr.Column(elem_classes=["tab-body"]),
                ):
                    switches[tab.id], buttons[tab.id] = _tools(tab.id)
                    tab.build(app)
        gr.HTML(f'<p class="page-foot">{_foot()}</p>', apply_default_css=False)
        Links(app, tabs, switches).connect(page, buttons)
    app.files.lighten(page)
    return page


def _foot() -> str:
    """What stands below all tabs; where the host has models work elsewhere, it says so."""
    others = any(model.server for model in language_models())
    return FOOT.format(", but for language models that the list places on another" * others)


def _tools(tab: str) -> tuple[gr.Checkbox, gr.Button]:
    """The switch that shows a tab's advanced knobs (style sheet alone), and the link button."""
    with gr.Row(elem_classes=["tab-tools"]):
        advanced = switch("Advanced", 90, "advanced-switch", elem_id=f"{tab}-advanced")
        return advanced, gr.Button("Copy link", size="sm", min_width=90, elem_classes=["copy-link"])


def _header(app: App) -> str:
    kind, name = app.device.type.upper(), html.escape(app.device_title)
    return f"""
    <a class="skip-link" href="#tabs"
      onclick="noiseToDataAccess.skip(); return false">Skip to the panel</a>
    <header class="masthead">
      {_mark()}
      <div><h1>{TITLE}</h1><p>{TAGLINE}</p></div>
      <div class="masthead-tools">
        <span class="device-badge" title="What this page computes, it computes on this device">
          <b>{kind}</b> {name}</span>
        <button type="button" class="show-controls"
          onclick="noiseToDataViews.show(null)">Show the controls</button>
        <button type="button" class="theme-toggle projector-toggle" aria-pressed="false"
          aria-label="Projector view" title="Projector: larger type, the main controls alone"
          onclick="noiseToDataViews.toggleProjector()"><svg viewBox="0 0 20 20" aria-hidden="true">
            <path d="M2.5 3.5h15v10h-15zM10 13.5v3M6.5 17h7"/></svg></button>
        <button type="button" class="theme-toggle light-toggle"
          aria-label="Switch between light and dark" title="Light or dark"
          onclick="noiseToData.toggleTheme()"></button>
      </div>
    </header>
    <aside class="projector-address" aria-label="The address of this page" hidden>
      <img alt="The address as a QR code" hidden
        onload="this.hidden = false" onerror="this.hidden = true"><span></span></aside>"""


def _mark() -> str:
    """Dots that settle, from left to right, out of noise into rows and columns."""
    chance, dots = random.Random(7), []
    for column in range(10):
        order = min(1.0, column / 7)  # how far along the path from noise to data
        for row in range(5):
            spread = 11 * (1 - order) ** 1.5
            x = 6 + 12 * column + chance.gauss(0, spread)
            y = 6 + 12 * row + chance.gauss(0, spread)
            start = f"--x:{chance.gauss(0, 14):.0f}px;--y:{chance.gauss(0, 14):.0f}px"
            dots.append(
                f'<circle cx="{min(116, max(3, x)):.1f}" cy="{min(57, max(3, y)):.1f}" '
                f'r="{1.3 + 1.7 * order:.1f}" opacity="{0.35 + 0.65 * order:.2f}" style="{start}"/>'
            )
    return (
        f'<svg class="masthead-mark" viewBox="0 0 118 60" aria-hidden="true">{"".join(dots)}</svg>'
    )
