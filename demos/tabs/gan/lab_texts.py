"""The words of the lab's panels."""

from demos.page.explain import Explanation
from demos.tabs.gan.texts import GOODFELLOW
from gen_core.data.planes import MOST_MODES
from gen_core.lab.measures import COUNTED, ENOUGH, WITHIN

GAME_SYMBOLS = (
    ("G", "the generator: turns random numbers into a point"),
    ("D", "the discriminator: its probability, from 0 to 1, that a point is real"),
    (r"p_{\mathrm{data}}", "the distribution of the data, drawn in grey"),
    ("z", "random numbers: where a sample begins"),
    (r"\mathbb{E}", "the mean over data, or over random numbers"),
)

TRAIN_ONE = Explanation(
    sentence=(
        "Train a GAN yourself, on points in the plane, where you can see all of it: what the "
        "generator draws, what the discriminator believes everywhere, and how each follows the "
        "other. Then break it."
    ),
    paragraph=(
        "The **data** (grey) lie in eight tight clusters, the *modes*. The **generator** bends a "
        "plane of random numbers until its samples lie there too. The **discriminator** colours "
        "the plane: blue where it says *real*, amber where it says *fake*. Each sample is sent "
        "uphill, towards what the discriminator takes for real; switch on *Where samples are "
        "sent* to see it. Neither player has a fixed goal: each step of one changes what is best "
        "for the other, so the losses say little, and the game may circle, or never settle. "
        "Nothing rewards variety either: if one mode passes, all samples may go there (**mode "
        "collapse**). A mode is *covered* when it "
        f"holds at least {ENOUGH:.0%} of its share of {COUNTED:,} samples; a sample is *on* a "
        f"mode within {WITHIN:g} standard deviations. A run has *collapsed* when at most half of "
        "the modes are covered while at least 80% of the samples lie on modes, and has *not "
        "converged* when fewer do. **Play** sets the controls to a game that breaks, mostly by "
        "one change: set that back and train again. Or **draw the data yourself**: choose *drawn* "
        "as the data set. Each of your points is a tight cluster of data; up to "
        f"{MOST_MODES} points that lie well apart are modes."
    ),
    formula=(
        r"\min_G \max_D\; \mathbb{E}_{x \sim p_{\mathrm{data}}}[\log D(x)] + "
        r"\mathbb{E}_{z}[\log(1 - D(G(z)))], \qquad "
        r"\mathcal{L}_G = -\,\mathbb{E}_{z}[\log D(G(z))]"
    ),
    symbols=(
        *GAME_SYMBOLS,
        ("x", "a point of the data"),
        (r"\mathcal{L}_G", "what the generator minimises unless you choose another loss"),
    ),
    source=f"{GOODFELLOW}, eq. 1, and section 3 for the non-saturating loss",
)

TWENTY = Explanation(
    sentence=(
        "One training proves nothing about a GAN: another seed may end otherwise. Train the same "
        "game from twenty seeds, and beside it the mended one. First say how many you expect to "
        "cover every mode."
    ),
    paragraph=(
        "All runs differ in their **seed** alone: first weights, batches and random numbers. A "
        "broken game rarely breaks always, and a mended one rarely works always, so what counts "
        "is *how often*: twenty runs tell 90% from 30%, but not 90% from 80%. The table below "
        "tells of a hundred seeds, with the interval in which the share lies with 95% confidence. "
        "**Collapsed** (rose): at most half of the modes are covered, and the samples lie on them "
        "well. A generator may be as good as that against a discriminator which looks at one "
        "sample at a time: each by itself is perfect, and nobody asks for the others. **Not "
        "converged** (amber): fewer than 80% of the samples lie on any mode. The equation says "
        "what the game would reach with a perfect discriminator, a distance of 0 only where the "
        "generator's distribution is that of the data. It says nothing of whether two networks, "
        "one step each in turn, get there."
    ),
    formula=(
        r"\max_D V(D, G) = 2\, \mathrm{JSD}(p_{\mathrm{data}} \,\|\, p_G) - \log 4, \qquad "
        r"\mathrm{JSD}(p \,\|\, q) = \tfrac{1}{2} \mathrm{KL}\!\left(p \,\big\|\, "
        r"\tfrac{p + q}{2}\right) + \tfrac{1}{2} \mathrm{KL}\!\left(q \,\big\|\, "
        r"\tfrac{p + q}{2}\right)"
    ),
    symbols=(
        ("V(D, G)", "what the minimax game is about: the sum of the two means in *Train one*"),
        (r"p_{\mathrm{data}}", "the distribution of the data"),
        ("p_G", "that of the generator's samples"),
        (r"\mathrm{JSD}", "the Jensen-Shannon divergence"),
        (r"\mathrm{KL}", "the Kullback-Leibler divergence"),
    ),
    source=(
        f"{GOODFELLOW}, theorem 1; the name mode collapse and its measure by a ring of Gaussians: "
        "Metz et al. 2017, *Unrolled Generative Adversarial Networks*, section 3.1; intervals: "
        "Wilson 1927, *Probable Inference, the Law of Succession, and Statistical Inference*"
    ),
)

TABLE = """### What breaks a GAN, and how often

Each pair differs in one change. Counted over many seeds, from 0 on; in brackets the interval in
which the share lies with 95% confidence."""
NOT_COUNTED = "The pairs have not been counted yet: `python -m gen_core lab --write` does it."
