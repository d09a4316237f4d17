"""The words of the Overview."""

from dataclasses import dataclass

from demos.page.explain import Explanation

EXPLANATION = Explanation(
    sentence="Four ways to turn noise into pictures. Press the button and watch.",
    paragraph=(
        "On either data, all four learned from the same pictures; each starts from numbers drawn "
        "at random, the same seeds for all, and ends with a picture. **A VAE and a GAN** get "
        "there in one pass through their network, so they are quick. **Diffusion and flow "
        "matching** begin with a picture of pure noise and improve it step by step: they run "
        "their network many times and take longer. How close the pictures come to real ones is "
        "what the **Fréchet distance** says. A small classifier, trained here, turns each picture"
        " into 128 features; the distance compares the cloud of features of drawn pictures with "
        "that of 10,000 real ones. Zero would be a perfect match. Held against other real "
        "pictures, as many real ones do not quite reach it: where they land is marked as the "
        "floor. The features are of our own classifier, so compare these figures with each other "
        "and not with an FID from a paper. Times are measured while you watch, on the machine "
        "named at the top of the page, and the network evaluations are counted as they happen."
    ),
    formula=(
        r"d^2 = \lVert \mu_r - \mu_g \rVert^2 + \operatorname{Tr}\left("
        r"\Sigma_r + \Sigma_g - 2\,(\Sigma_r \Sigma_g)^{1/2}\right)"
    ),
    symbols=(
        (r"d^2", "the Fréchet distance, 0 or more: the figure shown in the rows"),
        (r"\mu_r,\ \mu_g", "mean of the features of real pictures and of generated ones"),
        (r"\Sigma_r,\ \Sigma_g", "covariance of the features of real and of generated pictures"),
        (r"\lVert \cdot \rVert", "length of a vector"),
        (r"\operatorname{Tr}", "trace, the sum of a matrix's diagonal"),
        (r"(\cdot)^{1/2}", "the matrix whose square is the one in brackets"),
    ),
    source=(
        "Heusel et al. 2017, *GANs Trained by a Two Time-Scale Update Rule Converge to a Local "
        "Nash Equilibrium*, eq. 6; Dowson & Landau 1982, eq. 4"
    ),
)

PORTRAITS_MORE = (
    "The 50,000 **portraits** are drawn by rule, so everything about them is known, and a model "
    "can be asked for all of it: age, hair, glasses, hat, light. The columns are people whom "
    "training has not shown, and each row says whether it was asked for them. Press any portrait "
    "to look for it among the pictures of training. The **clothes** are 60,000 photographs of "
    "Fashion-MNIST, which other four models learned from."
)
"""One more paragraph, where portraits are on offer."""

HOW_TO_READ = (
    "Down is closer to real pictures, left is faster. One pass is quick; many small steps take "
    "longer and mostly come closer. Change the seed, or under Advanced the steps, and the points "
    "move."
)

GAN_WINS = (
    "Here the GAN comes closer than diffusion, which is not the rule: portraits drawn by rule are "
    "a narrow domain, where GANs are at their best, and this one was trained for {gan:.1f} hours, "
    "the diffusion model for {diffusion:.1f}."
)


@dataclass(frozen=True)
class DataText:
    """A data set in the Overview."""

    id: str
    """In gen_core, and at the end of the names of its checkpoints."""
    title: str
    """As it stands in the choice, and in links."""
    example: str
    """What was computed before, in demos/cached/."""
    asked: str
    """What a row was asked for that can be asked."""
    free: str
    """What one draws that cannot."""
    colour: bool = False
    """Then columns are people, and each picture can be looked for in training."""


FASHION = DataText(
    id="fashion",
    title="Clothes (Fashion-MNIST)",
    example="overview",
    asked="each class in turn",
    free="any class: trained without labels",
)
PORTRAITS = DataText(
    id="avatars",
    title="Portraits (drawn by rule)",
    example="overview-avatars",
    asked="asked for the person at the top of each column",
    free="not asked: it draws whom it likes",
    colour=True,
)
SETS = (FASHION, PORTRAITS)

ASKED_TITLE = "Drawn by rule"
ASKED_LINE = "What is asked for: people whom training has not shown."

MEMORIZATION = (
    "### Is it a copy?\n\nPress any portrait above: the training pictures nearest to it are drawn "
    "again from their seeds and compared with it, pixel by pixel."
)
MEMORIZATION_SOURCE = (
    "What generated pictures come to is held against what real new ones come to: Meehan et al. "
    "2020, A Non-Parametric Test to Detect Data-Copying in Generative Models."
)


@dataclass(frozen=True)
class FamilyText:
    """One family's place in the Overview."""

    id: str
    """Of the family in gen_core, and of its tab."""
    title: str
    hue: str
    """Its colour, at least 3:1 against light and dark backgrounds."""
    line: str
    """How it works."""
    invitation: str
    """What there is to do in its tab."""
    panel: str
    """Where in the tab."""
    quality: str
    speed: str
    stability: str
    best_for: str

    def model(self, data: str) -> str:
        """The checkpoint of that family and that data set."""
        return f"{self.id}-{data}"


FAMILIES = (
    FamilyText(
        id="vae",
        title="VAE",
        hue="#d97706",
        line="Decodes random codes into pictures.",
        invitation="Move its latent sliders",
        panel="latent",
        quality="Blurry: it averages over what it cannot tell apart.",
        speed="One pass.",
        stability="Very stable: one loss, a bound on the likelihood.",
        best_for="Compression, interpolation, outliers; the first stage of latent diffusion.",
    ),
    FamilyText(
        id="gan",
        title="GAN",
        hue="#db2777",
        line="A forger learns to fool an inspector.",
        invitation="Watch one collapse",
        panel="collapse",
        quality="Sharp, but it may leave out part of the data.",
        speed="One pass.",
        stability="Delicate: two networks in balance; it can oscillate or collapse to few modes.",
        best_for="Pictures in real time, narrow domains, sharpening and upscaling.",
    ),
    FamilyText(
        id="diffusion",
        title="Diffusion",
        hue="#6d6ff2",
        line="Takes noise away, a little at each step.",
        invitation="Scrub from noise to picture",
        panel="generate",
        quality="Sharp and varied, given enough training.",
        speed="Many passes; good samplers need 10 to 50.",
        stability="Stable: a plain regression.",
        best_for="High quality, guidance by class or text, editing and inpainting.",
    ),
    FamilyText(
        id="flow",
        title="Flow matching",
        hue="#0d9488",
        line="Carries noise to data along straight paths.",
        invitation="Race it at 1 to 32 steps",
        panel="few",
        quality="Sharp and varied, like diffusion.",
        speed="Many passes; straighter paths need fewer.",
        stability="Stable: a regression on velocity, no noise schedule to tune.",
        best_for="New large image and video models; good pictures in few steps.",
    ),
)
