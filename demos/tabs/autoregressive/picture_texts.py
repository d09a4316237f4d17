"""The words of the Autoregressive tab's panels of pictures."""

from demos.page.explain import Explanation

RASTER = r"p(x) = \prod_{i=1}^{n} p(x_i \mid x_1, \ldots, x_{i-1}), \qquad "
SYMBOLS = (
    ("x", "a picture of $n = 784$ pixels"),
    ("x_i", "its $i$-th pixel in raster order, one of 256 greys"),
)
GATE = (
    "van den Oord et al. 2016, *Conditional Image Generation with PixelCNN Decoders*, eqs. 1 and 4"
)

PIXELS = Explanation(
    sentence=(
        "A picture is written like a text: line by line, pixel by pixel, each drawn from what the "
        "network expects after all those before it. Press Draw, then press any pixel, and give it "
        "another grey."
    ),
    paragraph=(
        "The order is that of reading (**raster order**). For each pixel the network gives a "
        "probability to each of the 256 greys: the bars. In the middle of a plain sleeve there "
        "is one high bar, at the edge of a garment there are two hills, one for fabric and one "
        "for the black behind it, and one of them is drawn. The **surprise** of a pixel is "
        "$-\\log_2$ of its probability. **Temperature**, **top k** and **top p** change the bars "
        "from which a pixel is drawn, as they do in a text. **Take another grey** for a pixel, "
        "and the network draws on from there: all before it stays, and so does the noise of "
        "every pixel. The network is a **PixelCNN**: convolutions that see only the rows above "
        "a pixel and what is left of it in its own. In training it looks at all pixels of a "
        "picture at once; to draw, it must be asked 784 times, one after the other."
    ),
    formula=RASTER
    + r"\mathbf{y} = \tanh(W_f * \mathbf{x} + V_f h) \odot \sigma(W_g * \mathbf{x} + V_g h)",
    symbols=(
        *SYMBOLS,
        (r"\mathbf{y}", "what a layer hands on: one half of it opens and shuts the other (a gate)"),
        (r"\mathbf{x}", "what the layer reads"),
        ("W_f, W_g", "convolutions of what is above and left"),
        ("h", "the class that is asked for; $V_f$ and $V_g$ put it into each layer"),
        (r"\sigma", "the logistic function; $\\odot$ multiplies number by number"),
    ),
    source=GATE,
)

TOKENS = Explanation(
    sentence=(
        "A portrait can be written in 256 tokens, each one of 512 little squares that a network "
        "chose for itself, and a transformer writes them as GPT writes words. Press Draw, then "
        "press a token, and put another one in."
    ),
    paragraph=(
        "Pixel by pixel, a portrait of 64 by 64 would take 12,288 steps. So a first network, a "
        "**VQ-VAE**, learns to squeeze it: for each square of 4 by 4 pixels its encoder looks up "
        "the nearest of 512 vectors, the **codebook**, and its decoder makes a picture again of "
        "the numbers alone. Right: the tokens, each as what its code stands for, as a number, or "
        "by its surprise. Left: what they decode to. As the decoder looks at neighbours too, a "
        "square still changes a little when those around it come. A second network, a "
        "**transformer**, has read the tokens of many portraits, with who they show written "
        "before them, and draws one after the other. **Put another code in**: all other tokens "
        "stay, and you see how far one reaches. **Draw on from here**: those behind it are drawn "
        "anew, with the same noise. DALL-E drew like this in 2021."
    ),
    formula=(
        r"z_i = \operatorname*{arg\,min}_k \lVert E(x)_i - e_k \rVert, \qquad "
        r"p(z \mid c) = \prod_{i=1}^{256} p(z_i \mid z_1, \ldots, z_{i-1}, c), \qquad "
        r"\hat{x} = D(e_{z_1}, \ldots, e_{z_{256}})"
    ),
    symbols=(
        ("x", "a portrait, $\\hat{x}$ what comes back of it"),
        ("E, D", "encoder and decoder"),
        ("e_k", "the $k$-th of 512 vectors of the codebook"),
        ("z_i", "the $i$-th token, a number from 0 to 511"),
        ("c", "what is asked for"),
    ),
    source=(
        "van den Oord et al. 2017, *Neural Discrete Representation Learning*, eqs. 1 and 2; Ramesh "
        "et al. 2021, *Zero-Shot Text-to-Image Generation*"
    ),
)

FINISH = Explanation(
    sentence=(
        "A model that draws from top to bottom can finish what somebody else began. Press Finish: "
        "the upper rows stay, and the rest is drawn in several ways."
    ),
    paragraph=(
        "Nothing special was trained for this: the pixels above are **given**, and drawing goes on "
        "behind them. Each way has its own noise, and each is as likely as the network takes it "
        "to be. The network is not told the class. From the shoulders it sees whether a coat or a "
        "dress is coming; where it cannot tell, the ways differ. It can only go on **downward**: "
        "given the lower half, it would draw the upper one without looking at it, for it says each "
        "pixel from those above. Diffusion has no such order (see *Start from a picture* in Text "
        "to image). "
        "The **bits** under a picture are what its lower part costs. A way at temperature 1 costs "
        "about as much as the true one, where the network knows such pictures; a drawing of yours "
        "may cost far more."
    ),
    formula=(
        r"p(x_{k+1}, \ldots, x_n \mid x_1, \ldots, x_k) = \prod_{i=k+1}^{n} "
        r"p(x_i \mid x_1, \ldots, x_{i-1})"
    ),
    symbols=(*SYMBOLS, ("k", "how many pixels are given: 28 in each row that stays")),
    source=(
        "the chain rule of probability; completions by such a model: van den Oord et al. 2016, "
        "*Pixel Recurrent Neural Networks*, figure 9"
    ),
)

BITS = Explanation(
    sentence=(
        "A model that says how likely a picture is also says how many bits it takes to write it "
        "down, and in which pixels they go. Press Count."
    ),
    paragraph=(
        "What is likely can be written in few bits: $-\\log_2 p$ of them (**Shannon**). Bright "
        "in the map are the pixels that could not be foreseen: the edges of the garment, and "
        "its pattern. The network is not told the class. The bars add the bits of all pixels, "
        "by where they lie: **background**, **edges**, **inside**. The PixelCNN's figure is "
        "**exact**. A VAE knows only a **bound**: its picture costs at most the bits of its "
        "code, and those of what the decoder misses. This one has a single width for the error "
        "of all pixels, so that even black costs six bits. Upside down or shuffled, a picture "
        "costs more; pure noise costs most. A picture by **another model** may cost twice a "
        "true one, in part because its black is not quite black, which nobody sees, and which "
        "the PixelCNN hardly believes. But look at **all black**: it is cheaper than any "
        "garment, although training showed no such picture. Few bits do not mean that a picture "
        "is typical: what is simple is cheap, for such models of pixels. A **PNG** file is a "
        "code, too, made for any picture at all."
    ),
    formula=(
        r"b(x) = -\frac{1}{n} \sum_{i=1}^{n} \log_2 p(x_i \mid x_1, \ldots, x_{i-1}) "
        r"\qquad b_{\text{VAE}}(x) = -\frac{1}{n} \left( \mathbb{E}_{z, u}\!\left[ \log_2 "
        r"p(x + u \mid z) \right] - \frac{D_{\text{KL}}}{\ln 2} \right) - \log_2 \delta"
    ),
    symbols=(
        *SYMBOLS,
        ("b", "bits a pixel (bits per dimension)"),
        ("z", "the code that the VAE's encoder gives to the picture"),
        (
            r"D_{\text{KL}}",
            "what the code costs in nats: how far its distribution is from the prior",
        ),
        (r"\delta", "the width of a grey level, $2/255$; $u$ is a random place within it"),
    ),
    source=(
        "Shannon 1948; the bound for whole levels: Theis et al. 2016, *A Note on the Evaluation of "
        "Generative Models*, section 3.1; simple pictures are cheap: Serrà et al. 2020, *Input "
        "Complexity and Out-of-distribution Detection with Likelihood-based Generative Models*"
    ),
)
