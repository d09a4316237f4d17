"""A knob that is a widget of its own: it draws while it moves, and shows the example at first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from demos.page.controls import Knob
from demos.page.examples import Example, example

if TYPE_CHECKING:
    from demos.page.handlers import App


@dataclass(frozen=True)
class LiveKnob(Knob):
    app: App | None = None
    """What it draws with, once it stands on a page."""
    example: str = ""
    """The name of what is shown until a live picture is there; "" for nothing."""
    wide: ClassVar[bool] = True

    def within(self, app: App) -> Self:
        return replace(self, app=app)

    def before(self) -> Example | None:
        """What is shown at first."""
        return example(self.example) if self.example else None

    def from_text(self, text: str) -> str:
        return str(self.check(text))
