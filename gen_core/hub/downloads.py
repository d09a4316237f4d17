"""Files of the Hugging Face Hub for a listed model: fetched with their bytes counted, and why not.

Only in a process that does nothing else.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gen_core.hub.failures import causes, disk_is_full, first
from gen_core.hub.listed import Listed
from gen_core.knobs import KnobError
from gen_core.progress import Progress, Report

log = logging.getLogger("noise-to-data")


def counting(download: Callable, doing: str, progress: Report, *args: Any, **options: Any) -> str:
    """snapshot_download, and its bytes reported as they come."""
    from tqdm import tqdm

    if options.get("local_files_only"):
        return download(*args, **options)
    files = download(*args, **options, dry_run=True)
    total = sum(file.file_size or 0 for file in files if file.will_download)
    door, furthest = threading.Lock(), 0

    class Bar(tqdm):
        """Shows nothing. Two of them count bytes: as they arrive, and as they are written."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options | {"disable": True})
            self.counts_bytes, self.done = options.get("unit") == "B", 0

        def update(self, n: float | None = 1) -> None:
            nonlocal furthest
            with door:  # files arrive side by side
                self.done += int(n or 0)
                if self.counts_bytes and furthest < self.done <= total:
                    furthest = self.done
                    progress(Progress(doing, furthest, total, "bytes"))

    return download(*args, **options, tqdm_class=Bar)


@contextlib.contextmanager
def fetching(model: Listed, progress: Report) -> Iterator[str]:
    """Around a download; yields what progress calls it. Raises KnobError where the network, the
    model's authors or the disk do not let us."""
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    doing = f"Fetching {model.name}"
    progress(Progress(doing))
    try:
        yield doing
    except Exception as error:
        refusal = _refusal(model, error)
        if refusal is None:
            raise
        log.warning("%s: %r", model.name, error)
        raise refusal from error


def _refusal(model: Listed, error: BaseException) -> KnobError | None:
    """What a visitor reads of an error while fetching; None where nobody foresaw it."""
    from huggingface_hub import errors

    among = causes(error)
    if first(among, errors.GatedRepoError):
        return KnobError(
            f"{model.name}: its authors want to know who uses it. Whoever runs this server has "
            f"to accept the licence ({model.licence_page}) and to set HF_TOKEN"
        )
    if first(among, errors.RepositoryNotFoundError, errors.RemoteEntryNotFoundError):
        return KnobError(f"{model.name}: there is no such model at {model.repository}")
    if disk_is_full(among):
        return KnobError(f"{model.name} does not fit on this server's disk")
    if answer := first(among, errors.HfHubHTTPError):
        return KnobError(
            f"{model.name} could not be fetched: huggingface.co answered with the error "
            f"{answer.response.status_code}. Try again later"
        )
    if isinstance(error, OSError) or first(among, ConnectionError):
        return KnobError(
            f"{model.name} could not be fetched: this server has no way to huggingface.co at the "
            f"moment. {model.instead}"
        )
    if fault := of_the_proxy():
        log.warning("the proxy that the environment names cannot be used: %s", fault)
        return KnobError(
            f"{model.name} could not be fetched: this server's proxy cannot be used. Please tell "
            "the host, in whose log stands why"  # it may name a part of a password
        )
    return None


def of_the_proxy() -> str:
    """Why the environment's proxy cannot be used: it is no address, or of a kind that needs another
    package; "" where it can."""
    import httpx  # as the Hub's library does

    try:
        httpx.Client().close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        return str(error)
    return ""


@contextlib.contextmanager
def no_litter(model: Listed) -> Iterator[None]:
    """Removes the unfinished files of a download that was ended; no later one goes on with them."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    name = repo_folder_name(repo_id=model.repository, repo_type="model")
    blobs = Path(constants.HF_HUB_CACHE) / name / "blobs"
    before = set(blobs.glob("*.incomplete"))
    try:
        yield
    finally:
        for left in set(blobs.glob("*.incomplete")) - before:
            left.unlink(missing_ok=True)
