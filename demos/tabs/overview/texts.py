"""The words of the Overview."""

from dataclasses import dataclass

from demos.page.explain import Explanation

EXPLANATION = Explanation(
    sentence=(
        "Five kinds of generative model turn random noise into pictures. Press the button and "
        "watch; the seed is the number that picks the noise."
    ),
    paragraph=(
        "On either data set, all learned from the same pictures. Each starts from random "
        "numbers, the same seeds for all, and ends with a picture. **A VAE and a GAN** get "
        "there in one pass through their network, so they are quick. **Diffusion and flow "
        "matching** begin with a picture of pure noise and improve it step by step: they run "
        "their network many times and take longer. **An autoregressive model** draws one pixel "
        "after another, and runs its network for each; it has learned the clothes alone. The "
        "**Fréchet distance** says how close the pictures come to real ones: less is better. A "
        "small classifier, trained here, turns each picture into 128 features; the distance "
        "compares their mean and covariance in generated pictures with those in 10,000 real "
        "ones. Zero would be a perfect match. Even real pictures, compared with other real "
        "ones, do not quite reach it: their distance is marked as the floor. FID is the same "
        "distance on the features of Inception; ours are of our own classifier, so compare "
        "these figures with each other and not with an FID from a paper. Times are measured "
        "while you watch, on the machine named at the top of the page, and the network "
        "evaluations (NFE) are counted as they happen."
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
    "The 50,000 **portraits** are synthetic, drawn by a program, so everything about them is "
    "known, and a model can be asked for it: age, hair, glasses, hat, light. Each column is a "
    "person who was not in the training set, and each row says whether its model was asked for "
    "that person. Press any portrait to see the training pictures most like it. The **clothes** "
    "are 60,000 photographs (Fashion-MNIST), from which other models learned."
)
"""One more paragraph, where portraits are on offer."""

HOW_TO_READ = (
    "Lower is closer to real pictures, further left is faster. A network evaluation is one pass "
    "through the model: a VAE and a GAN need one, diffusion and flow matching at least one in each "
    "step, an autoregressive model one for each pixel. Change the steps under Advanced, and the "
    "points move."
)

GAN_WINS = (
    "Here the GAN comes closer than diffusion, which is unusual: these portraits are all of one "
    "kind, a narrow domain, where GANs are at their best, and this one was trained for {gan:.1f} "
    "hours, the diffusion model for {diffusion:.1f}."
)


@dataclass(frozen=True)
class DataText:
    """A data set in the Overview."""

    id: str
    """In gen_core, and at the end of the names of its checkpoints."""
    title: str
    """As it stands in the choice."""
    example: str
    """What was computed before, in demos/cached/."""
    asked: str
    """What a row was asked for that can be asked."""
    free: str
    """What one draws that cannot."""
    known_as: str = ""
    """Its title in old links and to the API, where it had another one."""
    colour: bool = False
    """Then columns are people, and each picture can be looked for in training."""

    @property
    def linked(self) -> str:
        return self.known_as or self.title


FASHION = DataText(
    id="fashion",
    title="Clothes (Fashion-MNIST)",
    example="overview",
    asked="each class of clothing in turn",
    free="unconditional: trained without labels",
)
PORTRAITS = DataText(
    id="avatars",
    title="Portraits (drawn by a program)",
    known_as="Portraits (drawn by rule)",
    example="overview-avatars",
    asked="asked for the person at the top of the column",
    free="unconditional: each face is random",
    colour=True,
)
SETS = (FASHION, PORTRAITS)

ASKED_TITLE = "Drawn by a program"
ASKED_LINE = "The people asked for. None of them was in the training set."

MEMORIZATION = (
    "### Is it a copy?\n\n"
    "Has a model memorised its training pictures? Press any portrait above to see those most like "
    "it, and by how much they differ, pixel by pixel."
)
MEMORIZATION_SOURCE = (
    "The comparison with new real pictures follows Meehan et al. 2020, A Non-Parametric Test to "
    "Detect Data-Copying in Generative Models."
)


@dataclass(frozen=True)
class FamilyText:
    """One family's place in the Overview."""

    id: str
    """Of its tab, and at the head of the names of its checkpoints."""
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
    sets: tuple[str, ...] = (FASHION.id, PORTRAITS.id)
    """The data sets of which it has a model."""

    def model(self, data: str) -> str:
        """The checkpoint of that family and that data set."""
        return f"{self.id}-{data}"


FAMILIES = (
    FamilyText(
        id="vae",
        title="VAE",
        hue="#d97706",
        line="A decoder turns a random latent code into a picture.",
        invitation="Change its latent code",
        panel="latent",
        quality="Blurry: it averages over what it cannot tell apart.",
        speed="One pass.",
        stability="Very stable: one loss to minimise, the negative ELBO.",
        best_for=(
            "Compression, interpolation, finding odd pictures; the first stage of latent diffusion."
        ),
    ),
    FamilyText(
        id="gan",
        title="GAN",
        hue="#db2777",
        line="A generator learns to fool a discriminator.",
        invitation="Watch its training collapse",
        panel="collapse",
        quality="Sharp, but it may leave out part of the data.",
        speed="One pass.",
        stability=(
            "Delicate: two networks compete; it can oscillate, or collapse to a few kinds of "
            "picture."
        ),
        best_for="Pictures in real time, narrow domains, sharpening and upscaling.",
    ),
    FamilyText(
        id="diffusion",
        title="Diffusion",
        hue="#6d6ff2",
        line="Removes predicted noise, a little at each step.",
        invitation="Drag from noise to picture",
        panel="generate",
        quality="Sharp and varied, given enough training.",
        speed="Many passes; good samplers need 10 to 50.",
        stability="Stable: a plain regression on the noise.",
        best_for=(
            "High quality, pictures from words, editing, filling in missing parts (inpainting)."
        ),
    ),
    FamilyText(
        id="flow",
        title="Flow matching",
        hue="#0d9488",
        line="Follows a learned velocity from noise to picture.",
        invitation="Race it against diffusion",
        panel="few",
        quality="Sharp and varied, like diffusion.",
        speed="Many passes; straighter paths need fewer.",
        stability="Stable: a regression on the velocity, no noise schedule to tune.",
        best_for="The newest large models of pictures and video; good pictures in few steps.",
    ),
    FamilyText(
        id="autoregressive",
        title="Autoregressive",
        hue="#0284c7",
        line="Draws each pixel from those before it.",
        invitation="Point at any pixel",
        panel="pixels",
        quality="Sharp details; the whole may drift, because a drawn pixel is final.",
        speed="One pass for each pixel.",
        stability="Very stable: it learns to tell the next pixel, a plain classification.",
        best_for="Text, and all that is written in tokens; exact likelihoods.",
        sets=(FASHION.id,),
    ),
)


def families_of(data: DataText) -> list[FamilyText]:
    """Those that have a model of it, in their order."""
    return [text for text in FAMILIES if data.id in text.sets]
