"""A GPU on paper, for machines without one: it knows where each tensor is, and computes nothing.

Inside `paper_gpu` whatever is made on "cuda", or moved there, has a shape, a type and a device but
no values. The CPU computes as ever, so seeds, labels and schedules keep theirs. What mixes the two
raises, as it does on a real GPU, and where the host has to wait for the GPU is written down.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.overrides import TorchFunctionMode

from gen_core import devices

ROOT = str(Path(__file__).resolve().parent.parent)
aten = torch.ops.aten


class PaperGPU(FakeTensorMode):
    """FakeTensorMode for CUDA alone: the CPU stays real. Values that the host asks for are zeros.

    `nonzero`, and indexing by a mask, raise: nobody knows the shape of what they give before the
    GPU has done all that it was given.
    """

    def __init__(self) -> None:
        super().__init__(allow_non_fake_inputs=True)
        self.asked: list[str] = []
        """Where the host waited for values from the GPU: "file:line operation"."""
        self.sent: list[str] = []
        """Where the host waited until the GPU had taken values: a copy that may block does."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = [*_leaves(args), *_leaves(kwargs.values())]
        there = [isinstance(a, FakeTensor) for a in given if isinstance(a, torch.Tensor)]
        target = next((a.type for a in given if isinstance(a, torch.device)), None)
        if not any(there) and target != "cuda":
            return func(*args, **kwargs)
        if _is_composed(func):
            with self:  # inference mode hands over whole compositions: see what they are made of
                return func.decompose(*args, **kwargs)
        if func is aten._local_scalar_dense.default:
            self.asked.append(_here(func))
            return torch.zeros((), dtype=args[0].dtype).item()
        if func is aten._to_copy.default and there[0] and target == "cpu":
            self.asked.append(_here(func))
            return torch.zeros(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
        if func is aten._to_copy.default and not there[0]:
            if not kwargs.get("non_blocking"):
                self.sent.append(_here(func))
            args = (self.from_tensor(args[0]),)
        if func is aten.copy_.default and there[0] != there[1]:
            (self.asked if there[1] else self.sent).append(_here(func))
            if there[1]:
                return args[0].zero_()
        return super().__torch_dispatch__(func, types, args, kwargs)


@functools.cache
def _is_composed(func: Any) -> bool:
    composed = torch._C.DispatchKey.CompositeImplicitAutograd
    return func.namespace == "aten" and func.has_kernel_for_dispatch_key(composed)


def _leaves(args: Iterable[Any]) -> Iterator[Any]:
    for value in args:
        if isinstance(value, list | tuple):
            yield from _leaves(value)
        else:
            yield value


def _is_ours(file: str) -> bool:
    return file.startswith(ROOT) and file != __file__ and "site-packages" not in file


def _here(func: Any) -> str:
    """The innermost line of ours that led to an operation."""
    frame = sys._getframe(1)
    while frame.f_back and not _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename.removeprefix(ROOT)[1:]}:{frame.f_lineno} {func}"


class PaperGenerator(torch.Generator):
    """A generator that says it is on the GPU, which a real one cannot be without a driver."""

    def __new__(cls, device: torch.device | str = "cpu") -> PaperGenerator:
        generator = super().__new__(cls)
        generator.place = torch.device(device)
        return generator

    @property
    def device(self) -> torch.device:
        return self.place


class OwnGenerators(TorchFunctionMode):
    """The GPU draws from a generator of its own, and so does the CPU, as torch demands."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out, generator = func(*args, **(kwargs or {})), (kwargs or {}).get("generator")
        if generator is not None and generator.device.type != out.device.type:
            raise RuntimeError(
                f"Expected a '{out.device.type}' device type for generator but found "
                f"'{generator.device.type}'"
            )
        return out


def _slopes(outputs: Any, inputs: Any, **how: Any) -> tuple[torch.Tensor, ...]:
    """In place of torch.autograd.grad, whose engine asks the driver for streams: gradients are
    where the inputs are, as autograd makes them."""
    inputs = [inputs] if isinstance(inputs, torch.Tensor) else inputs
    return tuple(torch.empty_like(x).requires_grad_(how.get("create_graph", False)) for x in inputs)


def _swapped(old: torch.Tensor, new: torch.Tensor) -> None:
    """In place of torch.utils.swap_tensors, by which a module changes what is on paper already."""
    assert old.device == new.device, "what is on paper stays there"


@contextlib.contextmanager
def paper_gpu() -> Iterator[PaperGPU]:
    """Within it, "cuda" is a GPU on paper, with units for bfloat16."""
    with (
        mock.patch("torch.Generator", PaperGenerator),
        mock.patch("torch.cuda.synchronize"),
        mock.patch("torch.cuda.get_device_capability", return_value=(9, 0)),
        mock.patch("torch.cuda.is_bf16_supported", return_value=True),
        mock.patch("torch.cuda.amp.common.amp_definitely_not_available", return_value=False),
        mock.patch("torch.autograd.grad", _slopes),
        mock.patch("torch.utils.swap_tensors", _swapped),
        _nothing_kept(),
        OwnGenerators(),
        PaperGPU() as gpu,
    ):
        yield gpu


@contextlib.contextmanager
def _nothing_kept() -> Iterator[None]:
    """What is known of devices, and kept on them, is of real ones before and after."""
    with contextlib.ExitStack() as after:
        for function in vars(devices).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()
                after.callback(function.cache_clear)
        yield
