"""A tab is a file in demos/tabs that defines TAB; nothing else has to know of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demos.handlers import App


@dataclass(frozen=True)
class Tab:
    id: str
    """Stands in links: ?tab=<id>"""
    title: str
    order: int
    build: Callable[[App], None]
    """Called inside the tab's context; may be called again for a second page."""


def discover() -> list[Tab]:
    """The TAB of every module in demos/tabs, in order."""
    from demos import tabs

    modules = [
        importlib.import_module(f"{tabs.__name__}.{m.name}")
        for m in pkgutil.iter_modules(tabs.__path__)
    ]
    return sorted((module.TAB for module in modules), key=lambda tab: tab.order)
