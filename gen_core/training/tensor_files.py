"""Files of tensors that can tell whether they are whole.

A power cut may leave a file that is too short, empty, or full of zeros where its end should be. One
of the last kind opens like a good one, so a sealed file says in its header what its hash must be.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gen_core.files import in_one_move

SEAL = "sha256 of the tensors"


class Damaged(OSError):
    """A file is not what was written. The message names it."""


def write(
    path: Path,
    tensors: Mapping[str, Tensor],
    about: Mapping[str, str] | None = None,
    before: Path | None = None,
    sealed: bool = True,
) -> None:
    """Writes tensors, and what is to be said of them, in one move (see there for `before`). Raises
    OSError where the disk does not take them."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    texts = {**(about or {}), **({SEAL: _hash(plain)} if sealed else {})}
    with in_one_move(path, before) as partial:
        try:
            save_file(plain, partial, texts)
        except SafetensorError as error:
            raise OSError(f"{path} could not be written: {error}") from error


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and what is said of them. Raises Damaged where these are not the ones that were
    written; a file without a seal need only open. Raises OSError where the system does not let it
    be read, which says nothing of what is in it."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = file.metadata() or {}
    except (SafetensorError, FileNotFoundError, ValueError) as error:
        raise Damaged(f"{path} is damaged ({error})") from error
    if about.pop(SEAL, None) not in (None, _hash(tensors)):
        raise Damaged(f"{path} is damaged (its contents are not those that were written)")
    return tensors, about


def _hash(tensors: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256()
    for name in sorted(tensors):
        found.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        found.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return found.hexdigest()
