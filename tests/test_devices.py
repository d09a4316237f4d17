"""Where a network computes, and in which precision."""

from __future__ import annotations

import pytest
import torch

from gen_core import devices


@pytest.mark.parametrize(
    ("processor", "amx", "avx", "fast"),
    [
        ("Intel(R) Xeon(R) Processor", True, True, True),
        ("Intel(R) Xeon(R) Processor", False, True, False),  # half of float32's speed, measured
        ("AMD EPYC 9654 96-Core Processor", False, True, True),
        ("Intel(R) Core(TM) i5-8250U", False, False, False),
        ("arm", False, False, False),
    ],
)
def test_bfloat16_only_where_a_processor_is_faster_in_it(processor, amx, avx, fast, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx, raising=False)
    monkeypatch.setattr(devices, "_processor", lambda: processor)
    assert devices.has_bf16_units.__wrapped__(torch.device("cpu")) is fast
