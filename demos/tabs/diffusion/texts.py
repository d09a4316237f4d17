"""The words of the Diffusion tab."""

from demos.page.explain import Explanation

GENERATE = Explanation(
    sentence=(
        "A diffusion model starts from pure noise and removes a little of it at each step (the "
        "reverse process). Press Generate, then drag through time."
    ),
    paragraph=(
        "The network has learned one thing: shown a picture with noise on it, and told how much, "
        "it says **which part is noise** (right). (Its raw answer is a blend of noise and "
        "picture, *v*, from which both can be computed. The predicted noise, times a negative "
        "factor, is the *score*, the slope of log p(xₜ).) Taking all of that away at once gives a "
        "**guess of the finished picture** (middle): at first a blur, the average of all that "
        "could still come out. So a solver (or sampler) takes only a small step towards it "
        "(left), asks again, and the guess sharpens. At the end nothing is left to predict, and "
        "the right lane keeps its last answer. With **fewer steps** the path is cut short; some "
        "solvers stand that better than others. **Guidance** (classifier-free) asks twice, with "
        "the class and without, and goes further in the direction in which the two answers "
        "differ: pictures become more typical of their class, and more alike. The same seed is "
        "the same first noise."
    ),
    formula=(
        r"\begin{gathered} "
        r"\hat\epsilon = \epsilon_\theta(x_t, t) + w \left(\epsilon_\theta(x_t, t, c) - "
        r"\epsilon_\theta(x_t, t)\right) \\[.6em] "
        r"\hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\; \hat\epsilon}"
        r"{\sqrt{\bar\alpha_t}} \\[.6em] "
        r"x_s = \sqrt{\bar\alpha_s}\; \hat x_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\; \hat\epsilon "
        r"+ \sigma z \end{gathered}"
    ),
    symbols=(
        ("x_t", "the picture at time $t$: from 1000, pure noise, down to 0, the finished picture"),
        (r"\epsilon_\theta", "which part the network, with weights $\\theta$, takes for noise"),
        ("c", "the class; without it, the network answers for clothes of any kind"),
        ("w", "the guidance scale"),
        (r"\hat\epsilon", "the predicted noise (right lane)"),
        (r"\hat x_0", "the guess of the finished picture (middle lane)"),
        (r"\bar\alpha_t", "the share of the picture's variance that is left at time $t$"),
        ("s", "the next, less noisy time"),
        (r"\sigma", "how much fresh noise the step adds: none in DDIM with eta 0, most in DDPM"),
        ("z", "fresh noise, drawn from a standard normal distribution"),
    ),
    source=(
        "Ho & Salimans 2022, *Classifier-Free Diffusion Guidance*, eq. 6, with $w$ here for their "
        "$1 + w$; Song et al. 2021, *Denoising Diffusion Implicit Models*, eq. 9 and 12"
    ),
)

FORWARD = Explanation(
    sentence=(
        "Training needs noisy pictures, and those are easy to make: mix a picture with noise, "
        "more and more, until nothing is left of it (the forward process). Press Dissolve, then "
        "drag through time."
    ),
    paragraph=(
        "Nothing is learned on this way, and no step waits for the one before: the picture at "
        "**any** time t is one weighted sum of the clean picture and one noise, with weights "
        "from the **noise schedule**. Their squares add up to one, so the pixels vary about as "
        "widely at every moment. The **signal-to-noise ratio** falls from thousands to almost "
        "nothing. The lane on the right asks the trained network at each moment what the picture "
        "was: it recovers details for a surprisingly long time, then only the kind of thing it is, "
        "and in the end it can do no better than the average of all clothes."
    ),
    formula=(
        r"x_t = \sqrt{\bar\alpha_t}\; x_0 + \sqrt{1 - \bar\alpha_t}\; \epsilon, \qquad "
        r"\bar\alpha_t = \prod_{i=1}^{t} (1 - \beta_i), \qquad "
        r"\mathrm{SNR}(t) = \frac{\bar\alpha_t}{1 - \bar\alpha_t}"
    ),
    symbols=(
        ("x_0", "the clean picture, pixels from -1 (black) to 1 (white)"),
        ("x_t", "the picture with noise, at time $t$ from 0 to 1000"),
        (r"\epsilon", "the noise: one number for each pixel, standard normal"),
        (r"\beta_i", "the variance that moment $i$ adds: it rises evenly from 0.0001 to 0.02"),
        (r"\bar\alpha_t", "the share of the picture's variance that is left"),
        (r"\mathrm{SNR}(t)", "signal to noise: how much stronger the picture is than the noise"),
    ),
    source=(
        "Ho et al. 2020, *Denoising Diffusion Probabilistic Models*, eq. 4 and section 4; Kingma "
        "et al. 2021, *Variational Diffusion Models*, eq. 2"
    ),
)

SCHEDULES = Explanation(
    sentence=(
        "How fast should a picture dissolve? Five noise schedules mix the same picture with the "
        "same noise. Drag along the curves: they end alike, and differ in where they spend "
        "their time."
    ),
    paragraph=(
        "A schedule says how much of the picture (α) and of the noise (σ) is in the mixture at "
        "each time t. The network is trained at times drawn evenly, so a schedule decides **which "
        "noise levels it sees often**. The *linear* one, of the first diffusion models, drowns the "
        "picture early: a third of its times show nearly pure noise. The *cosine* one changes at "
        "an even pace. The *sigmoid* one nearly coincides with it, but reaches both ends faster. "
        "In a **larger picture** neighbouring pixels tell the same story, the noise averages out, "
        "and more of it is needed to hide as much: the *shifted* one multiplies the ratio of "
        "picture to noise (move the slider). *Flow matching* walks in a straight line from one to "
        "the other. All that counts in the end is the **signal-to-noise ratio** (last chart): two "
        "schedules with the same ratios at the same times are the same but for the scale of the "
        "mixture."
    ),
    formula=(
        r"\begin{gathered} x_t = \alpha_t\, x_0 + \sigma_t\, \epsilon, \qquad "
        r"\mathrm{SNR}(t) = \frac{\alpha_t^2}{\sigma_t^2} \\[.6em] "
        r"\text{shifted:}\quad \log \mathrm{SNR}'(t) = \log \mathrm{SNR}(t) + 2 \log s \qquad "
        r"\text{flow:}\quad \alpha_t = 1 - t,\; \sigma_t = t \end{gathered}"
    ),
    symbols=(
        ("x_0", "the clean picture"),
        (r"\epsilon", "the noise: one number for each pixel, standard normal"),
        (
            r"\alpha_t, \sigma_t",
            "how much of each is in the mixture; $\\alpha^2 + \\sigma^2 = 1$ but for flow",
        ),
        (r"\mathrm{SNR}", "signal to noise: how much stronger the picture is than the noise"),
        ("s", "the shift"),
    ),
    source=(
        "Kingma et al. 2021, *Variational Diffusion Models*, eq. 2; cosine: Salimans & Ho 2022, "
        "*Progressive Distillation*; sigmoid: Chen 2023, *On the Importance of Noise Scheduling*, "
        "algorithm 1; shifted: Hoogeboom et al. 2023, *simple diffusion*, section 3.1"
    ),
)

EDIT = Explanation(
    sentence=(
        "A model that has only learned to draw can also edit: it fills holes, turns strokes into "
        "pictures, sharpens what is blurred, and was trained for none of it. Choose what to do, "
        "paint over the picture, and press Edit."
    ),
    paragraph=(
        "Drawing goes step by step, and each step can be told what is known.\n\n"
        "- **Fill in**: the pixels that you leave alone are replaced at each step by those of the "
        "picture, with as much noise as the others have (RePaint). Going over each step several "
        "times (Rounds, under Advanced) makes old and new fit.\n"
        "- **Strokes** and **Vary**: the picture is noised, and drawn anew from there (SDEdit). "
        "Noise covers small things first, so the strength says what is kept.\n"
        "- **Another class**: without chance, drawing follows a curve that can be walked "
        "backwards, from the picture to the very noise that gives it (inversion), and forwards as "
        "another class: a bag becomes the coat that comes from the same noise. The way back as the "
        "same class should return the picture. With guidance on the way back alone it does not: a "
        "line under the timeline says by how much.\n"
        "- **Blur** and **Enlarge**: a camera saw a blurred or smaller picture, with noise. At "
        "each step the guess of the picture is moved to where it would have looked like that, as "
        "far as the network is unsure of it; backpropagation through the network tells how "
        "unsure.\n\n"
        "What is lost cannot be known. **Every draw is one possible answer** and looks like "
        "clothes; their mean is closest to the truth (in decibels, higher is closer), and blurred "
        "where they differ. The filters beside them do not know what clothes look like."
    ),
    formula=(
        r"\begin{gathered} "
        r"x_s = m \odot \tilde x_s + (1 - m) \odot (a_s x_0 + b_s \epsilon) \\[.6em] "
        r"\frac{d z}{d \sigma} = \epsilon_\theta(x_t, t, c) \\[.6em] "
        r"z = x_t / a_t, \quad \sigma = b_t / a_t \\[.6em] "
        r"\hat x_0' = \hat x_0 + V A^{\!\top} (A V A^{\!\top} + \eta^2)^{-1} (y - A \hat x_0) "
        r"\\[.6em] V = \frac{b_t^2}{a_t} \frac{\partial \hat x_0}{\partial x_t} "
        r"\end{gathered}"
    ),
    symbols=(
        ("x_t, x_s", "the picture with noise, now and after the next step"),
        ("a_t, b_t", "how much of picture and of noise is in it: $x_t = a_t x_0 + b_t \\epsilon$"),
        ("x_0", "the picture that is given"),
        ("z", "the picture with noise, scaled so that the picture's share is 1"),
        ("m", "the mask: 1 where to draw"),
        (r"\tilde x_s", "what a step of drawing makes"),
        (r"\sigma", "noise to signal, along which the curve is walked in either direction"),
        (r"\epsilon_\theta", "the noise that the network sees in $x_t$, asked for class $c$"),
        (r"\hat x_0", "its guess of the picture; with a prime, once $y$ is known"),
        ("A", "what the camera does: a blur, or means over blocks"),
        (r"y, \eta", "what it saw, and the standard deviation of its noise"),
        ("V", "the covariance of what the picture could be (Tweedie's formula)"),
    ),
    source=(
        "Lugmayr et al. 2022, *RePaint*, eq. 8; Meng et al. 2022, *SDEdit*, algorithm 2; Song et "
        "al. 2021, *Denoising Diffusion Implicit Models*, section 4.3, and Mokady et al. 2023, "
        "*Null-text Inversion*, section 3.1; Rozet et al. 2024, *Learning Diffusion Priors from "
        "Observations by Expectation Maximization*, eq. 13 and 15, after Chung et al. 2023, "
        "*Diffusion Posterior Sampling*"
    ),
)
