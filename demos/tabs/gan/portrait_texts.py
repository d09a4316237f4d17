"""The words of the GAN tab's Portraits and Mix styles panels."""

from __future__ import annotations

from demos.page.explain import Explanation
from gen_core.families.style_gan import MIXED, TYPICAL, StyleGANConfig

KARRAS = "Karras et al. 2019, *A Style-Based Generator Architecture for GANs*"
CODES = (
    ("z", f"a latent code: {StyleGANConfig.latent} random numbers"),
    ("y", "what is asked for: every attribute, by your wish or by lot"),
    ("f", f"the mapping: {StyleGANConfig.mapping} small layers"),
    ("w", "the style that it makes of $z$; every layer of the generator follows one"),
    (r"\bar w", f"the mean style of {TYPICAL:,} people, measured after training"),
    (r"\psi", "truncation: 0 gives $\\bar w$, 1 leaves $w$ as it is"),
)

PORTRAITS = Explanation(
    sentence=(
        "The same game, played for portraits in colour: a whole person in one pass. Ask for hats "
        "or smiles and see at once what becomes of it; below, counted, what it neglects."
    ),
    paragraph=(
        "The random numbers do not enter the generator at its start. A **mapping** turns them, and "
        "what is asked for, into a *style* first, and the style then steers every layer, from a "
        f"map of 4 by 4 pixels up to {StyleGANConfig.size} by {StyleGANConfig.size}: it says which "
        "channels count there, and how much. **Grain** is noise of its own at every layer, for "
        "what follows no rule. **Truncation** ψ pulls each style towards that of the mean person: "
        "portraits get more alike and what was asked for fades, until at ψ = 0 all are the same. "
        "The game itself is "
        "played in pairs here: the discriminator is shown a forgery beside a real portrait and "
        "says how much more real the one looks than the other. And it is asked a **second "
        "question**: what does the picture show? It learns the answers from real portraits, drawn "
        "by rule, of which every attribute is known, and the game is played for each answer too: "
        "which of two turbans is the real one? That is a remedy against collapse, of which no "
        "sharpness of the pictures tells: a generator that is told nothing may please the "
        "discriminator and never draw a turban. Last, both portraits of a pair show what was asked "
        "for, so to each layer of the discriminator a forgery shall look **like its real "
        "portrait**: that tells the generator what is missing where, not only that something is. "
        "What you leave open is drawn by lot, as often as "
        "in the data. Whether it obeys, another network counts, which had no part in the training."
    ),
    formula=r"w = f(z, y), \qquad w' = \bar w + \psi\,(w - \bar w), \qquad x = G(w', \dots, w')",
    symbols=(
        *CODES,
        ("w'", "the style that is drawn with"),
        ("G", "the generator, which takes a style for each layer"),
        ("x", "a picture"),
    ),
    source=(
        f"{KARRAS}, section 2; truncation: its appendix B; the second question: Odena et al. 2017, "
        "*Conditional Image Synthesis with Auxiliary Classifier GANs*; in pairs: Huang et al. "
        "2024, *The GAN is dead; long live the GAN!*, section 2.1; for each answer too: Hou et al. "
        "2022, *Conditional GANs with Auxiliary Discriminative Classifier*; alike to each layer: "
        "Wang et al. 2018, *High-Resolution Image Synthesis and Semantic Manipulation with "
        "Conditional GANs*, section 3.2"
    ),
)

STYLES = Explanation(
    sentence=(
        "Every layer of the generator follows a style, and they need not be the same one: take "
        "the coarse layers from one seed, the fine ones from another."
    ),
    paragraph=(
        "Each row gives its style to the first layers, where maps are small, each column to the "
        "rest. Move **Layers from the row** and watch what changes hands: in this generator the "
        "first two settle the background, the clothes and how the head is turned, the next two "
        "hats and the shape of the hair, then come skin, hair colour and the face; what the last "
        "ones follow can hardly be seen. Who was asked for is part of a style, too. Nobody told "
        "the layers what to do; they divide the work because a small map can only hold what is "
        f"large, and because in training {MIXED:.0%} of the pictures were drawn from two styles "
        "with a random turn between them, "
        "so that no layer may rely on knowing what "
        "the others follow. Read along a row for what the coarse layers keep, down a column for "
        "what the fine ones do."
    ),
    formula=(
        r"x = G(\underbrace{w_a, \dots, w_a}_{k}, "
        r"\underbrace{w_b, \dots, w_b}_{L - k})"
    ),
    symbols=(
        ("w_a, w_b", "the styles of the row's seed and of the column's, truncated alike"),
        ("k", "the layers that follow the row: from the coarsest on"),
        ("L", "all layers: one at 4 by 4 pixels, two at each resolution above"),
        ("G", "the generator"),
        ("x", "a picture"),
    ),
    source=f"{KARRAS}, section 3.1 and figure 3",
)

CENSUS = """### Drawn as often as in the data?

One judge looks at samples and at real portraits, and counts what it sees."""
PARTS = (
    "The measures, such as age and smile, in ten parts each: {within} are within a factor of two"
)
HOW_TO_READ = (
    "For each value its share of the samples, then of the data. A figure at the end says how many "
    "times as often it is drawn, where that is less than half or more than twice. Where a hat "
    "hides the hair, the judge guesses, in samples and data alike."
)
NOT_COUNTED = (
    "What this generator draws too often or never has not been counted yet: "
    "`python -m gen_core evaluate {name} --write` does it."
)
