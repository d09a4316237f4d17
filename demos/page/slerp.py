"""The words for the arc between two latent codes, which more than one tab walks."""

FORMULA = (
    r"z(t) = \frac{\sin((1 - t)\,\Omega)}{\sin \Omega}\, z_a + "
    r"\frac{\sin(t\,\Omega)}{\sin \Omega}\, z_b, \qquad "
    r"\cos \Omega = \frac{z_a \cdot z_b}{\lVert z_a \rVert\, \lVert z_b \rVert}"
)
SYMBOLS = (
    ("z(t)", "the code at time $t$, from 0 at the one end to 1 at the other"),
    (r"\Omega", "the angle between the two codes, seen from the centre"),
)
SOURCE = (
    "Shoemake 1985, *Animating Rotation with Quaternion Curves*, section 3.3; for latent codes "
    "White 2016, *Sampling Generative Networks*, section 2.1"
)
