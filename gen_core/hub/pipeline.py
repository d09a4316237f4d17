"""One bigger model: its files, its pipeline, a picture.

diffusers and its friends change settings of the whole process while they open a model (the default
precision, how layers are initialised), so the app does this in a process of its own: see `server`.
"""

import functools
import inspect
import logging
import queue
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gen_core.hub.failures import causes, disk_is_full, first
from gen_core.hub.models import BigModel
from gen_core.knobs import KnobError, text, whole
from gen_core.progress import Progress, Report, ignore
from gen_core.sampling import MAX_SEED

log = logging.getLogger("noise-to-data")

MAX_PROMPT = 2000
"""Characters; the text encoders read the first 77 to 512 tokens anyway."""
MAX_STEPS = 1000
DRAWING = "Drawing"
"""What a progress says while the steps are taken."""


class Cancelled(RuntimeError):
    """The visitor does not want it any more."""


@dataclass(frozen=True)
class Drawn:
    picture: np.ndarray
    """uint8 (H, W, 3)"""
    flagged: bool
    """Whether the safety checker did not like the picture, which is black then."""
    steps: int
    guided: bool
    """Whether the negative prompt was heeded."""
    seconds: float


def fetched(model: BigModel, progress: Report = ignore) -> str:
    """The folder with its files, fetched into the Hub's cache where they are not there yet.

    Only in a process that does nothing else: it puts a progress bar of ours into diffusers.
    Raises KnobError where the network, the model's authors or the disk do not let us.
    """
    if Path(model.repository).is_dir():
        return model.repository
    from diffusers import DiffusionPipeline
    from diffusers.pipelines import pipeline_utils
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    # diffusers knows best which files a pipeline needs, but passes no progress bar on.
    doing = f"Fetching {model.name}"
    progress(Progress(doing))
    pipeline_utils.snapshot_download = functools.partial(
        _counting, snapshot_download, doing, progress
    )
    try:
        return str(
            DiffusionPipeline.download(
                model.repository,
                variant=model.variant,
                use_safetensors=True,
                trust_remote_code=False,
            )
        )
    except Exception as error:
        refusal = _refusal(model, error)
        if refusal is None:
            raise
        log.warning("%s: %r", model.name, error)
        raise refusal from error


def _counting(download: Callable, doing: str, progress: Report, *args: Any, **options: Any) -> str:
    """snapshot_download, and its bytes reported as they come."""
    from tqdm import tqdm

    if options.get("local_files_only"):
        return download(*args, **options)
    files = download(*args, **options, dry_run=True)
    total = sum(file.file_size or 0 for file in files if file.will_download)
    counting, furthest = threading.Lock(), 0

    class Bar(tqdm):
        """Shows nothing. Two of them count bytes: as they arrive, and as they are written."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options | {"disable": True})
            self.counts_bytes, self.done = options.get("unit") == "B", 0

        def update(self, n: float | None = 1) -> None:
            nonlocal furthest
            with counting:  # files arrive side by side
                self.done += int(n or 0)
                if self.counts_bytes and furthest < self.done <= total:
                    furthest = self.done
                    progress(Progress(doing, furthest, total, "bytes"))

    return download(*args, **options, tqdm_class=Bar)


def _refusal(model: BigModel, error: BaseException) -> KnobError | None:
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
            "moment. The small model in the panel Generate needs no network"
        )
    if fault := _of_the_proxy():
        log.warning("the proxy that the environment names cannot be used: %s", fault)
        return KnobError(
            f"{model.name} could not be fetched: this server's proxy cannot be used. Please tell "
            "the host, in whose log stands why"  # it may name a part of a password
        )
    return None


def _of_the_proxy() -> str:
    """Why the environment's proxy cannot be used: it is no address, or of a kind that needs another
    package; "" where it can."""
    import httpx  # as the Hub's library does

    try:
        httpx.Client().close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        return str(error)
    return ""


def opened(model: BigModel, folder: str, device: torch.device, in_turns: bool = True) -> Any:
    """The pipeline from its folder: on a GPU in half precision, its parts there in turns or all at
    once.

    Raises KnobError for Stable Diffusion without its safety checker.
    """
    from diffusers import AutoPipelineForText2Image, StableDiffusionPipeline
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for library in (diffusers_logging, transformers_logging):
        library.disable_progress_bar()
    precision = torch.float32 if device.type == "cpu" else getattr(torch, model.half)
    pipeline = AutoPipelineForText2Image.from_pretrained(
        folder,
        dtype=precision,
        variant=model.variant,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    if isinstance(pipeline, StableDiffusionPipeline) and pipeline.safety_checker is None:
        raise KnobError(f"{model.name} has no safety checker, and does not run without one")
    pipeline.set_progress_bar_config(disable=True)
    if device.type != "cuda":
        return pipeline.to(device)
    if in_turns:
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.to(device)
    pipeline.vae.enable_slicing()
    pipeline.vae.enable_tiling()
    return pipeline


def generate(
    pipeline: Any,
    model: BigModel,
    prompt: str,
    *,
    negative_prompt: str = "",
    seed: int = 0,
    steps: int | None = None,
    progress: Report = ignore,
) -> Drawn:
    """A picture for the words: steps (None) and guidance are as the model's authors advise."""
    steps = whole("steps", model.steps if steps is None else steps, 1, MAX_STEPS)
    rng = torch.Generator("cpu").manual_seed(whole("seed", seed, 0, MAX_SEED))
    options = {"prompt": text("prompt", prompt, MAX_PROMPT)}
    takes = inspect.signature(pipeline.__call__).parameters
    # Pipelines with a "true" guidance scale know no negative prompt under the ordinary one.
    can = "negative_prompt" in takes and "true_cfg_scale" not in takes
    if guided := can and model.guidance_scale > 1:
        options["negative_prompt"] = text("negative_prompt", negative_prompt, MAX_PROMPT)
    if model.max_sequence_length and "max_sequence_length" in takes:
        options["max_sequence_length"] = model.max_sequence_length

    def step_is_done(pipeline: Any, step: int, _time: Any, _tensors: dict) -> dict:
        progress(Progress(DRAWING, step + 1, pipeline.num_timesteps))
        return {}

    progress(Progress(DRAWING, 0, steps))
    started = time.perf_counter()
    try:
        result = pipeline(
            **options,
            num_inference_steps=steps,
            guidance_scale=model.guidance_scale,
            height=model.side,
            width=model.side,
            generator=rng,
            callback_on_step_end=step_is_done,
        )
    finally:
        pipeline.maybe_free_model_hooks()  # also where a cancelled run left a part on the GPU
    seconds = time.perf_counter() - started
    flags = getattr(result, "nsfw_content_detected", None) or [False]
    return Drawn(np.asarray(result.images[0].convert("RGB")), any(flags), steps, guided, seconds)


def reported(work: Callable[[Report], Drawn]) -> Generator[Progress, None, Drawn]:
    """Yields what `work(report)` reports, as it comes, and returns what it returns. It runs in a
    thread of its own, where closing the generator ends it at its next report."""
    told: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    closed = threading.Event()

    def report(progress: Progress) -> None:
        if closed.is_set():
            raise Cancelled(progress.stage)
        told.put(progress)

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(work, report)
        done.add_done_callback(lambda _: told.put(None))
        try:
            while (progress := told.get()) is not None:
                yield progress
        finally:
            closed.set()
        return done.result()
