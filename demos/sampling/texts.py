"""The words of the panels that diffusion and flow matching share, or are compared in."""

from demos.page.explain import Explanation

PERSON = Explanation(
    sentence=(
        "Say what a person shall look like, as much or as little as you like, and the model draws "
        "people who fit. Does it compose them, or does it remember some?"
    ),
    paragraph=(
        "In training, each portrait came with what is known of it, and **each attribute was hidden "
        "now and then**: so one network answers to any wish, from a single word to all at once, "
        "and to none. What is left open is left to chance: the first noise decides. **Guidance** "
        "asks twice, with the wish and without it, and goes further in the direction in which "
        "the answers differ. Some combinations were **kept out of training**: no picture showed a "
        "blond afro or a cap with sunglasses, though blond hair, afros, caps and sunglasses are "
        "all common. Ask for one. A model that only remembers has nothing to show; one that has "
        "learned what each word means puts the parts together. Where it fails, see which of the "
        "two it gives up. The **judge**, a classifier trained apart, counts who shows "
        "what was asked for, in the finished pictures and in the guess at each moment before: "
        "large things, such as the background, are settled early, small ones late. It errs too, "
        "most of all on blurred guesses."
    ),
    formula=(
        r"\begin{gathered} f = f_\theta(x_t, t, \varnothing) + w \left(f_\theta(x_t, t, c) - "
        r"f_\theta(x_t, t, \varnothing)\right) \\[.6em] "
        r"c = g\Big(\sum_{i\,\in\,\text{asked}} e_i(c_i)\Big), \qquad "
        r"\varnothing = g(0) \end{gathered}"
    ),
    symbols=(
        ("x_t", "the picture at time $t$, on its way from noise to portrait"),
        (r"f_\theta", "what the network answers: a velocity, from which diffusion's noise follows"),
        ("c", "the wish, as the network receives it: one vector"),
        ("e_i(c_i)", "the vector it has learned for value $c_i$ of attribute $i$"),
        ("g", "two layers that turn the sum of these vectors into one"),
        (r"\varnothing", "the wish that leaves everything open: nothing to add up"),
        ("w", "the guidance scale"),
    ),
    source=(
        "Ho & Salimans 2022, *Classifier-Free Diffusion Guidance*, eq. 6, with $w$ here for their "
        "$1 + w$; on combinations that were kept out, Okawa et al. 2023, *Compositional Abilities "
        "Emerge Multiplicatively*"
    ),
)

COMPOSING = """### Composed, or remembered?

Asked for two attributes at once, how often does it draw both? Once for pairs that no training
picture showed, once for pairs of the same attributes that training did show."""
KINDS = {"held_out": "Pairs never shown in training", "seen": "Pairs shown in training"}
"""By their names in a card."""
SHARES = "show both; drawn by rule, {share}"
BY_PAIR = "Pair by pair"
SHARES_SOURCE = (
    "{pictures} pictures of {pairs} pairs each, {steps} steps, guidance {guidance:g}; nothing that "
    "would hide one of the two, all else open. The judge counts, and errs too: the mark is at what "
    "it finds in as many portraits that were drawn by rule. Measured on {hardware}."
)
NOT_MEASURED = (
    "How often this model draws pairs that training never showed has not been measured yet: "
    "`python -m gen_core evaluate {name} --write` does it."
)

COMPARE = Explanation(
    sentence=(
        "One network, one noise, five ways to walk from noise to the picture: they differ most "
        "when there are few steps to take."
    ),
    paragraph=(
        "All five ask the same network. **DDIM** (with eta 0) goes straight on along the slope it "
        "finds, in steps that are even in time. **Euler** takes the very same step, but spends "
        "most of its steps near the finished picture. **Heun** walks like Euler, looks once more "
        "at the end of each step and takes the mean, for twice the price. **DPM-Solver++(2M)** "
        "remembers the step before, which makes it second order for nothing. These four follow "
        "one path, fixed by the noise: with enough steps they arrive at the same picture. With "
        "two or four, Heun's second look lands so far away that it misleads, and noise stays in "
        "the picture. **DDPM** adds fresh noise at each step and arrives elsewhere; it needs many "
        "steps, and corrects its mistakes on the way. DDIM's eta leads from the one to the other."
    ),
    formula=(
        r"\frac{\mathrm{d} z}{\mathrm{d} \sigma} = \hat\epsilon(z, \sigma), \qquad "
        r"z = \frac{x_t}{\sqrt{\bar\alpha_t}}, \qquad "
        r"\sigma = \sqrt{\frac{1 - \bar\alpha_t}{\bar\alpha_t}}"
    ),
    symbols=(
        ("z", "the noisy picture, scaled so that the clean picture in it keeps its size"),
        (r"\sigma", "noise to signal: from about 157 down to 0"),
        (r"\hat\epsilon", "the noise that the network sees in the picture, guidance included"),
        ("x_t", "the noisy picture at time $t$"),
        (r"\bar\alpha_t", "the share of the picture's variance that is left at time $t$"),
    ),
    source=(
        "Song et al. 2021, *Denoising Diffusion Implicit Models*, eq. 14; solvers: Ho et al. 2020, "
        "algorithm 2 (DDPM), Lu et al. 2022, *DPM-Solver++*, algorithm 2, Karras et al. 2022, "
        "algorithm 1 (Heun)"
    ),
)

FEW_STEPS = Explanation(
    sentence=(
        "How few times can the network be asked? The same noise, flow matching above and "
        "diffusion below, from one single evaluation to thirty-two."
    ),
    paragraph=(
        "One evaluation can only give the **average** of all pictures of a class, because pure "
        "noise does not say yet which one it will be: the first column is a blur for both. Each "
        "further evaluation lets the path bend. What counts is how much it has to: a solver goes "
        "straight on between two evaluations, and where the true path is curved it ends beside "
        "it. Flow matching is trained on **straight lines**; the paths it learns are not quite "
        "straight, because lines that cross are averaged, yet straighter than those of "
        "diffusion's schedule. Both networks have the same size and saw the same pictures, though "
        "not for equally long (their checkpoints say how long), and both go without guidance "
        "here, so a step of either is one evaluation. A better solver helps diffusion: try "
        "DPM-Solver++(2M)."
    ),
    formula=(
        r"x_1 = x_0 + \int_0^1 v_\theta(x_t, t, c)\, \mathrm{d}t \;\approx\; "
        r"x_0 + \frac{1}{N} \sum_{k=0}^{N-1} v_\theta\!\left(x_{k/N}, \tfrac{k}{N}, c\right)"
    ),
    symbols=(
        ("x_0", "the noise at $t = 0$, the same in the whole table"),
        ("x_1", "the finished picture at $t = 1$"),
        ("x_t", "the picture on its way, at time $t$"),
        (r"v_\theta", "the network: the velocity at $x_t$ and time $t$"),
        ("c", "the class"),
        ("N", "the number of steps, here also that of network evaluations: the columns"),
        ("k", "counts the steps from 0 to $N - 1$"),
    ),
    source=(
        "Liu et al. 2023, *Flow Straight and Fast: Learning to Generate and Transfer Data with "
        "Rectified Flow*, section 2.1; diffusion below: Song et al. 2021, eq. 12 (DDIM), or Lu et "
        "al. 2022, algorithm 2 (DPM-Solver++)"
    ),
)
