"""The words of the Latent space tab's Odd one out panel."""

from __future__ import annotations

from demos.page.explain import Explanation

ODD = Explanation(
    sentence=(
        "A model that has seen nothing but portraits can draw nothing but portraits. Give it "
        "something else: how badly it fails says how odd that is."
    ),
    paragraph=(
        "Nobody told the model what an odd picture is. It learned to squeeze portraits into 64 "
        "numbers and to draw them again, and it is worse at whatever it never saw: that is "
        "**anomaly detection**, as used on X-rays, welds and bank transfers. Two scores are "
        "offered. The **error** is how far the copy is from the picture. The **bound** is how "
        "unlikely the model finds the picture, in nats, with what its code costs. Both rank "
        "pictures nearly alike here, for codes cost about the same, errors do not. Every score "
        "needs a **threshold**: a low one calls good portraits odd (a false alarm), a high one "
        "lets odd pictures through (a miss). The slider sets how many false alarms you accept; the "
        "**ROC curve** shows what every other threshold would do, and the area under it sums them "
        "up: 1 is perfect, 0.5 is guessing. The score sees how much is wrong, not what. **Where it "
        "is weak**: a block of one colour or a blur takes away what is hard to draw, so the copy "
        "can be as good as that of a portrait, and many pass, as the table says. Choose “blurred” "
        "or “a piece erased” and see. "
        "And a model of portraits says nothing of people: it knows the drawings it was shown."
    ),
    formula=(
        r"\begin{gathered} \text{error}(x) = \sqrt{\frac{1}{n} \sum_{i=1}^{n} "
        r"\left(\frac{\hat x_i - x_i}{2}\right)^2} \\[6pt] \text{area} = "
        r"P\left(s_{\text{odd}} > s_{\text{portrait}}\right) + "
        r"\tfrac{1}{2} P\left(s_{\text{odd}} = s_{\text{portrait}}\right) \end{gathered}"
    ),
    symbols=(
        ("x_i", r"a colour value of the picture, from -1 to 1; $n = 64 \cdot 64 \cdot 3$ of them"),
        (r"\hat x_i", "the same one as the decoder draws it from the mean of the code"),
        ("P, s", "how probable that is, of the scores (errors or bounds) of pictures at random"),
        (r"\text{area}", "how likely an odd picture scores higher than a portrait"),
    ),
    source=(
        "An & Cho 2015, *Variational Autoencoder based Anomaly Detection using Reconstruction "
        "Probability*; Fawcett 2006, *An introduction to ROC analysis*; on failures, "
        "Nalisnick et al. 2019, *Do Deep Generative Models Know What They Don't Know?*"
    ),
)
HOW_FAR = (
    "Of each picture, its error is shown at full colour where one of its colours is off by half of "
    "its range: orange where the copy is too dark, blue where it is too bright, white where both "
    "agree."
)
