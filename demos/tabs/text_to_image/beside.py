"""What lies beside the pipeline in its folder, and is opened once for all visitors: the scorer, the
search, the classifier."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gen_core.families.text_to_image.folder import NAME, classifier_of
from gen_core.training.checkpoint import weights_folder

if TYPE_CHECKING:
    from gen_core.classifiers.emoji import SceneClassifier
    from gen_core.families.text_to_image.clip_score import ClipScorer
    from gen_core.families.text_to_image.search import Search

CLIP = f"{NAME}/clip"
"""The recipe of the part that scores and searches."""
JUDGE = f"{NAME}/judge"
"""That of the classifier."""


def scorer(device: torch.device) -> "ClipScorer":
    """Scores how pictures fit words."""
    return _scorer(weights_folder() / NAME, device)


def searcher(device: torch.device) -> "Search":
    """Finds emoji by words."""
    return _searcher(weights_folder() / NAME, device)


def classifier(device: torch.device) -> "SceneClassifier":
    """Says what is in a picture."""
    return _classifier(weights_folder() / NAME, device)


@functools.lru_cache(maxsize=2)
def _scorer(folder: Path, device: torch.device) -> "ClipScorer":
    from gen_core.families.text_to_image.clip_score import ClipScorer  # heavy

    return ClipScorer.open(folder, device)


@functools.lru_cache(maxsize=2)
def _searcher(folder: Path, device: torch.device) -> "Search":
    from gen_core.families.text_to_image.search import Search  # heavy

    return Search.open(folder, device, _scorer(folder, device))


@functools.lru_cache(maxsize=2)
def _classifier(folder: Path, device: torch.device) -> "SceneClassifier":
    return classifier_of(folder).to(device)
