"""Uploaded files on their way to another machine."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradio_client.utils import is_file_obj_with_meta

from demos.page.image_input import path_of
from demos.page.work import Order


@dataclass(frozen=True)
class Sent:
    """A file as Gradio describes it, with what is in it."""

    described: dict[str, Any]
    data: bytes


def packed(order: Order) -> Order:
    """With its uploads as `Sent`. Raises KnobError where one was deleted meanwhile."""
    return replace(order, settings={k: _packed(value) for k, value in order.settings.items()})


def _packed(value: Any) -> Any:
    described = getattr(value, "root", value)  # see `demos.page.image_input.Anything`
    if not is_file_obj_with_meta(described):
        return value
    return Sent(described, Path(path_of(value)).read_bytes())


def unpacked(order: Order, folder: Path) -> Order:
    """With its uploads as files in a folder, each in one of its own: names may be alike."""
    settings = order.settings.items()
    return replace(order, settings={k: _unpacked(value, folder / k) for k, value in settings})


def _unpacked(value: Any, folder: Path) -> Any:
    if not isinstance(value, Sent):
        return value
    folder.mkdir()
    path = folder / Path(value.described["path"]).name
    path.write_bytes(value.data)
    return value.described | {"path": str(path)}
