"""A panel whose models are by others: those of the host's list, as far as they can be used here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import gradio as gr

from demos.page.explain import explanation
from demos.page.handlers import App
from demos.page.panel import Page, Panel
from demos.widgets.model_list import ModelList
from gen_core.hub.listed import Listed


class Place(Protocol):
    """Where the models of a list work."""

    def obstacles(self, model: Any) -> list[str]:
        """Why one cannot be used here, in words for a visitor."""


@dataclass(frozen=True, kw_only=True)
class HostedPanel(Panel):
    """One model of the host's list works, in a process of its own. A subclass says which list it
    is (`listed`), where its models work (`place`), and what the panel is with them (`given`)."""

    none_allowed: str
    """What is said where the host's list is empty."""
    none_runs: str
    """What the screen says where none of its models can be used."""
    table: str = ""
    """The host's list as HTML."""
    able: bool = False
    """Whether one of the models can be used."""

    def listed(self) -> Sequence[Listed]:
        """The host's list. Raises KnobError where it is not one."""
        raise NotImplementedError

    def place(self, app: App, models: Sequence[Listed]) -> Place:
        """One for all pages and visitors."""
        raise NotImplementedError

    def given(self, place: Any, models: Sequence[Any], able: Sequence[str]) -> dict[str, Any]:
        """The panel's fields that follow from the list; able: the names that can be used."""
        raise NotImplementedError

    def rare(self, app: App) -> bool:
        """Where none of the models can be used."""
        models = self.listed()
        return not models or not self._able(self.place(app, models), models)

    def build(self, app: App) -> list[Any]:
        """Raises KnobError where the host's list is not one."""
        if models := self.listed():
            return Panel.build(self._of(self.place(app, models), models), app)
        explanation(self.text, self.title)
        gr.HTML(f"<p>{self.none_allowed}</p>")
        return []

    def _able(self, place: Place, models: Sequence[Listed]) -> list[str]:
        return [model.name for model in models if not place.obstacles(model)]

    def _of(self, place: Place, models: Sequence[Listed]) -> Self:
        """The panel with the host's models."""
        able = self._able(place, models)
        return replace(
            self,
            able=bool(able),
            empty=f"Press {self.button}." if able else self.none_runs,
            **self.given(place, models, able),
        )

    def layout(self, page: Page) -> None:
        super().layout(page)
        ModelList(self.table, f"{self.name}-list")

    def controls(self, page: Page) -> None:
        super().controls(page)
        page.go.interactive = self.able
