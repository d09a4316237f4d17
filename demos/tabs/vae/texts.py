"""The words of the VAE tab."""

from demos.page.explain import ARC_FORMULA, ARC_SOURCE, ARC_SYMBOLS, Explanation

KINGMA = "Kingma & Welling 2014, *Auto-Encoding Variational Bayes*"
CALIBRATED = "Rybkin et al. 2021, *Simple and Effective VAE Training with Calibrated Decoders*"

SAMPLES = Explanation(
    sentence=(
        "A variational autoencoder (VAE) learns to squeeze every picture into a few numbers, its "
        "latent code, and to rebuild it from them. Give it a random code, and it draws something "
        "new."
    ),
    paragraph=(
        "Two networks are trained together. The **encoder** looks at a picture and answers with a "
        "small cloud in *latent space*, the space of all codes: a mean and a spread for each "
        "number (the approximate posterior). The **decoder** gets one point of that cloud and has "
        "to draw the picture again. Training weighs two terms: the **distortion** (reconstruction "
        "loss) asks for a faithful copy, the **rate** (KL divergence) pulls every cloud towards "
        "the same standard normal distribution, the *prior*, so that little of the space is left "
        "empty. Their sum is the negative ELBO. Because the clouds fill much of the space, a "
        "random point decodes to something sensible. Because they overlap, one point stands for "
        "many pictures and the decoder answers with their average. **That is why the pictures are "
        "blurry**, and more so with two numbers than with sixteen. **Temperature** widens or "
        "narrows the distribution that codes are drawn from: up for variety and odd shapes, down "
        "towards the average of everything."
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
    source=f"{KINGMA}, eq. 3; the learned width of the pixel noise: {CALIBRATED}",
)

LATENT = Explanation(
    sentence=(
        "A variational autoencoder (VAE) draws each picture from a few numbers, its latent code. "
        "Each slider sets one of them; those that change the picture most come first."
    ),
    paragraph=(
        "Nobody told the model what its numbers should mean: it found by itself what is worth "
        "remembering of a picture. Some sliders change the kind of garment, some its width or its "
        "brightness, most a little of everything. Using a number costs **rate**: a detail that is "
        "not worth its price is left out, and a number that holds nothing stays at the prior and "
        "does not change the picture (posterior collapse). How much each one changes was measured "
        "once, after training. Most codes of real pictures lie between -2 and 2; further out is "
        "where training hardly ever went. With the model of **two numbers** the whole latent "
        "space fits on one map: point anywhere."
    ),
    formula=(
        r"I_d = \sqrt{ \frac{1}{n}\; \mathbb{E}_{x} \left\lVert \mu_\theta\big(z(x) "
        r"\big|_{z_d = 1.5}\big) - \mu_\theta\big(z(x) \big|_{z_d = -1.5}\big) "
        r"\right\rVert^2 }"
    ),
    symbols=(
        ("I_d", "how much the number $d$ of the code changes the picture: the sliders' order"),
        ("z(x)", "the mean of the encoder's cloud for a picture $x$"),
        (r"\big|_{z_d = 1.5}", "the same code with its number $d$ set to 1.5"),
        (r"\mu_\theta", "the decoder, with weights $\\theta$: the picture it draws from a code"),
        (r"\mathbb{E}_{x}", "the mean over real pictures"),
        ("n", "the pixels of a picture, 784"),
    ),
    source=(
        "measured by this project (`VAE.calibrate`); why some numbers stay unused: Lucas et al. "
        "2019, *Don't Blame the ELBO!*"
    ),
)

RECONSTRUCT = Explanation(
    sentence=(
        "A picture goes through the bottleneck, a code of sixteen numbers or of two, and comes "
        "back as a reconstruction. Press Reconstruct and see what gets lost."
    ),
    paragraph=(
        "The encoder turns the picture into a code, the decoder draws it again, and the **error "
        "map** shows where they differ: orange where the copy is too dark, blue where it is too "
        "bright. Fine patterns, prints and straps go first. **Distortion** (reconstruction loss) "
        "and **rate** (KL divergence) add up to the negative ELBO, which training minimises. The "
        "width of the pixel noise is learned with the weights, so both are in one unit, nats (1 "
        "nat is 1.44 bits), and need no weight between them. Distortion can be negative: it is "
        "the logarithm of a density, and a density can be above one. Draw something that is not "
        "clothing, and the model answers with the most similar piece of clothing: it knows "
        "nothing else."
    ),
    formula=(
        r"\text{distortion} = \sum_{i=1}^{n} \left[ \frac{(x_i - \hat x_i)^2}{2\sigma^2} + "
        r"\log \sigma + \tfrac{1}{2} \log 2\pi \right], \qquad "
        r"\text{rate} = \tfrac{1}{2} \sum_{d} \left[ \mu_d^2 + s_d^2 - 1 - \log s_d^2 \right]"
    ),
    symbols=(
        ("x_i", "a pixel of the picture, from -1 to 1; there are $n = 784$"),
        (r"\hat x_i", "the same pixel as the decoder draws it from one draw $z$ of the cloud"),
        (r"\sigma", "the width of the pixel noise, learned: one number for all pixels"),
        (r"\mu_d, s_d", "mean and spread of the encoder's cloud for the number $d$ of the code"),
    ),
    source=f"{KINGMA}, appendix B and C.2; {CALIBRATED}",
)

INTERPOLATE = Explanation(
    sentence=(
        "Turn one picture into another in small steps by moving its code. The straight path runs "
        "closer to the centre, where codes are rare; the spherical one (slerp) keeps its distance."
    ),
    paragraph=(
        "Mixing two pictures pixel by pixel gives a double exposure. Mixing their **codes** gives "
        "pictures that the decoder draws on the way, each a garment of its own. In sixteen "
        "dimensions nearly all random codes lie at about the same distance from the centre, like "
        "points on a shell. The **straight** line between two of them leaves the shell, as the "
        "chart shows, and passes nearer to the centre, which decodes to an average picture: look "
        "for pictures that turn dull halfway. The **spherical** path stays on the shell. Codes of "
        "real pictures lie closer together, and there the two paths hardly differ."
    ),
    formula=r"z(t) = (1 - t)\, z_a + t\, z_b \qquad \text{or} \qquad " + ARC_FORMULA,
    symbols=(("z_a, z_b", "the codes of the two ends, 16 numbers each, or 2"), *ARC_SYMBOLS),
    source=ARC_SOURCE,
)

INVITATION = """<p class="further">On to portraits: <a href="?tab=latent-space"
  onclick="noiseToDataAddress.go('latent-space', 'sliders'); return false">the latent-space
  lab&nbsp;<span aria-hidden="true">→</span></a> has sliders that mean something, a map, and a test
  for the odd one out.</p>"""
