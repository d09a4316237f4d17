"""The words of the Latent space tab."""

from __future__ import annotations

from demos.explain import Explanation
from demos.texts import arc

RADFORD = "Radford et al. 2016, *Unsupervised Representation Learning with DCGANs*, section 6.3.2"

SLIDERS = Explanation(
    sentence=(
        "Nobody told the model what a smile is, and yet there is a direction in its space that "
        "makes faces smile. Move along it, and see what else comes along."
    ),
    paragraph=(
        "A variational autoencoder has squeezed fifty thousand portraits into 64 numbers each. "
        "**By meaning**: we know of each portrait whether it smiles, how old it is, what it "
        "wears, so we can ask how the 64 numbers change, on average, when one of these goes up "
        "and all others stay. That is a direction; adding it to the code of any face moves the "
        "face. **By variance**: the directions along which codes differ most, found without any "
        "label. They are the model's own view of what matters: mostly large areas of colour. A "
        "classifier that was trained apart looks at the picture after every move and says what "
        "it sees change, in standard deviations of the data, so that you can tell what a slider "
        "does from what it claims. The faces are drawn by rule and belong to nobody; the model "
        "was not shown the ones you find here."
    ),
    formula=(
        r"z' = z + \sum_k s_k\, d_k, \qquad (d_1, \dots, d_K) = \arg\min_{d}\; "
        r"\mathbb{E}_{x} \Big\lVert z(x) - \bar z - \sum_k a_k(x)\, d_k \Big\rVert^2"
    ),
    symbols=(
        ("z, z'", "the code of the face, and where the sliders move it"),
        ("d_k", "the direction of trait $k$"),
        ("s_k", "its slider: how many standard deviations of the data"),
        ("a_k(x)", "trait $k$ of the training portrait $x$, less its mean, over its deviation"),
        (r"z(x), \bar z", "the mean of the encoder's cloud for $x$, and the mean over all $x$"),
    ),
    source=(
        f"vectors from labels: {RADFORD}; least squares over all traits at once, so that what "
        "only occurs together is told apart; principal components: Pearson 1901"
    ),
)

MEASURED = """### How good are the sliders?

Each was moved from one standard deviation below to one above, on faces that training did not show;
the classifier looked at both ends."""

NO_MEASURED = "The sliders have not been measured: `python -m gen_core atlas vae-avatars --write`."

BETWEEN = Explanation(
    sentence=(
        "Between any two faces lie others. Pixels mixed half and half would be a double exposure; "
        "codes mixed half and half are a person."
    ),
    paragraph=(
        "Choose two faces: portraits by their number, codes from the prior, your own drawing, a "
        "picture of yours. Both are encoded, and the decoder draws what lies between. The "
        "**straight** line between two random codes passes through the middle of the space, where "
        "few codes lie; the **spherical** path keeps its distance, as the chart shows. Between "
        "the codes of portraits, which lie closer together, the two hardly differ. Watch the "
        "half way: hair that is neither long nor short, glasses that are half there. Nothing in "
        "the data looks like that; the model has learned what is likely, not what is possible."
    ),
    formula=r"z(t) = (1 - t)\, z_a + t\, z_b \qquad \text{or} \qquad " + arc.FORMULA,
    symbols=(("z_a, z_b", "the codes of the two ends, 64 numbers each"), *arc.SYMBOLS),
    source=arc.SOURCE,
)

MIX = Explanation(
    sentence=(
        "Codes can be added, subtracted and mixed like colours: walk between faces, give one the "
        "glasses of another, or look at the neighbours of a single face."
    ),
    paragraph=(
        "**Between four**: the corners are four faces, every picture in the grid is a mixture of "
        "their codes. **A − B + C**: what B lacks of A is added to C, "
        "as in *king − man + woman*; it works as far as the model keeps the difference in one "
        "direction, and leaves the rest of C in peace only as far as that direction means one "
        "thing. **Variations**: a little noise on the code of one face; with more of it the face "
        "wanders off and comes out at what the model holds for likely."
    ),
    formula=(
        r"z_{uv} = (1 - u)(1 - v)\, z_A + u (1 - v)\, z_B + (1 - u)\, v\, z_C + u v\, z_D, \qquad "
        r"z_C + s\, (z_A - z_B), \qquad z_A + \sigma\, \varepsilon"
    ),
    symbols=(
        ("z_A, z_B, z_C, z_D", "the codes of the four faces, 64 numbers each"),
        ("u, v", "how far to the right, how far down: 0 to 1"),
        ("s", "how much of the difference is added: 1 is the sum as it is written"),
        (r"\sigma, \varepsilon", "the strength of a variation, and its noise: one draw a seed"),
    ),
    source=f"arithmetic: {RADFORD}",
)
