"""What a check has found: one line."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """A problem keeps the app from serving; a warning does not."""

    check: str
    state: State
    said: str
    todo: str = ""
    """The way out."""

    def __str__(self) -> str:
        way_out = f": {self.todo}" if self.todo else ""
        return f"{self.state:<8} {self.check:<16} {self.said}{way_out}"


def ok(check: str, said: str) -> Finding:
    return Finding(check, "ok", said)


def warning(check: str, said: str, todo: str) -> Finding:
    return Finding(check, "warning", said, todo)


def problem(check: str, said: str, todo: str) -> Finding:
    return Finding(check, "problem", said, todo)
