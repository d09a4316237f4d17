"""The files of a training, from which it can go on; after a power cut, from those left whole."""

import contextlib
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gen_core.files import PARTIAL, in_one_move, naming
from gen_core.training import checkpoint, tensor_files

log = logging.getLogger("noise-to-data")
UNKNOWN: dict[str, Any] = {}
"""In place of a recipe that nobody remembers."""


class RunFolder:
    """What stands in the folder of a run. What is damaged is said in a sentence, by `mend`, and
    then does without."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state.safetensors"

    @property
    def state_before(self) -> Path:
        """The state that was saved before the latest one."""
        return self.folder / "state-before.safetensors"

    @property
    def log(self) -> Path:
        return self.folder / "log.jsonl"

    @property
    def recipes(self) -> Path:
        """What the updates were made with: [first step, recipe] of each stretch."""
        return self.folder / "recipes.json"

    def snapshot(self, step: int) -> Path:
        """The generator's weights after a step."""
        return self.folder / f"snapshot-{step:06d}.safetensors"

    def whole_state(self) -> tuple[Path | None, dict[str, str]]:
        """The latest state that is whole, if any, and what it says of itself."""
        for place in (self.state, self.state_before):
            with contextlib.suppress(tensor_files.Damaged):
                return place, _about_state(place)
        return None, {}

    def steps_done(self) -> int:
        """How far the latest whole state has come; 0 where there is none."""
        return int(self.whole_state()[1].get("step", 0))

    def mend(self, snapshots: Sequence[int] = ()) -> float:
        """Puts aside what is damaged, and forgets what was logged after the state that training
        resumes from. Returns the seconds until then. snapshots: the steps whose weights are to be
        in the result."""
        place, about = self.whole_state()
        done = int(about.get("step", 0))
        for damaged in (self.state, self.state_before):
            if damaged != place and damaged.exists():
                self._put_aside(damaged, done)
        for leftover in self.folder.glob(f"*{PARTIAL}"):
            leftover.unlink(missing_ok=True)
        for step in snapshots:
            if step <= done and not self.whole_snapshot(step):
                log.warning("%s is damaged or missing: it is left out", self.snapshot(step))
        lines = self._trim_log(done)
        return float(about.get("seconds", lines[-1]["seconds"] if lines else 0))

    def _put_aside(self, place: Path, done: int) -> None:
        try:
            _about_state(place)
        except tensor_files.Damaged as error:
            os.replace(place, place.with_name(f"{place.name}.damaged"))
            goes_on = f"goes on from step {done}" if done else "begins anew"
            log.warning("%s: training %s", error, goes_on)

    def read_log(self) -> list[dict[str, float]]:
        """The lines that are whole."""
        return [line for line in map(_log_line, self._log_texts()) if line]

    def _log_texts(self) -> list[str]:
        if not self.log.exists():
            return []
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def _trim_log(self, done: int) -> list[dict[str, float]]:
        whole = self.read_log()
        if len(self._log_texts()) > len(whole) or (done and not whole):
            log.warning("%s is damaged: the curves lack what it does not tell any more", self.log)
        lines = [line for line in whole if line["step"] <= done]
        with in_one_move(self.log) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return lines

    def write_log(self, line: dict[str, float]) -> None:
        with naming(self.log), open(self.log, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def stretches(self) -> list[tuple[int, dict[str, Any]]]:
        """[first step, recipe] of each stretch of the training so far."""
        if not self.recipes.exists():
            return []
        try:
            return json.loads(self.recipes.read_text("utf-8"))
        except ValueError as error:
            log.warning(
                "%s is damaged (%s): what the first steps were made with is not known any more",
                *(self.recipes, error),
            )
            return [(0, UNKNOWN)]

    def note_recipe(self, done: int, now: dict[str, Any]) -> None:
        """Remembers the recipe of what follows, where it is another one than before."""
        before = [s for s in self.stretches() if s[0] < done]
        if not before or before[-1][1] != now:
            with in_one_move(self.recipes) as partial:
                partial.write_text(json.dumps([*before, [done, now]]), "utf-8")

    @property
    def written(self) -> Path:
        """The hash of the result that this run has written, as sha256sum takes it."""
        return self.folder / "written.sha256"

    def wrote(self, result: Path) -> bool:
        """Whether a checkpoint is the one that this run has written."""
        if not self.written.exists():
            return False
        return self.written.read_text("utf-8", "replace").split()[:1] == [checkpoint.sha256(result)]

    def note_result(self, result: Path) -> None:
        """Remembers it, for `wrote`."""
        with in_one_move(self.written) as partial:
            partial.write_text(f"{checkpoint.sha256(result)}  {result}\n", "utf-8")

    def keep_snapshot(self, step: int, network: nn.Module) -> None:
        """In float16."""
        halves = {name: value.half() for name, value in network.state_dict().items()}
        tensor_files.write(self.snapshot(step), halves)

    def whole_snapshot(self, step: int) -> dict[str, Tensor]:
        """Its weights; {} where it is damaged or missing."""
        try:
            return tensor_files.read(self.snapshot(step))[0]
        except tensor_files.Damaged:
            return {}


def _about_state(place: Path) -> dict[str, str]:
    """What a state says of itself. Raises Damaged."""
    _, about = tensor_files.read(place)
    if not about.get("step", "").isdecimal():
        raise tensor_files.Damaged(f"{place} is damaged (it does not say of which step it is)")
    return about


def _log_line(text: str) -> dict[str, float] | None:
    """A line of the log; None for what is none, or only a part of one."""
    with contextlib.suppress(ValueError):
        line = json.loads(text)
        if isinstance(line, dict) and {"step", "seconds"} <= line.keys():
            numbers = all(isinstance(value, int | float) for value in line.values())
            return line if numbers else None
    return None
