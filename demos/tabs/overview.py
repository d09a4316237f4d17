"""The first tab: all four families at work on the same data, from the same seeds."""

from __future__ import annotations

from demos.overview.panel import PANEL
from demos.tab import Tab

TAB = Tab(PANEL.tab, PANEL.title, order=10, panels=[PANEL])
