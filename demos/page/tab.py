"""A tab is a folder in demos/tabs that defines TAB; nothing else has to know of it."""

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr

from gen_core.training.checkpoint import weights_folder

if TYPE_CHECKING:
    from demos.page.handlers import App
    from demos.page.panel import Panel


@dataclass(frozen=True)
class Tab:
    id: str
    """Stands in links: ?tab=<id>"""
    title: str
    order: int
    panels: "Sequence[Panel]"
    """One alone fills the tab; of several, those whose weights are here stand behind each other."""
    needs: str = ""
    """A file or folder of the weights without which there is nothing to show."""
    onward: tuple[str, str] | None = None
    """Another tab, by its id, and HTML that invites to it: under the panels, where it is open."""

    @property
    def here(self) -> bool:
        """Whether its weights are on this machine."""
        return not self.needs or (weights_folder() / self.needs).exists()

    def build(self, app: "App") -> None:
        """Puts the panels on the page, within reach of links. Can be called again for a second
        page."""
        if len(self.panels) == 1:
            self.panels[0].build(app)
        else:
            with gr.Tabs(elem_classes=["panels"], overflow_behavior="wrap") as inner:
                app.panels[self.id] = inner
                here = [(panel, panel.rare(app)) for panel in self.panels if panel.here]
                for panel, rare in sorted(here, key=lambda entry: entry[1]):
                    marks = ["rare"] if rare else []  # more.js
                    with gr.Tab(
                        panel.title, id=panel.id, elem_id=f"tab-{panel.name}", elem_classes=marks
                    ):
                        panel.build(app)
        if self.onward and self.onward[0] in [tab.id for tab in discover()]:
            gr.HTML(self.onward[1])


def declared() -> list[Tab]:
    """The TAB of every folder in demos/tabs, in order."""
    from demos import tabs

    names = [f"{tabs.__name__}.{module.name}" for module in pkgutil.iter_modules(tabs.__path__)]
    found = [importlib.import_module(name).TAB for name in names]
    return sorted(found, key=lambda tab: tab.order)


def discover() -> list[Tab]:
    """Those whose weights are here."""
    return [tab for tab in declared() if tab.here]
