"""The words of the Flow matching tab."""

from demos.page.explain import Explanation

GENERATE = Explanation(
    sentence=(
        "Flow matching learns a velocity: at every moment between noise and picture, which way to "
        "change the picture and how fast. Press Generate, then drag through time."
    ),
    paragraph=(
        "In training, each picture is paired with a random noise and a straight line is drawn "
        "between the two. The network sees a point on the line and learns the **velocity** "
        "(right), the direction from the noise to the picture. Many lines cross at each point; "
        "what the network learns is the average of their velocities (a conditional mean). To "
        "generate, start from noise at t = 0 and **follow the velocity** until t = 1 (left): that "
        "is solving an ODE. Going straight on from where we are gives a **guess of the end** "
        "(middle): an average of all clothes at first, then ever more one of them. At the end the "
        "right lane keeps its last answer. Because the paths are nearly straight, few steps "
        "already go far. **Midpoint** and **Heun** evaluate the network twice in each step "
        "(second order). **Guidance** (classifier-free) exaggerates what the class changes."
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
        (r"\mathcal{L}", "the loss, which training minimises"),
        (r"\mathbb{E}", "the mean over pictures, noises and times"),
        (r"\Delta t", "the length of a step: 1 divided by the number of steps (Euler)"),
    ),
    source=(
        "Lipman et al. 2023, *Flow Matching for Generative Modeling*, eq. 23 with "
        "$\\sigma_{min} = 0$; Liu et al. 2023, *Flow Straight and Fast*, eq. 1"
    ),
)

ROADS = Explanation(
    sentence=(
        "The same noise goes four ways to the same data. Which way is straight, and what does that "
        "buy? Send the points off, then click on a plane to send one of your own."
    ),
    paragraph=(
        "Every plane begins with the same points of noise; a point's **colour** says in which "
        "direction from the middle it began, on all four. The small arrows are the **field**, "
        "which says at each place and time where to go: it changes while the points travel. "
        "**Diffusion** may throw fresh noise into each step (ancestral sampling): then chance "
        "decides where a point ends, and the colours mix. The same network also has an ODE "
        "without any noise, on which no two points are ever at the same place at the same time. "
        "**Flow matching** learns on straight lines between noise and data, but its roads are not "
        "straight: where lines cross, the network can only answer with their mean, so points first "
        "head for the middle of the data and turn later. **Reflow** takes the flow's own ends, "
        "paired with the noise they came from. These pairs hardly cross, so the next flow is "
        "nearly straight, and a straight road takes one step. **Straightness** is measured against "
        "an even pace along the beeline. Straight does not mean accurate: reflow keeps the ends of "
        "the flow it learned from, with their mistakes. *The exact field* is what a perfect "
        "network would answer, computed from the known density of the data; only the reflowed flow "
        "is then still a network, because nobody knows its density. Beside networks, the same "
        "exact arrows can be switched on, with rose where a network's own differ."
    ),
    formula=(
        r"x_t = \alpha_t\, x_1 + \sigma_t\, x_0, \qquad "
        r"\frac{\mathrm{d} x_t}{\mathrm{d} t} = v(x_t, t) = "
        r"\mathbb{E}\left[\dot\alpha_t\, x_1 + \dot\sigma_t\, x_0 \mid x_t\right], \qquad "
        r"S = \int_0^1 \mathbb{E} \left\lVert (Z_1 - Z_0) - "
        r"\frac{\mathrm{d} Z_t}{\mathrm{d} t} \right\rVert^2 \mathrm{d} t"
    ),
    symbols=(
        ("x_0, x_1", "noise, and a point of the data"),
        (
            r"\alpha_t, \sigma_t",
            "signal and spread: $t$ and $1 - t$ for flow matching; for "
            "diffusion their squares sum to 1",
        ),
        ("v", "the field: what flow matching learns, and diffusion's probability-flow ODE"),
        (r"\dot\alpha_t, \dot\sigma_t", "how fast signal and spread change"),
        (r"\mathbb{E}[\,\cdot \mid x_t]", "the mean over all noise and data that meet at $x_t$"),
        ("Z_t", "a point on its road along the field, from noise $Z_0$ to its end $Z_1$"),
        ("S", "the straightness: 0 where one Euler step leads to the end"),
    ),
    source=(
        "Albergo et al. 2023, *Stochastic Interpolants*, section 2; Song et al. 2021, *Score-Based "
        "Generative Modeling through SDEs*, eq. 13; Liu et al. 2023, *Flow Straight and Fast*, "
        "algorithm 1 and $S(Z)$"
    ),
)
