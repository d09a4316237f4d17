"""The words of the Flow matching tab."""

from __future__ import annotations

from demos.page.explain import Explanation

GENERATE = Explanation(
    sentence=(
        "Flow matching learns, for every point between noise and data, which way to go and how "
        "fast. Press Generate, then drag through time."
    ),
    paragraph=(
        "In training, each picture is paired with a random noise and a straight line is drawn "
        "between the two. The network sees a point on the line and learns the **velocity** "
        "(right), the direction from the noise to the picture. Many lines cross at each point; "
        "what the network learns is their average. To generate, start from noise at t = 0 and "
        "**follow the velocity** until t = 1 (left). Going straight on from where we are gives a "
        "**guess of the end** (middle): an average of all clothes at first, then ever more one of "
        "them. At the end the right lane keeps its last answer. Because the paths are nearly "
        "straight, few steps already go far. **Midpoint** and "
        "**Heun** look at the velocity twice in each step. **Guidance** exaggerates what the "
        "class changes."
    ),
    formula=(
        r"x_t = (1 - t)\, x_0 + t\, x_1, \qquad "
        r"\mathcal{L} = \mathbb{E} \left\lVert v_\theta(x_t, t, c) - (x_1 - x_0) \right\rVert^2, "
        r"\qquad "
        r"x_{t + \Delta t} = x_t + \Delta t\; v_\theta(x_t, t, c)"
    ),
    symbols=(
        ("x_0", "noise, standard normal; where the way begins, at $t = 0$"),
        ("x_1", "a picture of the training set; where the way ends, at $t = 1$"),
        ("x_t", "the point between them at time $t$ (left lane)"),
        (r"v_\theta", "the network, with weights $\\theta$: the velocity there (right lane)"),
        ("c", "the class; hidden in training for one picture in ten, which guidance needs"),
        (r"\mathcal{L}", "the loss that training makes small"),
        (r"\mathbb{E}", "the mean over pictures, noises and times"),
        (r"\Delta t", "the length of a step: 1 divided by the number of steps (Euler)"),
    ),
    source=(
        "Lipman et al. 2023, *Flow Matching for Generative Modeling*, eq. 23 with "
        "$\\sigma_{min} = 0$; Liu et al. 2023, *Flow Straight and Fast*, eq. 1"
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
