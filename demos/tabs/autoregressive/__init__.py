"""Autoregressive models: each token of a text, or pixel of a picture, from those before it."""

from demos.page.tab import Tab
from demos.tabs.autoregressive import (
    bits,
    everywhere,
    finish,
    larger,
    pixels,
    portraits,
    surprise,
    temperature,
    words,
)
from demos.tabs.autoregressive.beginning import ID

TAB = Tab(
    ID,
    "Autoregressive",
    order=55,
    panels=[
        words.PANEL,
        temperature.PANEL,
        surprise.PANEL,
        everywhere.PANEL,
        larger.PANEL,
        pixels.PANEL,
        finish.PANEL,
        bits.PANEL,
        portraits.PANEL,
    ],
    needs="gpt-tales.safetensors",
)
