"""The words of the panels that diffusion and flow matching share, or are compared in."""

from demos.page.explain import Explanation
from gen_core.training.recipes import RECIPES

PERSON = Explanation(
    sentence=(
        "Say what a person should look like, in as much or as little detail as you like, and the "
        "model draws people who fit. Can it combine what it never saw together, or does it only "
        "remember?"
    ),
    paragraph=(
        "In training, each portrait came with what is known of it, and **each attribute was "
        "hidden now and then**: so one network can be conditioned on one of them, on all at once, "
        "or on none. What is left open is left to chance: the first noise decides. **Guidance** "
        "(classifier-free) asks twice, with the wish and without it, and goes further in the "
        "direction in which the answers differ. Some combinations were **kept out of training**: "
        "no picture showed a blond afro or a cap with sunglasses, though blond hair, afros, caps "
        "and sunglasses are all common. Ask for one. A model that only remembers has nothing to "
        "show; one that has learned what each word means puts the parts together (compositional "
        "generalisation). Where it fails, see which of the two is missing. The **judge**, a "
        "separately trained classifier, counts how many people show what was asked for, in the "
        "finished pictures and in the guesses before: large things, such as the background, are "
        "settled early, small ones late. It makes mistakes too, most of all on blurred guesses."
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

COMPOSING = """### Can it combine what it never saw together?

The model is asked for two attributes at once. How often does it draw both: for pairs that no
training picture showed, and for pairs of the same attributes that training did show?"""
KINDS = {"held_out": "Pairs never shown in training", "seen": "Pairs shown in training"}
"""By their names in a card."""
SHARES = "show both; of portraits drawn by a program, {share}"
BY_PAIR = "Pair by pair"
SHARES_SOURCE = (
    "{pictures} pictures for {pairs} pairs of each kind, {steps} steps, guidance {guidance:g}; "
    "nothing was asked for that would hide one of the two, and all else was left open. The judge "
    "makes mistakes too: the mark shows what it finds in as many portraits drawn by a program, "
    "which all have both. Measured on {hardware}."
)
NOT_MEASURED = (
    "How often this model draws pairs that training never showed has not been measured yet: "
    "`python -m gen_core evaluate {name} --write` does it."
)

COMPARE = Explanation(
    sentence=(
        "A solver is a recipe for getting from noise to the picture. Compare five of them, from "
        "the same noise and with the same network: they differ most when steps are few."
    ),
    paragraph=(
        "All five ask the same network. **DDIM** (with eta 0) goes straight on along the slope it "
        "finds, in steps that are even in time. **Euler** takes the very same step, but spends "
        "most of its steps near the finished picture. **Heun** walks like Euler, evaluates the "
        "network again at the end of each step and takes the mean, for twice the evaluations "
        "(NFE). **DPM-Solver++(2M)** also uses the step before (a multistep solver), which makes "
        "it second order at no extra cost. These four solve the same probability-flow ODE, whose "
        "path is fixed by the noise: with enough steps they arrive at the same picture. With two "
        "or four, Heun's second evaluation lands so far away that it misleads, and noise stays in "
        "the picture. **DDPM** adds fresh noise at each step (it follows an SDE) and arrives "
        "elsewhere; it needs many steps, and corrects its mistakes on the way. DDIM's eta leads "
        "from the first kind (0) to the second (1)."
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
        "How few network evaluations (NFE) are enough? From the same noise, flow matching above "
        "and diffusion below run their network 1 to 32 times."
    ),
    paragraph=(
        "One evaluation can only give the **average** of all pictures of a class, because pure "
        "noise does not say yet which one it will be: the first column is a blur for both. Each "
        "further evaluation lets the path bend. What counts is how much it has to: a solver goes "
        "straight on between two evaluations, and where the true path is curved it ends beside "
        "it. Flow matching is trained on **straight lines**; the paths it learns are not quite "
        "straight, because lines that cross are averaged, yet straighter than those of "
        "diffusion's schedule. Both networks have the same size and saw the same pictures, though "
        f"diffusion was trained for {RECIPES['diffusion-fashion'].steps:,} steps and flow matching "
        f"for {RECIPES['flow-fashion'].steps:,}, and both go without guidance here, so a step of "
        "either is one evaluation. A better solver helps diffusion: try DPM-Solver++(2M)."
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
