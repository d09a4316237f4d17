"""What a command of the command line returns."""

import argparse
import json
from typing import Any

import torch

from gen_core.devices import device_title
from gen_core.evaluation.evaluate import today
from gen_core.training import checkpoint

Answer = tuple[Any, str]
"""Plain values for JSON, and text for a person."""


def dated(
    section: str, figures: dict[str, Any], device: torch.device, args: argparse.Namespace
) -> Answer:
    """Figures with the day and the device on which they were measured; `--write` puts them into
    that section of the checkpoint's card."""
    figures = figures | {"date": today(), "hardware": device_title(device)}
    if args.write:
        checkpoint.amend(args.name, figures, section=section)
    return figures, json.dumps(figures, indent=1)
