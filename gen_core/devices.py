"""Which device, and in which precision a network runs on it."""

import contextlib
import functools
import os
import platform

import torch
from torch import Tensor

from gen_core import limits
from gen_core.knobs import KnobError, shown


def gpu_is_lent() -> bool:
    """Whether the host is a Space on ZeroGPU, which lends a GPU for single calls alone."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def pick_device(name: str = "auto") -> torch.device:
    """ "auto" takes CUDA, then Apple's MPS, then the CPU, and the CPU where a GPU is only lent.
    Raises KnobError for an absent device."""
    if name == "auto":
        if gpu_is_lent():
            return torch.device("cpu")
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    there = devices()
    if name not in there:
        choices = ", ".join(["auto", *there])
        raise KnobError(f"device={shown(name)}: choose one of {choices} on this machine")
    return torch.device(name)


def devices() -> list[str]:
    """Those of this machine: such as "cpu", "cuda", which is the first GPU, and "cuda:1"."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [
        "cpu",
        *["cuda"][:gpus],
        *(f"cuda:{k}" for k in range(gpus)),
        *["mps"] * torch.backends.mps.is_available(),
    ]


def keep_to_cores() -> None:
    """Has torch compute with no more threads than there are cores for it, which does not know of a
    container's share. Call it before there are threads.

    On 1.5 cores of two (AMD EPYC), 16 pictures in 20 steps took 1.7 s with one thread and 6 to 39 s
    with two: each layer waits for the thread that the system holds back."""
    torch.set_num_threads(min(torch.get_num_threads(), limits.cores()))


def device_title(device: torch.device) -> str:
    """The name a person knows it by, such as "NVIDIA H200" or "AMD EPYC, 2 threads", with as many
    threads as the one that asks computes with."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return f"Apple {platform.machine()}"
    threads = torch.get_num_threads()
    return f"{_processor()}, {threads} thread{'s' if threads > 1 else ''}"


@functools.cache
def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@functools.cache
def has_bf16_units(device: torch.device) -> bool:
    """Whether bfloat16 is faster here. Without the units a CPU runs it slower than float32; so does
    Intel's without matrix units, whose AVX-512 instruction for it has half the rate (measured:
    convolutions at 0.5 to 0.65 times the speed)."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    avx = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(amx() or (avx() and "Intel" not in _processor()))


@functools.cache
def constant(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """(len(values),) on the device, sent there once: for each copy the host waits until a GPU has
    done all that it was given. Not to be changed in place."""
    with torch.inference_mode(False):  # whoever asks first, training may ask next
        return torch.tensor(values, dtype=dtype, device=device)


def fast_math(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 where the processor has the units for it, a no-op elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bf16_units(device))
