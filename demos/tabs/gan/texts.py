"""The words of the GAN tab."""

from demos.page.explain import ARC_FORMULA, ARC_SOURCE, ARC_SYMBOLS, Explanation
from demos.tabs.gan.real_clothes import OF_EACH as REAL_OF_EACH
from gen_core.data import CLASSES
from gen_core.families.gan import GANConfig
from gen_core.families.style_gan import MIXED, TYPICAL, StyleGANConfig
from gen_core.training.recipes import RECIPES

GAME_SYMBOLS = (
    ("G", "the generator: turns random numbers into a picture"),
    ("D", "the discriminator: its probability, from 0 to 1, that a picture is real"),
    ("x", "a picture"),
    ("z", "a latent code: 64 random numbers"),
    (r"p_{\mathrm{data}}", "the distribution of real pictures"),
)
REAL_SHIPPED = REAL_OF_EACH * len(CLASSES["fashion"])
GOODFELLOW = "Goodfellow et al. 2014, *Generative Adversarial Nets*"
SETTINGS = {
    "r1": "the weight of the gradient penalty γ",
    "momentum": "the optimiser's momentum",
    "discriminator_every": "the steps between two updates of the discriminator",
    "lr_generator": "the generator's learning rate",
    "lr_discriminator": "the discriminator's learning rate",
}
"""Of GANConfig: what the two runs may differ in."""


def differences() -> str:
    """What the collapsed run changes at its turn: "the optimiser's momentum (0.5, not 0)"."""
    recipe = RECIPES["gan-fashion-collapsed"]
    before, after = (GANConfig(**recipe.config_after(step)) for step in (0, recipe.switch_step))
    changed = [
        f"{what} ({getattr(after, key):g}, not {getattr(before, key):g})"
        for key, what in SETTINGS.items()
        if getattr(after, key) != getattr(before, key)
    ]
    return ", ".join(changed[:-1]) + " and " + changed[-1]


SAMPLES = Explanation(
    sentence=(
        "A generative adversarial network (GAN) is a game: a generator forges pictures, a "
        "discriminator tries to catch them, and both get better. Each picture here is a forgery, "
        "drawn from its seed."
    ),
    paragraph=(
        "The **generator** never sees a real picture. It turns 64 random numbers and a class into "
        "a picture and learns only from the **discriminator**, which sees real and generated "
        "pictures in turn and says which is which. Whatever gives the generator away, blur "
        "included, the discriminator can learn to notice: that is why these pictures are sharper "
        "than a VAE's. One pass through the network and the picture is there, so a GAN is fast. "
        "The price is that the game has no single loss to minimise, may not converge, and may "
        "leave out part of the data (see *Mode collapse*). **Truncation** ψ (the truncation "
        "trick) trades variety for fidelity: the random numbers become a *style*, and ψ pulls it "
        "towards the mean style of the class."
    ),
    formula=(
        r"\min_G \max_D\; \mathbb{E}_{x \sim p_{\mathrm{data}}}[\log D(x)] + "
        r"\mathbb{E}_{z}[\log(1 - D(G(z)))], \qquad "
        r"w' = \bar w + \psi\,(w - \bar w)"
    ),
    symbols=(
        *GAME_SYMBOLS,
        (r"\mathbb{E}", "the mean over real pictures, or over random codes"),
        ("w", "the style that the generator makes of $z$ and the class; it steers every layer"),
        (r"\bar w", "the mean style of the class"),
        (r"\psi", "truncation: 0 gives $\\bar w$, 1 leaves $w$ as it is"),
    ),
    source=(
        f"{GOODFELLOW}, eq. 1; the generator minimises the non-saturating loss of its section 3, "
        "$-\\log D(G(z))$, whose gradient does not vanish while it still loses. Truncation: "
        "Karras et al. 2019, *A Style-Based Generator Architecture*, appendix B"
    ),
)

DISCRIMINATOR = Explanation(
    sentence=(
        "How real does each picture look to the discriminator, the network that hunts for "
        "forgeries? Mix in real pictures and see whether it can tell them apart."
    ),
    paragraph=(
        "Its answer is one number, the **logit**: above 0 it says *real*. Squeezed into 0 to 100% "
        "it is a probability. Early in training it finds every forgery. If the generator were "
        "perfect, the two kinds could not be told apart and the best possible answer to every "
        "picture would be **50%**: so the closer both kinds crowd around the middle of the line, "
        "the better the forger, if the judge is any good. The discriminator knows the class and "
        "asks *is this a real sneaker?* rather than *is this real?*; a drawing or an upload is "
        "judged as the class it passes for best. It learned from training pictures, so it can also "
        "be fooled by what it never saw: a photograph of anything else."
    ),
    formula=(
        r"D(x) = \frac{1}{1 + e^{-\ell(x)}}, \qquad "
        r"D^*(x) = \frac{p_{\mathrm{data}}(x)}{p_{\mathrm{data}}(x) + p_G(x)}"
    ),
    symbols=(
        *(pair for pair in GAME_SYMBOLS if pair[0] not in ("G", "z")),
        (r"\ell(x)", "the logit: what the network answers, any number"),
        ("D^*", "the best possible discriminator against a given generator"),
        ("p_G", "the distribution of the generator's pictures: if it equals the real, $D^* = 1/2$"),
    ),
    source=f"{GOODFELLOW}, proposition 1 (eq. 2)",
)

REAL_OR_FAKE = Explanation(
    sentence=(
        "Now you are the discriminator. Ten pictures, each real or drawn by a network, as a coin "
        "fell: tell them apart, then see the truth, and what the GAN's own discriminator said of "
        "the same ten."
    ),
    paragraph=(
        "Begin with a GAN that has trained for a few steps: its forgeries are blots, and you will "
        "hardly miss one. Each opponent further down the list has trained for longer; finished "
        "models wait at the end. Watch whether **your score** falls towards 5 of 10, which a coin "
        "gets too: a perfect forger leaves no more than that to any judge. **The network** beside "
        "you is the discriminator of that training as it stood at the end. It may see traces that "
        "no eye notices, but is no oracle: it learned from training pictures, and takes many a "
        "test picture for a forgery. **Ten pictures say little**: "
        "someone who guesses gets 7 or more right in one round of six. So play several rounds. "
        "The card counts them, and gives the interval in which your share lies. Real pictures are "
        f"{REAL_SHIPPED} of the test set, {REAL_OF_EACH} of each class, which no model here was "
        "trained on. A model that draws what it is asked for is asked for a class at random, as "
        "the real pictures are of classes at random; the others draw what they like."
    ),
    formula=(
        r"\max_D\, \tfrac{1}{2} \Pr_{x \sim p_{\mathrm{data}}}[D(x) > \tfrac{1}{2}] + "
        r"\tfrac{1}{2} \Pr_{x \sim p_G}[D(x) \le \tfrac{1}{2}] = \tfrac{1}{2} + \tfrac{1}{2}\, "
        r"\mathrm{TV}(p_{\mathrm{data}}, p_G), \qquad \frac{k + z^2/2}{n + z^2} \pm "
        r"\frac{z}{n + z^2} \sqrt{\frac{k (n - k)}{n} + \frac{z^2}{4}}"
    ),
    symbols=(
        *(pair for pair in GAME_SYMBOLS if pair[0] not in ("G", "z")),
        ("p_G", "the distribution of the pictures that are not real"),
        (
            r"\mathrm{TV}",
            "the total variation distance: 0 if the two distributions are equal, 1 if they share "
            "no picture. The left side is how often the best possible judge is right",
        ),
        ("k", "how many you got right"),
        ("n", "of how many"),
        ("z", "1.96, for an interval that holds the true share with 95% confidence"),
    ),
    source=(
        "Lopez-Paz and Oquab 2017, *Revisiting Classifier Two-Sample Tests*, section 3; the "
        "interval: Wilson 1927, *Probable Inference, the Law of Succession, and Statistical "
        "Inference*"
    ),
)

WALK = Explanation(
    sentence=(
        "Between any two seeds lie countless other pictures. Walk from seed to seed and back to "
        "the first: clothes change shape without a jump."
    ),
    paragraph=(
        "Every seed is a point in **latent space**, 64 numbers. The path goes along arcs, because "
        "random points in so many dimensions all lie at about the same distance from the centre, "
        "and the straight line between two of them passes nearer to the centre, where the "
        "generator was hardly trained. (This generator scales every point to the same length "
        "first, so for it a straight line would only change the speed.) A generator that had "
        "learned its training set by heart would mostly rest at single pictures and hurry between "
        "them; an even walk is a sign, if no proof, that it has not. With **all ten classes** on "
        "the same path, look at what they have in common at the same moment: width, brightness, "
        "texture, whatever the network keeps apart from the class."
    ),
    formula=ARC_FORMULA,
    symbols=(("z_a, z_b", "the codes of two seeds, 64 numbers each"), *ARC_SYMBOLS),
    source=ARC_SOURCE,
)

COLLAPSE = Explanation(
    sentence=(
        "A generative adversarial network (GAN) is a game: a generator forges pictures, a "
        "discriminator tries to catch them. It was played twice. In one run the discriminator "
        "stops keeping up, and the generator finds a few pictures that win and draws nothing "
        "else: mode collapse. Drag through training and watch it happen."
    ),
    paragraph=(
        "Both grids are drawn from the **same seeds** by the generators as they were during "
        "training. The generator is graded on each forgery by itself, never on variety: a forger "
        "who finds one picture that passes may paint only that one, until the discriminator "
        "learns it, and then moves on to the next. Apart from the learning-rate schedule and the "
        "averaging of weights, the two runs are the same until step "
        f"{RECIPES['gan-fashion-collapsed'].switch_step:,}. There the discriminator of the second "
        f"run is neglected: what changes is {differences()}. A generator that plays against a "
        "discriminator which hardly moves finds its blind spot, and every seed runs to it. The "
        "**gradient penalty** is there to keep the discriminator's slope gentle (in the healthy "
        "run it worked only in part, because of an error that was found later). The **bars** "
        "count what our classifier takes the samples for: a class is *alive* from 1% on. "
        "**Recall** is the share of real pictures that have a forgery near them. Read both with "
        "the pictures: blots early in training scatter over many classes by accident. The losses "
        "alone give little away, which is what makes collapse hard to notice while training."
    ),
    formula=(
        r"R_1 = \frac{\gamma}{2}\; \mathbb{E}_{x \sim p_{\mathrm{data}}} \left\lVert \nabla_x\, "
        r"\ell(x) \right\rVert^2, \qquad "
        r"\mathrm{recall} = \frac{1}{N} \sum_{i=1}^{N} \mathbf{1}\!\left[ "
        r"\varphi_i \in \bigcup_{j} B(\hat\varphi_j, r_j) \right]"
    ),
    symbols=(
        (r"\ell(x)", "the discriminator's logit for a real picture $x$"),
        (r"\gamma", f"the weight of the penalty, {GANConfig.r1:g}"),
        (r"\nabla_x", "its slope: how fast the verdict changes with the pixels"),
        (r"\mathbb{E}_{x \sim p_{\mathrm{data}}}", "the mean over real pictures"),
        (r"\varphi_i", "the classifier's features of the $i$-th of $N$ real pictures"),
        (r"\hat\varphi_j", "its features of the $j$-th generated picture"),
        ("B", "a ball around it with radius $r_j$, which reaches its third nearest neighbour"),
        (r"\mathbf{1}", "1 if the real picture lies in one of the balls, else 0"),
    ),
    source=(
        "Mescheder et al. 2018, *Which Training Methods for GANs Do Actually Converge?*, eq. 9; "
        "Kynkäänniemi et al. 2019, *Improved Precision and Recall Metric*, eq. 2"
    ),
)

# --- portraits ------------------------------------------------------------------------------------

KARRAS = "Karras et al. 2019, *A Style-Based Generator Architecture for GANs*"
CODES = (
    ("z", f"a latent code: {StyleGANConfig.latent} random numbers"),
    ("y", "what is asked for: every attribute, as you chose it or at random"),
    ("f", f"the mapping network: {StyleGANConfig.mapping} small layers"),
    ("w", "the style that it makes of $z$; every layer of the generator follows one"),
    (r"\bar w", f"the mean style of {TYPICAL:,} people, measured after training"),
    (r"\psi", "truncation: 0 gives $\\bar w$, 1 leaves $w$ as it is"),
)

PORTRAITS = Explanation(
    sentence=(
        "The same game with portraits in colour: a whole person in one pass. Choose what all of "
        "them should have, and see at once what the generator draws. Further down: a count of "
        "what it draws too seldom."
    ),
    paragraph=(
        "This is a style-based generator (StyleGAN): the random numbers do not enter it at its "
        "start. A **mapping network** first turns them, and what is asked for, into a *style*, "
        "which then modulates every layer, from a feature map of 4 by 4 up to "
        f"{StyleGANConfig.size} by {StyleGANConfig.size}: it says which channels count there, and "
        "how much. **Grain** is fresh noise at every layer, for random detail. **Truncation** ψ "
        "pulls each style towards that of the average person: portraits get more alike and what "
        "was asked for fades, until at ψ = 0 all are the same. The game itself is played in pairs "
        "here (a relativistic GAN): the discriminator is shown a forgery beside a real portrait "
        "and says how much more real the one looks than the other. And it is asked a **second "
        "question** (an auxiliary classifier): what does the picture show? It learns the answers "
        "from the portraits of the data, of which every attribute is known, and the game is "
        "played for each answer too: which of two turbans is the real one? This helps against "
        "mode collapse, which sharp pictures do not reveal: a generator that is told nothing may "
        "please the discriminator and never draw a turban. Last, both portraits of a pair show "
        "what was asked for, so a forgery should look **like its real portrait** to each layer of "
        "the discriminator (feature matching): that tells the generator what is missing and "
        "where. What you leave open is chosen at random, as often as in the data. A separate "
        "network, which had no part in the training, counts how often the generator obeys."
    ),
    formula=r"w = f(z, y), \qquad w' = \bar w + \psi\,(w - \bar w), \qquad x = G(w', \dots, w')",
    symbols=(
        *CODES,
        ("w'", "the style that is drawn with"),
        ("G", "the generator, which takes a style for each layer"),
        ("x", "a picture"),
    ),
    source=(
        f"{KARRAS}, section 2; truncation: its appendix B; the second question: Odena et al. 2017, "
        "*Conditional Image Synthesis with Auxiliary Classifier GANs*; in pairs: Huang et al. "
        "2024, *The GAN is dead; long live the GAN!*, section 2.1; for each answer too: Hou et al. "
        "2022, *Conditional GANs with Auxiliary Discriminative Classifier*; alike to each layer: "
        "Wang et al. 2018, *High-Resolution Image Synthesis and Semantic Manipulation with "
        "Conditional GANs*, section 3.2"
    ),
)

STYLES = Explanation(
    sentence=(
        "The generator draws in layers, from coarse to fine, and each layer follows a style. Mix "
        "two people: one gives the style of the coarse layers, the other that of the fine ones."
    ),
    paragraph=(
        "Each row gives its style to the first layers, where maps are small, each column to the "
        "rest. Move **Layers from the row** and watch what changes hands: in this generator the "
        "first two settle the background, the clothes and how the head is turned, the next two "
        "hats and the shape of the hair, then come skin, hair colour and the face; what the last "
        "ones follow can hardly be seen. Who was asked for is part of a style, too. Nobody told "
        "the layers what to do; they divide the work because a small map can only hold what is "
        f"large, and because in training {MIXED:.0%} of the pictures were drawn from two styles "
        "with a random turn between them, "
        "so that no layer may rely on knowing what "
        "the others follow. Read along a row for what the coarse layers keep, down a column for "
        "what the fine ones do."
    ),
    formula=(
        r"x = G(\underbrace{w_a, \dots, w_a}_{k}, "
        r"\underbrace{w_b, \dots, w_b}_{L - k})"
    ),
    symbols=(
        ("w_a, w_b", "the styles of the row's seed and of the column's, truncated alike"),
        ("k", "the layers that follow the row: from the coarsest on"),
        ("L", "all layers: one at 4 by 4 pixels, two at each resolution above"),
        ("G", "the generator"),
        ("x", "a picture"),
    ),
    source=f"{KARRAS}, section 3.1 and figure 3",
)

CENSUS = """### Does it draw everything as often as it should?

The judge, a separately trained classifier, looks at generated portraits and at those of the data,
and counts what it sees."""
PARTS = (
    "Age, smile and other scales, cut into ten parts each: {within} parts are drawn about as "
    "often as in the data"
)
HOW_TO_READ = (
    "Each line: the share of generated portraits, then the share in the data. A figure at the "
    "end, such as 0.40×, marks what is drawn less than half or more than twice as often as in the "
    "data. Where a hat hides the hair, the judge has to guess, in both."
)
NOT_COUNTED = (
    "What this generator draws too often or never has not been counted yet: "
    "`python -m gen_core evaluate {name} --write` does it."
)
