"""Checkpoints: safetensors with JSON metadata. No pickle, so a file can only hold numbers.

What is measured of it later stands beside the file, in JSON that is tied to it by its hash: so a
new figure is a few lines of text, and one of other weights is never shown. A family that another
library can open too has a folder in that library's format instead, and all metadata in card.json.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gen_core.devices import pick_device
from gen_core.family import Family, Trainable, registry
from gen_core.files import in_one_move
from gen_core.training import tensor_files

FORMAT = "noise-to-data/1"
EXTRA = "extra."
"""Tensors under this prefix are not weights: snapshots, curves, features of real pictures."""
CARD = "card.json"
"""Of a checkpoint that is a folder."""
LFS = b"version https://git-lfs"
"""How a pointer of Git's Large File Storage begins."""


class CheckpointError(RuntimeError):
    """A weights file is missing, damaged or not ours. The message says which, and the way out."""


def weights_folder() -> Path:
    """$GEN_WEIGHTS, else weights/ beside the code, as in the repository, else ./weights."""
    if named := os.environ.get("GEN_WEIGHTS"):
        return Path(named)
    beside = Path(__file__).resolve().parents[2] / "weights"  # none where pip installed it
    return beside if beside.is_dir() else Path.cwd() / "weights"


def available(folder: Path | str | None = None) -> list[str]:
    """Names that `load` takes, sorted."""
    there = Path(folder or weights_folder())
    folders = (path.parent.name for path in there.glob(f"*/{CARD}"))
    return sorted([*(path.stem for path in there.glob("*.safetensors")), *folders])


def size(name: str, folder: Path | str | None = None) -> int:
    """Bytes of a checkpoint's file, or of all files in its folder."""
    place = path_of(name, folder)
    files = place.rglob("*") if place.is_dir() else [place]
    return sum(path.stat().st_size for path in files if path.is_file())


def save(
    model: Trainable,
    path: Path | str,
    card: dict[str, Any],
    *,
    dtype: torch.dtype = torch.float16,
    extra: dict[str, Tensor] | None = None,
) -> None:
    """Writes a model, its config and its card ({data, recipe, steps, seed, hardware, metrics})."""
    weights = model.state_dict().items()
    tensors = {k: v.to(dtype) if v.is_floating_point() else v for k, v in weights}
    meta = {"format": FORMAT, "family": model.name, **card}
    _write(path, tensors, extra, meta | {"config": dataclasses.asdict(model.config)})


def amend(
    name: str,
    found: dict[str, Any],
    extra: dict[str, Tensor] | None = None,
    folder: Path | str | None = None,
    section: str = "metrics",
) -> None:
    """Replaces a section of a checkpoint's card and adds extra tensors, which a folder has no place
    for; its weights stay bit for bit."""
    place = path_of(name, folder)
    if place.is_dir():
        write_card(place, card(name, folder) | {section: found})
        return
    later = _later(place) | {section: found}
    if extra:
        tensors, meta = _stored(name, folder)
        _write(place, tensors, extra, meta)
    text = json.dumps({"sha256": sha256(place), **later}, indent=1)
    with in_one_move(place.with_suffix(".json")) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def _later(place: Path) -> dict[str, Any]:
    """The sections that were measured of these very weights after they were stored."""
    try:
        said = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if said.pop("sha256", "") == sha256(place) else {}


def sha256(place: Path) -> str:
    """Of a checkpoint's file, in hexadecimal."""
    stat = place.stat()
    return _hash_of(place, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=64)
def _hash_of(place: Path, *state: int) -> str:
    """state: changes when the file does."""
    with open(place, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_card(place: Path, card: Mapping[str, Any]) -> None:
    """The card of a checkpoint that is a folder."""
    with in_one_move(place / CARD) as partial:
        partial.write_text(json.dumps({"format": FORMAT, **card}, indent=1) + "\n", "utf-8")


def _write(
    path: Path | str,
    tensors: dict[str, Tensor],
    extra: dict[str, Tensor] | None,
    meta: dict[str, Any],
) -> None:
    tensors = tensors | {EXTRA + name: tensor for name, tensor in (extra or {}).items()}
    texts = {k: json.dumps(v) for k, v in meta.items()}
    tensor_files.write(Path(path), tensors, texts, sealed=False)  # older versions read JSON alone


def read(name: str, folder: Path | str | None = None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A checkpoint's tensors as stored, and its metadata. Raises CheckpointError."""
    tensors, meta = _stored(name, folder)
    return tensors, meta | _later(path_of(name, folder))


def _stored(name: str, folder: Path | str | None) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with _opened(name, folder) as file:
        tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - no mapping
        return tensors, metadata_of(name, file.metadata())


def card(name: str, folder: Path | str | None = None) -> dict[str, Any]:
    """A checkpoint's metadata alone, without reading its tensors. Raises CheckpointError."""
    place = path_of(name, folder)
    if not place.is_dir():
        with _opened(name, folder) as file:
            return metadata_of(name, file.metadata()) | _later(place)
    try:
        said = json.loads((place / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{name}/{CARD} is damaged ({error}): fetch it again") from error
    _check_format(name, said.get("format"))
    stated(said, "family", name)
    return said


@contextlib.contextmanager
def _opened(name: str, folder: Path | str | None) -> Iterator[Any]:
    path = path_of(name, folder)
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, OSError, ValueError) as error:
        if _is_pointer(path):
            raise CheckpointError(
                f"{path.name} is a pointer of Git LFS in place of the weights: fetch them with "
                "`git lfs pull`"
            ) from error
        raise CheckpointError(
            f"{path.name} is damaged ({error}): fetch it again, or train it with "
            f"`python -m gen_core train {name} --replace`"
        ) from error


def _is_pointer(path: Path) -> bool:
    """Whether it is what git keeps where a large file has not been fetched."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(len(LFS)) == LFS
    return False


def metadata_of(name: str, texts: dict[str, str] | None) -> dict[str, Any]:
    """What the texts in a safetensors file's header say. Raises CheckpointError for a file that is
    not ours."""
    form = (texts or {}).get("format")
    _check_format(name, form and form.strip('"'))
    said = {k: json.loads(v) for k, v in texts.items()}
    for key in ("family", "config"):
        stated(said, key, name)
    return said


def stated(card: Mapping[str, Any], key: str, name: str = "it") -> Any:
    """What a card says under a key that every card of its kind has. Raises CheckpointError."""
    if key not in card:
        raise CheckpointError(f"{name} states no {key!r}: fetch it again")
    return card[key]


def _check_format(name: str, form: str | None) -> None:
    if form != FORMAT:
        raise CheckpointError(f"{name} has the format {form!r}: ours have {FORMAT!r}")


def load(name: str, device: str = "auto", folder: Path | str | None = None) -> Family:
    """A trained model by name, ready to sample: float32 parameters, eval mode, no gradients.

    Its `card` is the checkpoint's metadata, its `extra` what the file holds besides weights.
    Raises CheckpointError for a missing or damaged file, KnobError for an absent device.
    """
    place = path_of(name, folder)
    if place.is_dir():
        said = card(name, folder)
        model = kind_of(said, name).from_folder(place, said)
    else:
        tensors, said = read(name, folder)
        kind = kind_of(said, name)
        model, tensors = _built(kind, said, name), current_names(tensors, kind)
        weights = {k: v for k, v in tensors.items() if not k.startswith(EXTRA)}
        try:
            model.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError(f"{name} does not fit its own config: {error}") from error
        model.extra = {k.removeprefix(EXTRA): v for k, v in tensors.items() if k.startswith(EXTRA)}
    model.card = said
    model = model.requires_grad_(False).eval().to(pick_device(device))
    return model.to(memory_format=model.layout)


def _built(kind: type[Trainable], said: Mapping[str, Any], name: str) -> Trainable:
    """The model that a card describes, without its weights."""
    try:
        return kind(config_of(said))
    except ValueError as error:  # a KnobError too: no visitor has set this
        raise CheckpointError(
            f"{name} has a config of which no model can be built: {error}"
        ) from error


def kind_of(said: Mapping[str, Any], name: str = "it") -> type[Trainable]:
    """The class that a card names. Raises CheckpointError for one that nobody has registered."""
    family = stated(said, "family", name)
    if family not in registry.classes:
        known = ", ".join(sorted(registry.classes))
        raise CheckpointError(f"{name} is of family {family!r}; known are {known}")
    return registry.classes[family]


def config_of(card: Mapping[str, Any]) -> Any:
    """The config that a checkpoint's card holds, in its family's own type. Raises CheckpointError
    where it holds none, or one of a family that nobody has registered."""
    family = kind_of(card)
    values = {**family.absent, **current_names(stated(card, "config"), family)}
    fields = {f.name for f in dataclasses.fields(family.Config)}
    # JSON turns tuples into lists; a config has tuples, so that it can be frozen and hashed.
    as_tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return family.Config(**{k: v for k, v in as_tuples.items() if k in fields})


def current_names(values: Mapping[str, Any], kind: type[Trainable]) -> dict[str, Any]:
    """By the names that the family has today: of the parts of a name, separated by dots, those that
    it has renamed since."""
    renamed = kind.renamed
    return {
        ".".join(renamed.get(part, part) for part in k.split(".")): v for k, v in values.items()
    }


def path_of(name: str, folder: Path | str | None = None) -> Path:
    """A checkpoint's file or folder. Raises CheckpointError for a name that is not there."""
    there, have = Path(folder or weights_folder()), available(folder)
    if name not in have:
        raise CheckpointError(
            f"no weights named {name!r} in {there}; there are: {', '.join(have) or 'none'}. "
            "Choose one of them, or set GEN_WEIGHTS to the folder that has it"
        )
    file = there / f"{name}.safetensors"
    return file if file.exists() else there / name
