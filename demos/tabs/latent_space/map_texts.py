"""The words of the Latent space tab's map."""

from __future__ import annotations

from demos.page.explain import Explanation

MAP = Explanation(
    sentence=(
        "Every dot is a portrait as the encoder sees it; every place between the dots is a "
        "picture too. Point anywhere, or draw a path and watch the faces along it."
    ),
    paragraph=(
        "Nobody can look at 64 numbers at once, so a map has to leave things out, and each map "
        "leaves out something else. **Neighbours** (t-SNE) keeps those together who are close in "
        "latent space: islands are groups that the model finds alike. Colour the dots by "
        "*background*, by *skin*, by *glasses* and see which of them the islands follow, and "
        "which are scattered all over. Distances between islands mean little there, and a step "
        "across a gap is a leap: the chart below the pictures shows how far the code really "
        "moves. **Widest plane** (PCA) is an honest flat cut through the middle, along the two "
        "directions in which codes differ most; the other 62 directions stay at their mean, and so "
        "the faces there are all a little average. **Fashion, two numbers** needs no such "
        "choice: that model has only two, and its whole latent space lies before you. The "
        "portraits were not shown in training; their attributes are known because they were drawn "
        "by rule, and the model never heard of them."
    ),
    formula=(
        r"\begin{gathered} C = \sum_{i \ne j} p_{ij} \log \frac{p_{ij}}{q_{ij}}, \qquad q_{ij} = "
        r"\frac{\left(1 + \lVert y_i - y_j \rVert^2\right)^{-1}}"
        r"{\sum_{k \ne l} \left(1 + \lVert y_k - y_l \rVert^2\right)^{-1}} \\[1.2em] "
        r"z(y) = \frac{\sum_{k} w_k z_k}{\sum_{k} w_k}, \quad "
        r"w_k = e^{-3 \lVert y - y_k \rVert^2 / d^2} \end{gathered}"
    ),
    symbols=(
        ("C", "what the map of neighbours makes small: how badly it keeps who is close to whom"),
        ("p_{ij}", "how much the codes $i$ and $j$ are neighbours in latent space"),
        ("q_{ij}", "the same on the map"),
        ("y_i", "the place of the dot $i$ on the map"),
        ("z(y)", "the code that a place $y$ stands for: a mix of the eight nearest dots"),
        ("z_k, w_k", "the code of the dot $k$, and its weight: less the further away it is"),
        ("d", "how far away the eighth nearest dot is"),
    ),
    source=(
        "van der Maaten & Hinton 2008, *Visualizing Data using t-SNE*, section 3; the way back "
        "from a place to a code is this project's (`Atlas.at`); the plane: Pearson 1901, *On "
        "Lines and Planes of Closest Fit to Systems of Points in Space*"
    ),
)
