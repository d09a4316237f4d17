"""Metrics as pure functions of tensors: features, probabilities or logits in, numbers out.

They run on the CPU in float64, whatever device and precision their input has, so a figure does
not depend on the machine. What the features mean is the caller's business: here they come from a
classifier of our own, so the distance is not comparable with a published FID.
"""

from gen_core.evaluation.metrics.classes import ALIVE, accuracy, class_shares, classes_alive
from gen_core.evaluation.metrics.frechet import frechet_distance, frechet_from_moments, moments
from gen_core.evaluation.metrics.inception import inception_score
from gen_core.evaluation.metrics.inception_v3 import MissingInception, inception_features
from gen_core.evaluation.metrics.neighbours import precision_recall, share_inside

__all__ = [
    "ALIVE",
    "MissingInception",
    "accuracy",
    "class_shares",
    "classes_alive",
    "frechet_distance",
    "frechet_from_moments",
    "inception_features",
    "inception_score",
    "moments",
    "precision_recall",
    "share_inside",
]
