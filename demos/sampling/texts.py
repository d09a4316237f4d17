"""The words of the panel that asks diffusion or flow matching for a person."""

from __future__ import annotations

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
