"""Autoregressive models: a text token by token, each from those before it."""

from demos.page.tab import Tab
from demos.tabs.autoregressive import everywhere, surprise, temperature, words
from demos.tabs.autoregressive.beginning import ID

TAB = Tab(
    ID,
    "Autoregressive",
    order=55,
    panels=[words.PANEL, temperature.PANEL, surprise.PANEL, everywhere.PANEL],
    needs="gpt-tales.safetensors",
)
