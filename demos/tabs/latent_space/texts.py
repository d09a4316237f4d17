"""The words of the Latent space tab."""

from demos.page.explain import ARC_FORMULA, ARC_SOURCE, ARC_SYMBOLS, Explanation

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
    formula=r"z(t) = (1 - t)\, z_a + t\, z_b \qquad \text{or} \qquad " + ARC_FORMULA,
    symbols=(("z_a, z_b", "the codes of the two ends, 64 numbers each"), *ARC_SYMBOLS),
    source=ARC_SOURCE,
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

KL = Explanation(
    sentence=(
        "Two small things make an autoencoder a model that can draw: the KL term, and the way in "
        "which its codes are drawn. Leave one out and see what breaks."
    ),
    paragraph=(
        "The **KL term** (Kullback-Leibler) is a price: the encoder gives each picture a cloud of "
        "codes, and pays more the more that differs from the one big cloud from which random codes "
        "are drawn. It is counted in nats, of 1.44 bits each. All models here learned from the "
        "same portraits, from the same seed; each differs in one thing (the last two also have "
        "fewer steps and narrower layers, which is enough for what they show). **Without the KL** "
        "it is a plain autoencoder. It copies well, for nothing keeps it from giving every picture "
        "a place of its own. But nothing asks these places to lie where random codes are drawn, or "
        "side by side: there are **holes**, and the decoder was never asked what to draw there. "
        "**With KL** random codes do better, though not well: this decoder learns how sure of its "
        "pixels it can be, and to one that is so sure a bit of code is cheap, so the clouds are "
        "small, and in 64 dimensions much room is left between them. Weigh the KL **4 times** as "
        "heavily: the clouds grow and leave fewer holes, and the copies look the same. **64 "
        "times**: now every bit is dear. Random codes give whole people at last, but the code "
        "tells large things only, and faces are mist. The best weight lies in between: see the "
        "Fréchet distance below. **The gradient cut**: training has to know how the code changes "
        "when the encoder does. The trick is to draw noise apart from it, and then to shift and "
        "stretch that noise; if z is drawn as if it came from nowhere, the gradient stops there. "
        "The encoder hears the KL alone and obeys it perfectly: every picture gets the same cloud. "
        "Now the code tells nothing, and the decoder's best answer is the mean of all faces. "
        "**Rate** and **distortion** below say where each model stands between the two: a small "
        "rate is a code that tells little, a small distortion a faithful copy; a loss can weigh "
        "them, but not have both for nothing."
    ),
    formula=(
        r"\mathcal{L}_\beta(x) = \underbrace{\mathbb{E}_{\varepsilon}\left[-\log p_\theta\left(x "
        r"\mid z\right)\right]}_{\text{distortion}} + \beta \; \underbrace{D_{\mathrm{KL}}\left("
        r"q_\phi(z \mid x)\,\Vert\,p(z)\right)}_{\text{rate}}, \qquad z = \mu_\phi(x) + "
        r"s_\phi(x)\, \varepsilon"
    ),
    symbols=(
        (r"\mathcal{L}_\beta", "the loss: what training makes small"),
        (r"\mathbb{E}_{\varepsilon}", "the mean over the noise"),
        (r"D_{\mathrm{KL}}", "Kullback-Leibler divergence: how far the cloud is from the prior"),
        ("x", "a portrait"),
        (r"\beta", "the weight of the KL term: 1, 0, 4 or 64 here"),
        (r"z", "its code, 64 numbers, drawn by the reparameterisation trick"),
        (r"\mu_\phi(x), s_\phi(x)", "mean and spread of the encoder's cloud"),
        (r"\varepsilon", "noise from a standard normal distribution, which knows nothing of x"),
        (r"p_\theta(x \mid z)", "the decoder: a Gaussian around the picture it draws from z"),
        (r"q_\phi(z \mid x)", "the cloud itself"),
        ("p(z)", "the prior, a standard normal distribution: where random codes are drawn from"),
        (r"\theta, \phi", "the weights of the decoder and of the encoder"),
    ),
    source=(
        "the trick: Kingma & Welling 2014, *Auto-Encoding Variational Bayes*, eq. 4; the weight: "
        "Higgins et al. 2017, *beta-VAE*, eq. 4; rate against distortion: Alemi et al. 2018, "
        "*Fixing a Broken ELBO*; holes: Ghosh et al. 2020, *From Variational to Deterministic "
        "Autoencoders*"
    ),
)

WHY_FORGET = (
    "Nothing asks the codes of pictures to lie where random codes are drawn: copies are good, but "
    "a random code falls into a hole."
)
WHY_CUT = (
    "The gradient stops at the draw, so the encoder never hears how well its code served: it gives "
    "every picture the same cloud, and every copy is the mean of all faces."
)
AWAY = (
    "2×: as a classifier sees it, twice as far from the nearest of {count} portraits as these are "
    "from each other."
)
HOLES = "Distance to the nearest of {count} portraits; these are 1 apart"

WALK = """### The same walk in each

Straight from one code to another. In a hole the decoder draws what it was never asked for; where
there is a figure beside a name, it is how far from any portrait the walk leads."""

FIGURES = """### What it costs, and what it is worth

**Rate** is what a code tells of a picture, **distortion** how far the copy is off; Fréchet
distance compares new faces, from random codes, with portraits. Each point says how its model
weighed the KL term."""
CURVES = "### How training went"
NO_FRECHET = "The Fréchet distance of new faces has not been measured yet."
FROM_TRAINING = "Hollow: as training ended; not measured on other portraits yet."

ANOMALY = Explanation(
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
