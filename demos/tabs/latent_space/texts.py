"""The words of the Latent space tab."""

from __future__ import annotations

from demos.page import slerp
from demos.page.explain import Explanation

RADFORD = "Radford et al. 2016, *Unsupervised Representation Learning with DCGANs*, section 6.3.2"

SLIDERS = Explanation(
    sentence=(
        "Nobody told the model what a smile is, and yet there is a direction in its space that "
        "makes faces smile. Move along it, and see what else comes along."
    ),
    paragraph=(
        "A variational autoencoder has squeezed fifty thousand portraits into 64 numbers each. "
        "**By meaning**: we know of each portrait whether it smiles, how old it is, what it "
        "wears, so a small network can learn to read these traits from the 64 numbers. From any "
        "face a slider then goes where the reading of its own trait grows and those of the "
        "others stay, in small steps, for the direction turns on the way. **By variance**: the "
        "directions along which codes differ most, found without any label. They are the "
        "model's own view of what matters: mostly large areas of colour. A classifier that was "
        "trained apart looks at the picture after every move and says what it sees change, in "
        "standard deviations of the data, so that you can tell what a slider does from what it "
        "claims. The faces are drawn by rule and belong to nobody; the model was not shown the "
        "ones you find here."
    ),
    formula=(
        r"z \leftarrow z + \Sigma J^\top \left( J \Sigma J^\top + \lambda I \right)^{-1} "
        r"\frac{s}{n}, \qquad J = \frac{\partial a(z)}{\partial z}, \qquad n \text{ times}"
    ),
    symbols=(
        ("z", "the code of the face, 64 numbers"),
        ("a(z)", "the traits as the small network reads them from the code"),
        ("J", "how each reading changes with each number, at this face"),
        ("s", "the sliders: by how many standard deviations each trait shall change"),
        (r"\Sigma", "the covariance of the codes: steps go along what codes vary in"),
        (r"\lambda, n", "a little damping, and the number of steps, 12"),
    ),
    source=(
        f"vectors from labels: {RADFORD}; one trait without the others: Shen et al. 2020, "
        "*Interpreting the Latent Space of GANs for Semantic Face Editing*; the step: Levenberg "
        "1944; principal components: Pearson 1901"
    ),
)

MEASURED = """### How good are the sliders?

Each was moved from two standard deviations below to two above, on faces that training did not
show; a classifier that was trained apart looked at both ends."""

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
        "few codes lie; the **spherical** path keeps its distance, as the chart shows. The codes "
        "of portraits, too, lie well away from the middle, so here the straight line dips as well. "
        "Watch the half way: hair that is neither long nor short, glasses that are half there. "
        "Nothing in the data looks like that: the decoder turns one into the other smoothly, "
        "whether or not such a face could be."
    ),
    formula=r"z(t) = (1 - t)\, z_a + t\, z_b \qquad \text{or} \qquad " + slerp.FORMULA,
    symbols=(("z_a, z_b", "the codes of the two ends, 64 numbers each"), *slerp.SYMBOLS),
    source=slerp.SOURCE,
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
