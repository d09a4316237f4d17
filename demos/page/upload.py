"""A file that a visitor brings, from the page or through the API."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import GradioRootModel
from gradio_client.utils import is_file_obj_with_meta

from gen_core.checks import KnobError


class Anything(GradioRootModel):
    """Whatever came: `path_of` says what is wrong with it, in the words of this page."""

    root: Any


class Upload(gr.File):
    """gr.File that hands its value on unchecked. Gradio looks at its class for a new object,
    which it makes whenever an event updates this one; hence a property of the class."""

    is_template = True  # to the browser it is a gr.File
    data_model = property(lambda self: Anything, lambda self, kind: None)

    def preprocess(self, payload: Any) -> Any:
        return payload

    def api_info(self) -> dict[str, Any]:
        return gr.FileData.model_json_schema()


def path_of(upload: Any) -> str:
    """Where Gradio keeps the uploaded file. Raises KnobError for anything but such a file.

    Only what Gradio took for a file has been looked up among the uploads. A bare path has not:
    it would open any file of this machine.
    """
    upload = getattr(upload, "root", upload)
    if upload is None:
        raise KnobError("upload: choose a picture file first")
    if not is_file_obj_with_meta(upload):
        raise KnobError(f"upload={str(upload)[:40]!r}: takes one picture file")
    return upload["path"]
