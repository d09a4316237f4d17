"""The words of the Text to image tab."""

from demos.page.explain import Explanation

GENERATE = Explanation(
    sentence=(
        "Write what you want to see, and noise becomes a picture that fits your words. The model "
        "is a small Stable Diffusion, trained for this page: it knows 300 things, drawn as emoji."
    ),
    paragraph=(
        "A tokenizer cuts the prompt into pieces of words, and a **text encoder** turns each "
        "piece into a vector, its embedding. A **denoiser** starts from noise of 4 × 16 × 16 "
        "numbers and takes a little of it away at every step; at each step, every place of the "
        "picture looks at the words (*cross-attention*) and takes from them what it needs. A "
        "**decoder** turns the *latents* into 64 × 64 pixels: working on latents is what makes it "
        "fast. **Guidance** (classifier-free) asks the denoiser twice, with your words and with "
        "the negative prompt, and goes further in the direction in which the two differ. The "
        "model knows 300 things in three styles, on twelve backgrounds, in several places, lights "
        "and media, and two things side by side; it has never seen anything else."
    ),
    formula=(
        r"\hat v = v_\theta(x_t, t, c_-) + s\,\bigl(v_\theta(x_t, t, c) - "
        r"v_\theta(x_t, t, c_-)\bigr), \qquad "
        r"\mathrm{attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt d}\right) V"
    ),
    symbols=(
        ("x_t", "the latents at time $t$: noise at $t = 999$, the picture's latents at 0"),
        (r"v_\theta", "the denoiser, with weights $\\theta$: the velocity that it sees"),
        ("c, c_-", "the prompt and the negative prompt, as the text encoder's vectors"),
        ("s", "the guidance scale"),
        (r"\hat v", "what the sampler is given"),
        ("Q", "what each place of the picture asks for"),
        ("K, V", "what each word answers to, and what it then says"),
        ("d", "the length of these vectors, 32 in each head"),
    ),
    source=(
        "Rombach et al. 2022, *High-Resolution Image Synthesis with Latent Diffusion Models*, "
        "section 3.3; Ho & Salimans 2022, *Classifier-Free Diffusion Guidance*, eq. 6, with $s$ "
        "here for their $1 + w$; the negative prompt, in place of an empty one, is a later "
        "practice"
    ),
)

CHANGE = Explanation(
    sentence=(
        "What does one setting really do? One prompt, the same noise along each row, and only "
        "this setting differs from column to column."
    ),
    paragraph=(
        "**Guidance** at 1 follows the words as they were followed in training: seeds differ, and "
        "some are muddled. Around 3 the things come out clearly, and the seeds begin to look "
        "alike: fit is traded for variety. At 30 the latents leave the range that the decoder was "
        "trained on, colours saturate, and the fit is lost as well. **Steps**: with 2 or 5 the "
        "steps are too long for the bends of the path (discretisation error); from about 20 on "
        "little changes. **Samplers** solve the same ODE: with enough steps DPM-Solver++, DDIM, "
        "PNDM, Euler and UniPC come to nearly the same picture, while *Euler ancestral* adds "
        "fresh noise at each step (an SDE) and ends elsewhere. **Negative prompt**: guidance goes "
        "away from what these words would give, rather than from no words at all; of faults that "
        "the model was shown, the pictures become sharper or calmer, and things may move."
    ),
    formula=r"\hat v = v_\theta(x_t, t, c_-) + s\,(v_\theta(x_t, t, c) - v_\theta(x_t, t, c_-))",
    symbols=(
        ("s", "the guidance scale"),
        (r"v_\theta", "the denoiser, asked with the prompt $c$ and the negative prompt $c_-$"),
        (r"\hat v", "what the sampler is given"),
        ("x_t", "the latents at time $t$"),
    ),
    source=(
        "Ho & Salimans 2022, *Classifier-Free Diffusion Guidance*, eq. 6, with $s$ here for "
        "their $1 + w$; the negative prompt, in place of an empty one, is a later practice"
    ),
)

SEEDS = Explanation(
    sentence=(
        "One prompt, eight seeds, the best first: is everything there that you asked for, and how "
        "much do the pictures differ?"
    ),
    paragraph=(
        "A model that draws each of two things well may still leave one out when it is asked for "
        "both, or give one the colour of the other: the words share one picture, and its places "
        "must agree on who looks at which word. So people draw several seeds and keep the best. "
        "Here a **classifier**, which was trained apart, looks for each thing that the prompt "
        "names (the first two of the 300 it knows); the pictures with most of them come first, "
        "and among these the ones that **fit** the words best by CLIP score. Below each picture "
        "it is dimmed where its places did **not** look at the thing's word, as a mean of all "
        "steps: where two words share one place, one of the two will be missing. **Diversity** "
        "says how much the pictures differ. Guidance trades it for fit: try 1, then 8."
    ),
    formula=(
        r"D = \frac{2}{n(n-1)} \sum_{i < j} \bigl(1 - \rho(x_i, x_j)\bigr), \qquad "
        r"H_w = \frac{1}{T} \sum_t \mathrm{softmax}\!\left(\frac{Q_t K^\top}{\sqrt d}\right)_w"
    ),
    symbols=(
        ("D", "the diversity of the pictures"),
        ("x_i", "one of $n$ pictures, each from a seed of its own"),
        (r"\rho", "the correlation of the pixels of two pictures"),
        ("H_w", "where the word $w$ was looked for, a mean of the $T$ steps"),
        ("Q_t", "what each place of the picture asks for at step $t$"),
        ("K", "what each word answers to"),
        ("d", "the length of these vectors"),
    ),
    source=(
        "Chefer et al. 2023, *Attend-and-Excite: Attention-Based Semantic Guidance for "
        "Text-to-Image Diffusion Models*, section 3, who make the picture look at every thing; "
        "D is this page's own measure"
    ),
)

TWO = Explanation(
    sentence="Two prompts and the same noise: what does a word change, and what does it leave?",
    paragraph=(
        "Both rows start from the same noise, column by column. Where the prompts agree, the "
        "denoiser is told the same, and much of a picture's layout is settled in the first steps, "
        "when it sees little but noise. So a changed word often changes only what it speaks of; "
        "not always, for the text encoder lets every word colour the vectors of those after it, "
        "and nothing in the training asks the rest of the picture to stay."
    ),
    formula=(
        r"x_T^{(1)} = x_T^{(2)} = \varepsilon, \qquad "
        r"x_0^{(k)} = \mathrm{solve}\bigl(v_\theta(\,\cdot\,, t, c_k),\; \varepsilon\bigr)"
    ),
    symbols=(
        (r"\varepsilon", "the noise of a column, drawn from its seed"),
        ("x_T^{(k)}", "the latents at the start, in row $k$"),
        (r"\mathrm{solve}", "all steps of the sampler"),
        ("c_k", "the vectors of prompt $k$"),
        (r"v_\theta", "the denoiser, with weights $\\theta$"),
        ("x_0^{(k)}", "the latents of the picture in row $k$"),
    ),
    source=(
        "Hertz et al. 2022, *Prompt-to-Prompt Image Editing with Cross Attention Control*, "
        "section 3, who go on to make the rest stay"
    ),
)

INSIDE = Explanation(
    sentence=(
        "Words go in on the left, a picture comes out on the right. Open a part, move along the "
        "timeline, and watch it work."
    ),
    paragraph=(
        "These are the three parts of every latent diffusion model; in Stable Diffusion each is "
        "fifty to sixty times larger. They were trained one after the other: the **autoencoder**, "
        "of which only the decoder is needed here, on pictures alone; the **text encoder** on "
        "captions, to say in its last vector how what it reads would look (Stable Diffusion takes "
        "the text half of CLIP, which met far more pictures than this one); the **denoiser** on "
        "noisy latents and encoded captions, while the other two stood still; and the decoder "
        "once more, on what the denoiser makes of a little noise, so that small errors do not "
        "turn into blotches. The *picture so far* shows the latents themselves, decoded: noise "
        "looks like colourful smears, for the decoder has never seen any. The *guess* is what the "
        "denoiser takes the picture to be at that moment: first an average of all pictures that "
        "fit the words, later one of them."
    ),
    formula=(
        r"c = \tau(\text{words}), \qquad \hat x_0 = \sqrt{\bar\alpha_t}\, x_t - "
        r"\sqrt{1 - \bar\alpha_t}\; v_\theta(x_t, t, c), \qquad \text{picture} = D(x_0)"
    ),
    symbols=(
        (r"\tau", "the text encoder"),
        ("c", "the words as vectors"),
        ("x_t", "the latents at time $t$"),
        (r"v_\theta", "what the denoiser says, with weights $\\theta$: the velocity"),
        (r"\bar\alpha_t", "the share of the picture that is left at time $t$"),
        (r"\hat x_0", "the guess of the clean latents"),
        ("x_0", "the finished latents"),
        ("D", "the decoder"),
    ),
    source=(
        "Rombach et al. 2022, *High-Resolution Image Synthesis with Latent Diffusion Models*, "
        "figure 3; Salimans & Ho 2022, *Progressive Distillation*, section 4"
    ),
)

PARTS = (
    "The prompt falls into tokens: whole words where the training's captions had them, pieces of "
    "words elsewhere, a marker at each end. A transformer gives every token a vector that also "
    "knows the tokens before it. Blue is below zero, orange above.",
    "The denoiser sees the noisy latents and the vectors, and predicts the velocity v, a blend of "
    "noise and latents. Point at a word: over the guess you see its cross-attention, where it was "
    "looked for at this step; at the timeline's end, the mean of all steps.",
    "Each of the 16 × 16 places becomes 4 × 4 pixels, with an eye on its neighbours. It runs once, "
    "at the end; here it is also run at every step, so that there is something to see.",
)
"""What each part does, in the order of `INSIDE`."""
FIT = Explanation(
    sentence=(
        "How well does a picture fit your words, and how well other words? The CLIP score puts a "
        "number on it; here you see what the number can tell and what it cannot."
    ),
    paragraph=(
        "An **encoder** turns the picture into 128 numbers and the text into 128 others; the CLIP "
        "score is 100 times the cosine of the angle between the two, and 0 where that is "
        "negative. It **compares**: of two texts, the one with the higher score fits the picture "
        "better; of two pictures, the one with the higher score fits the text better. It is **not "
        "a percentage**: 40 does not mean that 40% is right. It does **not measure quality**: a "
        "blurred picture of the right thing may score high. The encoder was trained on the very "
        "captions that the model learned from, so it knows these words and hardly any others, and "
        "its numbers are **not those of OpenAI's CLIP**: never compare the two. Further down the "
        "same encoder **searches** emoji by words, and a measured curve shows what **guidance** "
        "trades: fit against variety."
    ),
    formula=(
        r"\mathrm{CLIPScore}(x, c) = \max\bigl(100 \cos(E_x, E_c),\, 0\bigr), \qquad "
        r"D = \frac{2}{n(n-1)} \sum_{i < j} \bigl(1 - \rho(x_i, x_j)\bigr)"
    ),
    symbols=(
        ("x, c", "a picture and a text"),
        ("E_x, E_c", "their vectors, 128 numbers each"),
        (r"\cos", "the cosine of the angle between two vectors"),
        ("D", "the diversity of the pictures of one prompt, as in the curve"),
        ("x_i", "one of $n$ pictures of that prompt, each from a seed of its own"),
        (r"\rho", "the correlation of the pixels of two pictures"),
    ),
    source=(
        "Hessel et al. 2021, *CLIPScore: A Reference-free Evaluation Metric for Image "
        "Captioning*, section 3, with 100 in place of their 2.5, as has become usual; the encoder: "
        "Radford et al. 2021, *Learning Transferable Visual Models From Natural Language "
        "Supervision*; D is this page's own measure"
    ),
)

SEARCH = (
    "### Search the emoji by words\n"
    "The same encoder has looked at thousands of emoji, most of which it never met in training: "
    "what it does not know, it takes for something that it knows. Your words become a vector, and "
    "the emoji whose vectors point in the most similar direction fit best. An emoji's vector is "
    "the mean over twelve backgrounds, so its scores are higher than those of a single picture. "
    "Those whose **name or keywords** hold your words come first, for a name is surer than a small "
    "encoder; large engines rank by both as well (*hybrid search*). The pictures are drawn by the "
    "model's decoder, from a quarter of a kilobyte each."
)
NO_SEARCH = (
    "The weights on this machine came without the emoji's vectors (`clip/emoji.safetensors`), so "
    "there is nothing to search. Where the drawings are, "
    "`python -m gen_core export --data FOLDER` adds them."
)

ACCURACY = (
    "### How often is it right?\n"
    "The judge, a separately trained classifier, looks at the pictures. Half of the prompts ask "
    "for combinations that were held out of training (compositional generalisation)."
)
"""Shown with the measured shares only."""
NO_ACCURACY = (
    "### How often is it right?\n"
    "Not measured for these weights: `python -m gen_core evaluate text-to-image-emoji --write` "
    "does it."
)
HOW_TO_READ_ACCURACY = (
    "Held out are combinations (a thing with a background, a colour, or another thing) that "
    "training never showed together, though it showed each by itself: where the model is right "
    "less often, it had remembered rather than combined. The judge makes mistakes too: the last "
    "column says how often it is right about pictures that were painted exactly as the prompts "
    "say."
)

TRADEOFF = (
    "### What guidance trades\n"
    "Fit against variety: how well pictures fit their words, and how much they differ from seed to "
    "seed, at five values of guidance."
)
"""Shown with the measured curve only."""
NO_TRADEOFF = (
    "### What guidance trades\n"
    "How well pictures fit the words, against how much they differ from seed to seed, has not been "
    "measured for these weights: `python -m gen_core tradeoff --write` measures it."
)
HOW_TO_READ_TRADEOFF = (
    "Diversity is 1 minus the correlation of the pixels of two pictures of one prompt from "
    "different seeds, on average: 0 where all look the same. Correlation takes no notice of "
    "contrast, so that burnt-out colours do not pass for variety. Burnt-out pixels are as dark or "
    "as bright as they can be. The judge is a separately trained classifier, which had no part in "
    "the model's training. ± is the standard error."
)
START = Explanation(
    sentence=(
        "Start from a picture instead of noise. The model redraws it to fit your words: the whole "
        "picture (image-to-image), or only the part that you paint over (inpainting)."
    ),
    paragraph=(
        "The picture becomes latents, and the latents get noise, as much as belongs to some "
        "moment on the way from noise to picture. From there the denoiser goes on as usual, with "
        "your words. **Strength** is the share of the steps that is run: at 0.6 with 20 steps, "
        "the last 12. A little noise hides only details, and colours and shapes stay; at 1 next "
        "to nothing of the picture is left. With a **mask**, after each step the latents outside "
        "of it are replaced by those of the picture, as noisy as the moment asks: only the "
        "painted part is redrawn, by a denoiser that sees what is around it and lets the two fit "
        "together. The same model does both and was trained for neither. The mask works in blocks "
        "of 4 × 4 pixels, one for each latent: a block is redrawn if you painted any pixel of it. "
        "And what stays has gone through encoder and decoder, which changes it a little."
    ),
    formula=(
        r"\begin{aligned} x_{t_k} &= \sqrt{\bar\alpha_{t_k}}\, z + \sqrt{1 - \bar\alpha_{t_k}}\, "
        r"\epsilon, \qquad k = \max(1, \lfloor s N \rfloor) \\ "
        r"x_t &\leftarrow m \odot x_t + (1 - m) \odot \bigl(\sqrt{\bar\alpha_t}\, z + "
        r"\sqrt{1 - \bar\alpha_t}\, \epsilon\bigr) \end{aligned}"
    ),
    symbols=(
        ("z", "the latents of the picture to start from"),
        ("s", "the strength"),
        ("N, k", "the steps, and how many of them are run: the last $k$"),
        ("t_k", "the time at which the first of these begins"),
        ("x_t", "the latents at time $t$"),
        (r"\bar\alpha_t", "how much of $x_t$ is picture: 1 at the end, next to 0 at first"),
        (r"\epsilon", "the noise, the same at all times"),
        ("m", "the mask: 1 where the latents are redrawn, 0 where they stay; without one, 1"),
    ),
    source=(
        "Meng et al. 2022, *SDEdit: Guided Image Synthesis and Editing with Stochastic "
        "Differential Equations*, section 3; Avrahami et al. 2022, *Blended Latent Diffusion*, "
        "algorithm 1"
    ),
)

BIGGER = Explanation(
    sentence=(
        "The same idea, far larger: models by others, trained on far more pictures. You can use "
        "those that the host of this page allows and this machine can run."
    ),
    paragraph=(
        "**Stable Diffusion 1.5** (2022) has the parts of the small model in the panel Generate: "
        "a text encoder, a U-Net of 860 million weights, a decoder. Its *safety checker* looks at "
        "every finished picture and blacks out those it classifies as sexual (NSFW). "
        "**SDXL-Turbo** (2023) has a U-Net of 2.6 billion weights that a teacher with many steps "
        "and a critic, as in a GAN, have taught to draw in a single step; it works without "
        "guidance, and so without a negative prompt. **FLUX.1-schnell** (2024) is a transformer "
        "of 12 billion weights on a straight path from noise to picture, as in the tab Flow "
        "matching, taught to walk it in four steps. A model is fetched once and then stays on the "
        "server's disk; one at a time is in its memory."
    ),
    formula=(
        r"L = L_{\mathrm{adv}}\bigl(\hat x_\theta(x_s, s), \phi\bigr) + "
        r"\lambda\, L_{\mathrm{distill}}\bigl(\hat x_\theta(x_s, s), \psi\bigr)"
    ),
    symbols=(
        ("L", "the loss of a model that should draw in one step, such as SDXL-Turbo"),
        (r"\hat x_\theta(x_s, s)", "its picture, drawn in one step from the noisy one $x_s$"),
        (r"L_{\mathrm{adv}}", "how easily the critic (weights $\\phi$) knows it from a real one"),
        (r"L_{\mathrm{distill}}", "its distance from what the teacher (weights $\\psi$) makes"),
        (r"\lambda", "how much the teacher counts"),
    ),
    source=(
        "Sauer et al. 2023, *Adversarial Diffusion Distillation*, eq. 1; Rombach et al. 2022, "
        "*High-Resolution Image Synthesis with Latent Diffusion Models*; Podell et al. 2023, "
        "*SDXL*; the models' own cards"
    ),
)

PROVENANCE = Explanation(
    sentence=(
        "Every file saved on this tab says in its metadata that it was generated, and finished "
        "pictures also carry an invisible watermark. Upload one, or any other picture, and see "
        "what is found."
    ),
    paragraph=(
        "**Metadata** is text inside the file: model, prompt, seed, and the word that the press "
        "agencies' standard (IPTC) has for generated pictures. It is exact, and gone as soon as a "
        "site saves the picture again. **The mark** is in the pixels: a faint pattern of the "
        "brightness, the same in every picture, two levels of 255 at most and usually less than "
        "one. An eye does not see it, but 262,144 pixels add up: the search takes away what is "
        "smooth, limits what is strong, lays all tiles of 128 × 128 pixels on top of each other "
        "and asks, for every position, whether the waves in them rise where those of the pattern "
        "rise. This is *spread spectrum*, the method that hides a signal below the noise. Two "
        "libraries were measured first (invisible-watermark, blind-watermark): after a crop they "
        "often miss their own mark."
    ),
    formula=(
        r"s = \max_{d} \frac{1}{|B|} \sum_{k \in B} "
        r"\cos\bigl(\arg X_k - \arg W_k + 2\pi\, k \cdot d\bigr)"
    ),
    symbols=(
        ("s", "the score: 1 where all waves agree, about 0.15 where some do by chance"),
        ("X_k", "the wave of frequency $k$ in the folded picture, a complex number"),
        ("W_k", "the same wave in the pattern"),
        (r"\arg", "where a wave has its crests: its phase"),
        ("B", "the frequencies of the pattern, 0.05 to 0.12 waves for each pixel"),
        ("d", "where the pattern begins, as a share of a tile: unknown after a crop"),
    ),
    source=(
        "Cox et al. 1997, *Secure Spread Spectrum Watermarking for Multimedia*, section IV; Kuglin "
        "& Hines 1975, *The Phase Correlation Image Alignment Method*"
    ),
)

HONESTY = """
### Deepfakes, consent, copyright

The model on this tab draws emoji. Larger ones draw people, and some learn one person's face from a
few photographs. A **deepfake** shows somebody doing what they never did; in many countries it is
against the law to publish one without that person's **consent**. The European Union's AI Act
(Article 50) requires that generated pictures be marked so that machines can tell, and that
deepfakes be disclosed.

**Copyright:** whether a model may learn from works without asking their authors is before the
courts, and answered differently from country to country. In the United States only what a human
authored is protected. This model learned from drawings under open licences: Fluent (MIT), Noto
(OFL 1.1 / Apache 2.0) and Twemoji (CC-BY 4.0).

Two tools here help: *Save pictures* under Generate labels what the model drew, and the box above
reads the label. Both help those who want to be honest, and stop nobody else.
"""

CAUTION = (
    "What this cannot tell: metadata is text that anybody can write or delete, and the mark's "
    "pattern is public, so it can be removed on purpose or put into any picture. Turning, "
    "mirroring, or cropping and then resizing a picture hides the mark. No mark does not mean that "
    "a picture is real, or made by a person."
)
