"""The words of the Latent space tab."""

from demos.page.explain import ARC_FORMULA, ARC_SOURCE, ARC_SYMBOLS, Explanation

RADFORD = "Radford et al. 2016, *Unsupervised Representation Learning with DCGANs*, section 6.3.2"

SLIDERS = Explanation(
    sentence=(
        "Nobody told the model what a smile is, yet there is a direction in its latent space that "
        "makes faces smile. Move a slider and see what changes, and what else changes with it."
    ),
    paragraph=(
        "A variational autoencoder has squeezed fifty thousand portraits into 64 numbers each. "
        "**By meaning**: we know of each portrait whether it smiles, how old it is, what it "
        "wears, so a small network can learn to read these traits from the 64 numbers. From any "
        "face, a slider then moves the code so that the reading of its own trait grows and the "
        "others stay (a disentangled edit), in small steps, because the direction changes on the "
        "way. **By variance**: the directions along which codes differ most (principal "
        "components, PCA), found without any label. They are the model's own view of what "
        "matters: mostly large areas of colour. A separately trained classifier looks at the "
        "picture after every move and says what it sees change, in standard deviations of the "
        "data, so that you can compare what a slider does with what it claims. The faces are "
        "drawn by a program and belong to nobody; the model was not trained on the ones you find "
        "here."
    ),
    formula=(
        r"z \leftarrow z + \Sigma J^\top \left( J \Sigma J^\top + \lambda I \right)^{-1} "
        r"\frac{s}{n}, \qquad J = \frac{\partial a(z)}{\partial z}, \qquad n \text{ times}"
    ),
    symbols=(
        ("z", "the code of the face, 64 numbers"),
        ("a(z)", "the traits as the small network reads them from the code"),
        ("J", "how each reading changes with each number, at this face"),
        ("s", "the sliders: by how many standard deviations each trait should change"),
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

Each slider was moved from −2 to +2 on faces that were not used for training, and a separately
trained classifier compared the two ends."""

NO_MEASURED = "The sliders have not been measured: `python -m gen_core atlas vae-avatars --write`."

BETWEEN = Explanation(
    sentence=(
        "Choose two faces and turn one into the other, step by step. Mixing their pixels would "
        "give a double exposure; mixing their codes gives a new person."
    ),
    paragraph=(
        "Each end is a portrait by its number, a random code, your own drawing or a picture of "
        "yours. Both are encoded, and the decoder draws what lies between. The **straight** line "
        "between two random codes passes nearer to the centre of the space, where few codes lie; "
        "the **spherical** path (slerp) keeps its distance, as the chart shows. The codes of "
        "portraits, too, lie well away from the centre, so here the straight line dips as well. "
        "Look at the middle: hair that is neither long nor short, glasses that are half there. "
        "Nothing in the data looks like that: the decoder turns one into the other smoothly, "
        "whether or not such a face can exist."
    ),
    formula=r"z(t) = (1 - t)\, z_a + t\, z_b \qquad \text{or} \qquad " + ARC_FORMULA,
    symbols=(("z_a, z_b", "the codes of the two ends, 64 numbers each"), *ARC_SYMBOLS),
    source=ARC_SOURCE,
)

MIX = Explanation(
    sentence=(
        "Calculate with faces: blend four of them, give one the glasses of another, or vary one a "
        "little, all by adding and subtracting their codes."
    ),
    paragraph=(
        "**Between four**: the corners are four faces, every picture in the grid is a mixture of "
        "their codes. **A − B + C**: what A has and B has not is added to C, as in *king − man + "
        "woman* (vector arithmetic). It works as far as the model keeps this difference in one "
        "direction, and leaves the rest of C alone only as far as that direction is disentangled, "
        "which means that it changes nothing else. **Variations**: a little noise on the code of "
        "one face; with more of it the face drifts away to another one that the model finds "
        "likely."
    ),
    formula=(
        r"z_{uv} = (1 - u)(1 - v)\, z_A + u (1 - v)\, z_B + (1 - u)\, v\, z_C + u v\, z_D, \qquad "
        r"z_C + s\, (z_A - z_B), \qquad z_A + \sigma\, \varepsilon"
    ),
    symbols=(
        ("z_A, z_B, z_C, z_D", "the codes of the four faces, 64 numbers each"),
        ("u, v", "how far to the right, how far down: 0 to 1"),
        ("s", "how much of the difference is added: 1 is the sum as it is written"),
        (r"\sigma, \varepsilon", "the strength of a variation, and its noise: one draw per seed"),
    ),
    source=f"arithmetic: {RADFORD}",
)

MAP = Explanation(
    sentence=(
        "Every dot is the code of a portrait; those that the model finds alike lie close "
        "together. Point anywhere to see the face of that place, or draw a path and watch the "
        "faces along it."
    ),
    paragraph=(
        "Nobody can look at 64 numbers at once, so a map has to leave things out, and each map "
        "leaves out something else. **Neighbours** (t-SNE) keeps together what is close in latent "
        "space: islands are groups that the model finds alike. Colour the dots by *background*, "
        "by *skin*, by *glasses* and see which of them the islands follow, and which are "
        "scattered all over. Distances between islands mean little there, and a step across a gap "
        "is a leap: the chart below the pictures shows how far the code really moves. **Widest "
        "plane** (PCA) is an honest flat cut through the middle, along the two directions in "
        "which codes differ most; the other 62 directions stay at their mean, and so the faces "
        "there are all a little average. **Clothes, two numbers** needs no such choice: that "
        "model has only two, and its whole latent space lies before you. The portraits were not "
        "used for training; their attributes are known because a program drew them, and the model "
        "was never told any."
    ),
    formula=(
        r"\begin{gathered} C = \sum_{i \ne j} p_{ij} \log \frac{p_{ij}}{q_{ij}}, \qquad q_{ij} = "
        r"\frac{\left(1 + \lVert y_i - y_j \rVert^2\right)^{-1}}"
        r"{\sum_{k \ne l} \left(1 + \lVert y_k - y_l \rVert^2\right)^{-1}} \\[1.2em] "
        r"z(y) = \frac{\sum_{k} w_k z_k}{\sum_{k} w_k}, \quad "
        r"w_k = e^{-3 \lVert y - y_k \rVert^2 / d^2} \end{gathered}"
    ),
    symbols=(
        ("C", "what the map of neighbours minimises: how badly it keeps what is close together"),
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
        "Two small things turn an autoencoder into a generative model: the KL term, which keeps "
        "its codes where random codes fall, and the reparameterisation trick, through which it "
        "learns. Leave one out and see what breaks."
    ),
    paragraph=(
        "The **KL term** (Kullback-Leibler divergence) is a price: the encoder gives each picture "
        "a cloud of codes, its posterior, and pays more the more it differs from the prior, the "
        "one big cloud from which random codes are drawn. It is counted in nats; 1 nat is 1.44 "
        "bits. All models here learned from the same portraits, from the same seed; each differs "
        "in one thing (the last two also have fewer steps and narrower layers, which is enough "
        "for what they show). **Without KL** it is a plain autoencoder. It copies well, for "
        "nothing keeps it from giving every picture a place of its own. But nothing keeps these "
        "places where random codes fall, or side by side: there are **holes**, and the decoder "
        "never learned what to draw there. **With KL** random codes do better, though not well. "
        "This decoder also learns the width σ of its pixel noise, and where σ is small, a nat of "
        "rate is cheap beside the distortion it saves. So the clouds stay small, and in 64 "
        "dimensions much room is left between them. Weigh the KL **4 times** as heavily (a β-VAE, "
        "β = 4): the clouds grow and leave fewer holes, and the copies look the same. **64 "
        "times**: now every nat is expensive. Random codes give whole people at last, but a code "
        "holds only what is large, and faces are blurred. The best weight lies in between: see "
        "the Fréchet distance below. **Without the trick**: training has to know how the code "
        "changes when the encoder does. The *reparameterisation trick* is to draw the noise "
        "separately, and to let the encoder shift and scale it; if z is sampled directly, the "
        "gradient stops there. The encoder then follows the KL term alone, and perfectly: every "
        "picture gets the same cloud, the prior. This is *posterior collapse*: the code says "
        "nothing, and the decoder's best answer is the mean of all faces. **Rate** and "
        "**distortion** below say where each model stands between the two: a small rate is a code "
        "that says little, a small distortion a faithful copy; a loss can weigh one against the "
        "other, but not have both for free."
    ),
    formula=(
        r"\mathcal{L}_\beta(x) = \underbrace{\mathbb{E}_{\varepsilon}\left[-\log p_\theta\left(x "
        r"\mid z\right)\right]}_{\text{distortion}} + \beta \; \underbrace{D_{\mathrm{KL}}\left("
        r"q_\phi(z \mid x)\,\Vert\,p(z)\right)}_{\text{rate}}, \qquad z = \mu_\phi(x) + "
        r"s_\phi(x)\, \varepsilon"
    ),
    symbols=(
        (r"\mathcal{L}_\beta", "the loss, which training minimises"),
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
    "Nothing keeps the codes of pictures where random codes fall: copies are good, but a random "
    "code lands in a hole, a gap that no picture uses."
)
WHY_CUT = (
    "The gradient stops at the random draw, so the encoder never learns how good the copies are: "
    "it gives every picture the same cloud, and every copy is the average of all faces."
)
AWAY = (
    "2×: as a classifier sees it, twice as far from the nearest of {count} portraits as a "
    "portrait usually is from its nearest."
)
HOLES = "Distance to the nearest of {count} portraits; 1 is usual for a portrait"

WALK = """### The same walk in every model

Straight from one code to another. In a hole the decoder draws what it never learned. A figure
beside a name says how far the walk gets from any portrait."""

FIGURES = """### How much each code says, and how good the faces are

**Rate** (KL divergence): how much a code says about its picture. **Distortion** (reconstruction
loss): how far the copy is off. **Fréchet distance**: how far new faces, from random codes, are from
portraits; less is better. Beside each point stands the weight of the KL term, β."""
CURVES = "### How training went"
NO_FRECHET = "The Fréchet distance of new faces has not been measured yet."
FROM_TRAINING = "Hollow points: the last values of training, not measured on other portraits yet."

ANOMALY = Explanation(
    sentence=(
        "A model that has seen nothing but portraits can draw nothing but portraits. Give it "
        "something else: how badly it fails says how odd that is."
    ),
    paragraph=(
        "Nobody told the model what an odd picture is. It learned to squeeze portraits into 64 "
        "numbers and to draw them again, and it is worse at whatever it never saw: that is "
        "**anomaly detection**, as used on X-rays, welds and bank transfers. Two scores are "
        "offered. The **error** is how far the copy is from the picture. The **bound** is the "
        "negative ELBO, in nats: an upper bound on how unlikely the model finds the picture, the "
        "cost of its code included. Here both give nearly the same order: codes cost about the "
        "same for every picture, so the error decides. Every score needs a **threshold**: a low "
        "one calls good portraits odd (a false alarm), a high one lets odd pictures through (a "
        "miss). The slider sets how many false alarms you accept; the **ROC curve** shows what "
        "every other threshold would do, and the area under it sums them up: 1 is perfect, 0.5 is "
        "guessing. The score says how much is wrong, but not what is wrong. **Where it is weak**: "
        "a block of one colour or a blur takes away what is hard to draw, so the copy can be as "
        "good as that of a portrait, and many pass, as the table says. Choose “blurred” or “a "
        "piece erased” and see. And a model of portraits says nothing about people: it knows the "
        "drawings it was shown."
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
    "In the third picture, full colour means that one of the copy's colours is off by half of its "
    "range or more: orange where it is too dark, blue where it is too bright, white where both "
    "agree."
)
