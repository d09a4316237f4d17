"""A tab is a file in demos/tabs that defines TAB; nothing else has to know of it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen_core.checkpoint import weights_folder

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
    needs: str = ""
    """A file or folder of the weights without which there is nothing to show."""


def discover() -> list[Tab]:
    """The TAB of every module in demos/tabs, in order, but for those whose weights are not here."""
    from demos import tabs

    modules = [
        importlib.import_module(f"{tabs.__name__}.{m.name}")
        for m in pkgutil.iter_modules(tabs.__path__)
    ]
    tabs_here = [m.TAB for m in modules if _has_weights(m.TAB)]
    return sorted(tabs_here, key=lambda tab: tab.order)


def _has_weights(tab: Tab) -> bool:
    return not tab.needs or (weights_folder() / tab.needs).exists()
