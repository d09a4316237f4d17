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
