"""The words of the Latent space tab's Without the KL panel."""

from __future__ import annotations

from demos.page.explain import Explanation

KL = Explanation(
    sentence=(
        "Two small things make an autoencoder a model that can draw: the KL term, and the way in "
        "which its codes are drawn. Leave one out and see what breaks."
    ),
    paragraph=(
        "The **KL term** (Kullback-Leibler) is a price: the encoder gives each picture a cloud of "
        "codes, and pays more the more that differs from the one big cloud from which random codes "
        "are drawn. It is counted in nats, of 1.44 bits each. All models here learned from the "
        "same portraits, from the same seed; each differs in one thing (the last two also have "
        "fewer steps and narrower layers, which is enough for what they show). **Without the KL** "
        "it is a plain autoencoder. It copies well, for nothing keeps it from giving every picture "
        "a place of its own. But nothing asks these places to lie where random codes are drawn, or "
        "side by side: there are **holes**, and the decoder was never asked what to draw there. "
        "**With KL** random codes do better, though not well: this decoder learns how sure of its "
        "pixels it can be, and to one that is so sure a bit of code is cheap, so the clouds are "
        "small, and in 64 dimensions much room is left between them. Weigh the KL **4 times** as "
        "heavily: the clouds grow and leave fewer holes, and the copies look the same. **64 "
        "times**: now every bit is dear. Random codes give whole people at last, but the code "
        "tells large things only, and faces are mist. The best weight lies in between: see the "
        "Fréchet distance below. **The gradient cut**: training has to know how the code changes "
        "when the encoder does. The trick is to draw noise apart from it, and then to shift and "
        "stretch that noise; if z is drawn as if it came from nowhere, the gradient stops there. "
        "The encoder hears the KL alone and obeys it perfectly: every picture gets the same cloud. "
        "Now the code tells nothing, and the decoder's best answer is the mean of all faces. "
        "**Rate** and **distortion** below say where each model stands between the two: a small "
        "rate is a code that tells little, a small distortion a faithful copy; a loss can weigh "
        "them, but not have both for nothing."
    ),
    formula=(
        r"\mathcal{L}_\beta(x) = \underbrace{\mathbb{E}_{\varepsilon}\left[-\log p_\theta\left(x "
        r"\mid z\right)\right]}_{\text{distortion}} + \beta \; \underbrace{D_{\mathrm{KL}}\left("
        r"q_\phi(z \mid x)\,\Vert\,p(z)\right)}_{\text{rate}}, \qquad z = \mu_\phi(x) + "
        r"s_\phi(x)\, \varepsilon"
    ),
    symbols=(
        (r"\mathcal{L}_\beta", "the loss: what training makes small"),
        (r"\mathbb{E}_{\varepsilon}", "the mean over the noise"),
        (r"D_{\mathrm{KL}}", "Kullback-Leibler divergence: how far the cloud is from the prior"),
        ("x", "a portrait"),
        (r"\beta", "the weight of the KL term: 1, 0, 4 or 64 here"),
        (r"z", "its code, 64 numbers, drawn by the reparameterisation trick"),
        (r"\mu_\phi(x), s_\phi(x)", "mean and spread of the encoder's cloud"),
        (r"\varepsilon", "noise from a standard normal distribution, which knows nothing of x"),
        (r"p_\theta(x \mid z)", "the decoder: a Gaussian around the picture it draws from z"),
        (r"q_\phi(z \mid x)", "the cloud itself"),
        ("p(z)", "the prior, a standard normal distribution: where random codes are drawn from"),
        (r"\theta, \phi", "the weights of the decoder and of the encoder"),
    ),
    source=(
        "the trick: Kingma & Welling 2014, *Auto-Encoding Variational Bayes*, eq. 4; the weight: "
        "Higgins et al. 2017, *beta-VAE*, eq. 4; rate against distortion: Alemi et al. 2018, "
        "*Fixing a Broken ELBO*; holes: Ghosh et al. 2020, *From Variational to Deterministic "
        "Autoencoders*"
    ),
)

WHY_FORGET = (
    "Nothing asks the codes of pictures to lie where random codes are drawn: copies are good, but "
    "a random code falls into a hole."
)
WHY_CUT = (
    "The gradient stops at the draw, so the encoder never hears how well its code served: it gives "
    "every picture the same cloud, and every copy is the mean of all faces."
)
AWAY = (
    "2×: as a classifier sees it, twice as far from the nearest of {count} portraits as these are "
    "from each other."
)
HOLES = "Distance to the nearest of {count} portraits; these are 1 apart"

WALK = """### The same walk in each

Straight from one code to another. In a hole the decoder draws what it was never asked for; where
there is a figure beside a name, it is how far from any portrait the walk leads."""

FIGURES = """### What it costs, and what it is worth

**Rate** is what a code tells of a picture, **distortion** how far the copy is off; Fréchet
distance compares new faces, from random codes, with portraits. Each point says how its model
weighed the KL term."""
CURVES = "### How training went"
NO_FRECHET = "The Fréchet distance of new faces has not been measured yet."
FROM_TRAINING = "Hollow: as training ended; not measured on other portraits yet."
