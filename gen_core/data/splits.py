"""Which seeds draw which split of the data sets that a program draws, in this one place: what a
model is measured with must not be what it was trained on."""

AVATARS = {
    "train": range(50_000),
    "test": range(1_000_000, 1_010_000),
    "fresh": range(1_900_000, 1_900_040),
    "asked": range(2_000_000, 2**64),
}
"""By split the seeds of `random_avatar`. "fresh" are in no data set and nobody is asked for them:
how near strangers come to the training set. "asked" are the people whose attributes a model is
asked for, counted from the first."""
UNTOUCHED = AVATARS["test"][5_000:]
"""Test portraits to measure with: numbers that people try first are not among them."""
SCENES = {
    "tokenizer": 0,
    "autoencoder": 1,
    "clip": 2,
    "denoiser": 3,
    "classifier": 4,
    "text encoder": 5,
    "decoder": 6,
}
"""By what learns from them, the first number of the seeds (first, k) of its scenes. The prompts of
the evaluation are drawn from one generator, half of them from what `is_held_out` keeps out of all
of these."""
