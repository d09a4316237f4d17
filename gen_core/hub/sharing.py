"""Our models on the Hugging Face hub, by its conventions: a repository holds the unchanged
checkpoint, under the name that the hub expects, and its card as README.md.

>>> model = Family.from_pretrained("someone/flow-fashion")
>>> model.push_to_hub("me/flow-fashion")
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from gen_core.family import Family, Trainable
from gen_core.hub.failures import causes, disk_is_full, first, may_not_write
from gen_core.training import checkpoint
from gen_core.training.checkpoint import CARD, CheckpointError

MODEL = "model"
"""The name of a checkpoint in a repository, if it is a single file."""
WEIGHTS = f"{MODEL}.safetensors"
FILES = ("*.safetensors", "*.json", "*.txt")
"""Only these are fetched: no code, no pickle."""
LIBRARY = "noise-to-data"
T = TypeVar("T", bound=Trainable)


def save_pretrained(model: Trainable, folder: Path | str, name: str = "") -> Path:
    """Writes a model and its card into a folder laid out as a repository of the hub:
    model.safetensors in float16, or the files of the library that opens it, and README.md.
    Returns the folder.

    name: of a repository, "someone/flow-fashion", or just of the model; default: the folder's.
    """
    place = Path(folder)
    name, place = name or place.name, place.absolute()
    place.mkdir(parents=True, exist_ok=True)
    own = getattr(model, "folder", None)
    if own is not None:
        shutil.copytree(own, place, dirs_exist_ok=True)
    else:
        checkpoint.save(model, place / WEIGHTS, model.card, extra=model.extra)
    (place / "README.md").write_text(readme(name, place), encoding="utf-8")
    return place


def readme(name: str, place: Path) -> str:
    """A repository's page: front matter for the hub, and the model's card. Raises
    CheckpointError."""
    from gen_core.evaluation.cards import card_sections

    stored, folder = _stored(place)
    sections = card_sections(stored, folder, known_as=name.rpartition("/")[2], repository=name)
    parts = [f"## {title}\n\n{text}" for title, text in sections.items()]
    title = f"# {name.rpartition('/')[2]}"
    return "\n\n".join([_front_matter(checkpoint.card(stored, folder)), title, *parts]) + "\n"


def _front_matter(card: Mapping[str, Any]) -> str:
    """The metadata that the hub reads and sorts repositories by."""
    kind = checkpoint.kind_of(card)
    task = "text-to-image" if kind.name == "text-to-image" else "unconditional-image-generation"
    lines = [
        "license: mit",
        f"library_name: {LIBRARY}",
        f"pipeline_tag: {task if issubclass(kind, Family) else 'image-classification'}",
        f"tags: [{LIBRARY}, {kind.name}, {card.get('data', 'own-data')}]",
    ]
    return "\n".join(["---", *lines, "---"])


def from_pretrained(
    kind: type[T],
    repository: Path | str,
    *,
    revision: str | None = None,
    device: str = "auto",
    token: str | bool | None = None,
    local_files_only: bool = False,
) -> T:
    """A model of this kind from a repository of the hub, or from a folder with the same files.

    revision: a branch, a tag or a commit; token: an access token, for a private repository;
    local_files_only: look in the cache alone. Files that were fetched before are not fetched again.
    Raises CheckpointError if the model is missing, not ours or of another kind, or could not be
    fetched.
    """
    place = Path(repository)
    if not place.is_dir():
        place = _fetched(
            str(repository), revision=revision, token=token, local_files_only=local_files_only
        )
    if not _holds_a_model(place):
        raise _no_model(repository)
    name, folder = _stored(place)
    model = checkpoint.load(name, device, folder)
    if not isinstance(model, kind):
        raise CheckpointError(
            f"{repository} is of the family {model.name!r}: open it by "
            f"{type(model).__name__}.from_pretrained, or by Family.from_pretrained"
        )
    return model


def push_to_hub(
    model: Trainable,
    repository: str,
    *,
    private: bool | None = None,
    token: str | None = None,
    commit_message: str = "Upload a model of Noise to Data",
) -> str:
    """Uploads a model and its card to a repository of the hub, which is created if need be.
    Returns its address. Needs a token with write access: HF_TOKEN, or `hf auth login`.

    Raises huggingface_hub's own errors if the hub refuses.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=token)
    made = api.create_repo(repository, private=private, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(model, folder, made.repo_id)
        api.upload_folder(repo_id=made.repo_id, folder_path=folder, commit_message=commit_message)
    return str(made)


def _stored(place: Path) -> tuple[str, Path]:
    """The name and the folder by which `checkpoint.load` finds the model of a repository."""
    place = place.absolute()
    return (place.name, place.parent) if (place / CARD).is_file() else (MODEL, place)


def _holds_a_model(place: Path) -> bool:
    return any((place / name).is_file() for name in (WEIGHTS, CARD))


def _no_model(repository: Path | str) -> CheckpointError:
    return CheckpointError(
        f"{repository} is not a model of {LIBRARY}: it has neither {WEIGHTS} nor {CARD}"
    )


def _fetched(repository: str, **options: Any) -> Path:
    """A repository's files in the hub's cache: their folder. Raises CheckpointError with the way
    out."""
    from huggingface_hub import constants, snapshot_download

    try:
        place = Path(snapshot_download(repository, allow_patterns=[CARD], **options))
        _check_is_ours(repository, place, options["token"], options["local_files_only"])
        of_that_commit = options | {"revision": place.name}
        return Path(snapshot_download(repository, allow_patterns=[*FILES], **of_that_commit))
    except CheckpointError:
        raise
    except Exception as error:
        offline = constants.HF_HUB_OFFLINE or options["local_files_only"]
        said = _refusal(error, options["revision"], offline)
        if said is None:
            raise
        raise CheckpointError(f"{repository} {said}") from error


def _refusal(error: BaseException, revision: str | None, offline: bool) -> str | None:
    """Why a repository was not fetched, and the way out; None for an unforeseen error."""
    from huggingface_hub import constants, errors

    among = causes(error)
    hub, cache = os.environ.get("HF_ENDPOINT", "the hub"), constants.HF_HUB_CACHE
    if first(among, errors.HFValidationError):
        return "is neither a folder nor a repository's name, such as someone/flow-fashion"
    if first(among, errors.GatedRepoError):
        return "is gated: accept its licence on its page, and set HF_TOKEN"
    if first(among, errors.RevisionNotFoundError):
        return f"has no revision {revision!r}: choose one of its branches or tags"
    if first(among, errors.RepositoryNotFoundError):
        return "is not on the hub, or is private: check its name, or set HF_TOKEN"
    if answer := first(among, errors.HfHubHTTPError):
        status = answer.response.status_code
        way_out = "Check HF_TOKEN" if status in (401, 403) else "Try again later"
        return f"could not be fetched: {hub} answered with the error {status}. {way_out}"
    if disk_is_full(among):
        return f"does not fit on the disk with {cache}: make room, or set HF_HUB_CACHE"
    if may_not_write(among):
        return (
            f"could not be stored: there is no permission to write to {cache}. Set HF_HUB_CACHE "
            "to another folder"
        )
    if first(among, errors.LocalEntryNotFoundError, ConnectionError, TimeoutError):
        reason = "no network is allowed" if offline else f"{hub} does not answer"
        return f"was never fetched whole, and {reason}"
    return f"could not be fetched: {error}" if isinstance(error, OSError) else None


def _check_is_ours(
    repository: str, place: Path, token: str | bool | None, local_files_only: bool
) -> None:
    """Reads the card, or the header of the weights, before the rest is fetched: another library's
    model can be tens of GB. Raises CheckpointError.

    place: a snapshot in the hub's cache, named by its commit, with the card if there is one.
    """
    from huggingface_hub import HfApi, constants, errors

    try:
        if _holds_a_model(place):
            checkpoint.card(*_stored(place))
        elif not (local_files_only or constants.HF_HUB_OFFLINE):
            header = HfApi(token=token).parse_safetensors_file_metadata(
                repository, WEIGHTS, revision=place.name
            )
            checkpoint.metadata_of(WEIGHTS, header.metadata)
    except errors.RemoteEntryNotFoundError as error:
        raise _no_model(repository) from error
    except (errors.SafetensorsParsingError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{repository}: {WEIGHTS} is damaged ({error})") from error
    except CheckpointError as error:
        raise CheckpointError(f"{repository}: {error}") from error
