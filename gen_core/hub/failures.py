"""Why a download failed: huggingface_hub wraps the reason in errors of its own."""

import errno
from typing import TypeVar

E = TypeVar("E", bound=BaseException)


def causes(error: BaseException) -> list[BaseException]:
    """The error and those that led to it, the latest first."""
    found = [error]
    while nearest := found[-1].__cause__ or found[-1].__context__:
        found.append(nearest)
    return found


def first(among: list[BaseException], *kinds: type[E]) -> E | None:
    """The first of these causes that is of one of the kinds."""
    return next((cause for cause in among if isinstance(cause, kinds)), None)


def disk_is_full(among: list[BaseException]) -> bool:
    return any(getattr(cause, "errno", None) == errno.ENOSPC for cause in among)


def may_not_write(among: list[BaseException]) -> bool:
    """Whether a folder is not ours to write to, or lies on a disk that is only read."""
    refused = (errno.EACCES, errno.EPERM, errno.EROFS)
    return any(getattr(cause, "errno", None) in refused for cause in among)
