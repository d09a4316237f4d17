"""What visitors upload, and the files that they fetch, are deleted within the hour."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import gradio as gr
from gradio.route_utils import delete_files_created_by_app

AGE, EVERY = 55 * 60.0, 60.0
"""Seconds: how old a file may be when one looks, and how often one looks. Together, less than an
hour."""
GONE = "the file was deleted, as all are after an hour at most: choose it once more"

log = logging.getLogger(__name__)


def cleaning(page: gr.Blocks) -> Callable[[Any], AbstractAsyncContextManager]:
    """What a server does as long as it runs: it deletes the page's old files, and all at its end.

    Gradio's own `delete_cache` ends for good at its first error, such as an upload that comes while
    it looks.
    """

    @asynccontextmanager
    async def running(_: Any) -> AsyncIterator[None]:
        task = asyncio.create_task(_look_again_and_again(page))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            delete_files_created_by_app(page, None)

    return running


async def _look_again_and_again(page: gr.Blocks) -> None:
    while True:
        await asyncio.sleep(EVERY)
        try:
            await asyncio.to_thread(delete_files_created_by_app, page, AGE)
        except Exception as error:
            log.warning("old uploads are still here: %r", error)
