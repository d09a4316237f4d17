"""A page with some tabs alone, served by the test's own process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from conftest import free_port
from demos.page import server, shell
from demos.page.handlers import App
from demos.page.tab import Tab


@contextlib.contextmanager
def page_of(
    *tabs: Tab,
    weights: Path | None = None,
    data: Path | None = None,
    root_path: str = "",
    host: str = "127.0.0.1",
) -> Iterator[str]:
    """Yields the address. While the page is there, GEN_WEIGHTS names `weights`; None: those that
    the repository holds. root_path: as a proxy will serve it."""
    with pytest.MonkeyPatch.context() as patch:
        if weights:
            patch.setenv("GEN_WEIGHTS", str(weights))
        app = App("cpu", data and str(data))
        page = shell.build_page(app, list(tabs))
        yield server.serve(page, app, host, free_port(), root_path)
        page.close()


@contextlib.contextmanager
def page_with_models(tab: Tab, listed: str, path: Path | None) -> Iterator[tuple[App, gr.Blocks]]:
    """An app and its page, not served, where the variable `listed` names the host's list of models;
    None: the default ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("HF_TOKEN", raising=False)
        patch.setenv(listed, str(path or ""))
        app = App("cpu")
        page = shell.build_page(app, [tab])
        yield app, page
        page.close()
