"""The words of the VAE tab."""

from __future__ import annotations

from demos.explain import Explanation

EXPLANATION = Explanation(
    sentence=(
        "A variational autoencoder squeezes every picture into a few numbers and learns to draw "
        "it again from them: draw the numbers at random, and it paints something new."
    ),
    paragraph=(
        "Two networks are trained together. The **encoder** looks at a picture and answers with a "
        "small cloud in latent space: a mean and a spread for each number. The **decoder** gets "
        "one point of that cloud and has to draw the picture again. Two forces pull: the "
        "**distortion** asks for a faithful copy, the **rate** asks every cloud to look like the "
        "same standard normal distribution, so that no code is wasted and no region is left "
        "empty. Because the clouds fill the space, a point drawn at random decodes to something "
        "sensible. Because they overlap, one point stands for many pictures and the decoder "
        "answers with their average. **That is why the pictures are blurry**, and more so with two "
        "numbers than with sixteen. The width of the pixel noise is learned with the weights, so "
        "distortion and rate are in one unit, nats, and need no weight between them. Distortion "
        "can be negative: it is the logarithm of a density, and a density can be above one."
    ),
    formula=(
        r"-\log p_\theta(x) \;\le\; \underbrace{\mathbb{E}_{q_\phi(z \mid x)}\left[-\log "
        r"p_\theta(x \mid z)\right]}_{\text{distortion}} + "
        r"\underbrace{D_{\mathrm{KL}}\left(q_\phi(z \mid x)\,\Vert\,p(z)\right)}_{\text{rate}}"
    ),
    symbols=(
        ("x", "a picture, its pixels from -1 to 1"),
        ("z", "its latent code: 16 numbers, or 2"),
        (r"p_\theta(x)", "how likely the model finds the picture"),
        (r"q_\phi(z \mid x)", "the encoder's cloud: a Gaussian with mean and spread made from x"),
        (r"p_\theta(x \mid z)", "the decoder: a Gaussian around the picture it draws from z"),
        ("p(z)", "the prior, a standard normal distribution: where random codes are drawn from"),
        (r"\mathbb{E}", "the average over codes z drawn from the encoder's cloud"),
        (r"D_{\mathrm{KL}}", "Kullback-Leibler divergence: nats that the code costs, 0 or more"),
        (r"\theta, \phi", "the weights of the decoder and of the encoder"),
    ),
    source=(
        "Kingma & Welling 2014, *Auto-Encoding Variational Bayes*, eq. 3; the learned width of the "
        "pixel noise: Rybkin et al. 2021, *Simple and Effective VAE Training with Calibrated "
        "Decoders*"
    ),
)

PANELS = {
    "samples": (
        "Codes drawn from the prior, decoded. Turn the temperature up for variety and odd shapes, "
        "down towards the average of everything."
    ),
    "latent": (
        "The code itself is in your hands. Every slider is one of its numbers; those that change "
        "the picture most come first."
    ),
    "reconstruct": (
        "A picture goes through the narrow middle and comes back. What two or sixteen numbers "
        "cannot hold is missing."
    ),
    "interpolate": (
        "Walk from one code to another. The straight path cuts past the middle of latent space, "
        "where codes are rare; the arc keeps its distance."
    ),
}
