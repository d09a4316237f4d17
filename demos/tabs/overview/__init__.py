"""The first tab: all families at work on the same data, from the same seeds."""

from demos.page.tab import Tab
from demos.tabs.overview.panel import PANEL

TAB = Tab(PANEL.tab, PANEL.title, order=10, panels=[PANEL])
