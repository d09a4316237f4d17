"""The words of the Autoregressive tab."""

from demos.page.explain import Explanation

SAMPLED = (
    r"p(x_i = v \mid x_{<i}) = \frac{\exp(\ell_v / T)}{\sum_w \exp(\ell_w / T)}, \qquad "
    r"p(x) = \prod_{i} p(x_i \mid x_{<i}), \qquad "
    r"s_i = -\log_2 p_1(x_i \mid x_{<i})"
)
SYMBOLS = (
    ("x_i", "the $i$-th token of the text; $x_{<i}$ are those before it"),
    ("v, w", "the tokens of the vocabulary"),
    (r"\ell_v", "the logit of token $v$: what the network says of it, given $x_{<i}$"),
    ("T", "the temperature; at 0 the likeliest token is taken"),
    ("p_1", "the probability at $T = 1$: what the network itself says"),
    ("s_i", "the surprise of token $i$, in bits"),
)

WORDS = Explanation(
    sentence=(
        "A GPT writes one token at a time: it reads all that stands so far, says how likely each "
        "token is to come next, and one is drawn. Press Write, then look at what else could have "
        "come, and take it."
    ),
    paragraph=(
        "A **token** is a letter, or a piece of a word that is frequent enough to have a number of "
        "its own (a byte pair). For every token the network gives a probability to each kind of "
        "token there is: the upper bars. **Temperature** sharpens these probabilities (below 1) or "
        "flattens them (above 1); **top k** and **top p** leave out the unlikely ones. The lower "
        "bars are what the token is then drawn from. Its **surprise** is how many bits it costs: "
        "1 bit for a coin's toss, 10 for one chance in 1,024. Names and the beginnings of "
        "sentences surprise, the rest of a word hardly does. **Press another candidate** and the "
        "text goes on from there: all before it stays, and so does the noise of every place. "
        "**Attention** is how the network looks back: each layer has several heads, and each head "
        "mixes what earlier tokens hold, in shares that add up to 1. Some look at the token just "
        "before, some at the last name; many rest on the start of the text, where there is nothing "
        "to see."
    ),
    formula=SAMPLED,
    symbols=SYMBOLS,
    source=(
        "Radford et al. 2018, *Improving Language Understanding by Generative Pre-Training*, eq. "
        "1; temperature: Ackley, Hinton & Sejnowski 1985; top k: Fan et al. 2018; top p: Holtzman "
        "et al. 2020, section 3.1"
    ),
)

TEMPERATURE = Explanation(
    sentence=(
        "The same beginning and the same noise at four temperatures: cold, the text goes in "
        "circles; hot, it falls apart. Press Write four."
    ),
    paragraph=(
        "At temperature **0** the likeliest token is always taken. What is likely once is likely "
        "again, so the text repeats itself: underlined is each group of four tokens that stood "
        "there before. At **1** each token is drawn as the network says; a text then surprises the "
        "network about as much as the text that it learned from. **Above 1** unlikely tokens get "
        "more than their share, one of them makes the next ones odd, and the words dissolve. "
        "**Bits per token** is the mean surprise, measured at temperature 1 whatever the text was "
        "drawn at. **Distinct 4-grams** is how many of the groups of four tokens are different: "
        "100% where none comes twice."
    ),
    formula=(
        SAMPLED.split(r", \qquad p(x)")[0] + r", \qquad b = \frac{1}{n} \sum_i s_i, \qquad "
        r"d_4 = \frac{|\{(x_i, \ldots, x_{i+3})\}|}{n - 3}"
    ),
    symbols=(
        *SYMBOLS[:4],
        ("b", "bits per token: the mean of the surprises $s_i = -\\log_2 p_1(x_i \\mid x_{<i})$"),
        ("p_1", "the probability at $T = 1$"),
        ("n", "how many tokens are written"),
        ("d_4", "the share of distinct 4-grams"),
    ),
    source=(
        "Holtzman et al. 2020, *The Curious Case of Neural Text Degeneration*, sections 3 and 5; "
        "distinct n-grams: Li et al. 2016, *A Diversity-Promoting Objective Function*, section 5"
    ),
)

SURPRISE = Explanation(
    sentence=(
        "How surprised is the model by your words? Each token is shaded by how unlikely it was, "
        "given all that stands before it."
    ),
    paragraph=(
        "A language model gives a probability *p* to every token that could come next. The "
        "**surprise** of the one that does come is −log₂ *p* bits: 0 if the model was certain, 1 "
        "for a coin toss, 10 for one chance in 1,024. Look for the word that does not fit, and see "
        "how the beginnings of words surprise more than their ends. All surprises added up are the "
        "length of the text in bits: with the model, arithmetic coding can store it in about as "
        "many, so a better model is a better compressor. **Perplexity** turns the mean surprise "
        "back into a number of choices: at 20 the model is as unsure as if it had to guess among "
        "20 equally likely tokens. It cannot compare models with different tokens, because a piece "
        "of a word is harder to guess than one letter. **Bits per character** can: the surprise of "
        "the same text is spread over the same characters. The models see 256 tokens at once. "
        "Longer texts are read in windows that overlap by half, so that every token but the first "
        "ones has at least 128 before it."
    ),
    formula=(
        r"s_i = -\log_2 p_\theta(x_i \mid x_{<i}), \qquad "
        r"\text{bits per character} = \frac{1}{C} \sum_{i=1}^{n} s_i, \qquad "
        r"\text{perplexity} = 2^{\frac{1}{n} \sum_{i=1}^{n} s_i}"
    ),
    symbols=(
        ("s_i", "the surprise of token $i$, in bits"),
        (r"p_\theta", "the model's probability, with weights $\\theta$"),
        ("x_i", "the $i$-th of $n$ tokens; $x_{<i}$ are those before it"),
        ("C", "how many characters the text has"),
    ),
    source=(
        "Shannon 1951, *Prediction and Entropy of Printed English*, eq. 1; perplexity: Jelinek et "
        "al. 1977, *Perplexity, a measure of the difficulty of speech recognition tasks*"
    ),
)

EVERYWHERE = Explanation(
    sentence=(
        "Two ways to write: from left to right, one token after the other, or everywhere at once, "
        "out of a row of masks. Same beginning, same seed: move through time and compare."
    ),
    paragraph=(
        "An **autoregressive** model (GPT) asks its network for the next token, draws it, and asks "
        "again, once for every token. **Masked diffusion** starts with nothing but masks. At each "
        "step its network, which sees both sides, says what could stand behind every mask; some "
        "masks, picked by chance, become tokens. In both, a token that stands is never taken back. "
        "Diffusion can do with fewer steps than there are tokens, but tokens of the same step are "
        "drawn without knowing of each other: try 8 steps, then 128. One evaluation is not the "
        "same work for both: GPT keeps what it computed for earlier tokens and adds one; masked "
        "diffusion computes all 256 places anew. So compare the time as well. Both networks have "
        "the same size and learned from the same tales; the diffusion began with GPT's weights, "
        "because so small a network learns little from scratch. It always fills all 256 places, "
        "even if fewer are shown."
    ),
    formula=(
        r"p_\theta(x) = \prod_{i=1}^{n} p_\theta(x_i \mid x_{<i}) "
        r"\qquad\text{and}\qquad p_\theta(x_s^i = v \mid x_t) = "
        r"\begin{cases} s / t & v = \mathrm{mask} \\ "
        r"(1 - s / t)\; p_\theta(x^i = v \mid x_t) & \text{otherwise} \end{cases}"
    ),
    symbols=(
        ("x_i", "the $i$-th of $n$ tokens; $x_{<i}$ are those before it"),
        (r"p_\theta", "what the network says, with weights $\\theta$"),
        ("x_t", "the text at time $t$: all masks at $t = 1$, none at $t = 0$"),
        ("x_s^i", "what stands after the step from $t$ to $s$ at a place $i$ that was masked"),
        ("v", "a token, or the mask"),
    ),
    source=(
        "Radford et al. 2018, *Improving Language Understanding by Generative Pre-Training*, eq. "
        "1; Sahoo et al. 2024, *Simple and Effective Masked Diffusion Language Models*, eq. 6 with "
        "$\\alpha_t = 1 - t$"
    ),
)

LARGER = Explanation(
    sentence=(
        "A larger model answers you, and plays the same game as the small one: one token after the "
        "other. What makes it an assistant is the text that it goes on from, and what it was "
        "trained on last."
    ),
    paragraph=(
        "An **instruct model** is a language model that was trained three times. First on the next "
        "token of very many texts, as the small GPT in the panel Word by word was on tales. Then, "
        "in **supervised fine-tuning**, on dialogues that somebody wrote: still the next token, "
        "but only those of the answers count. Then by **preferences**: of two answers to the same "
        "question, people or another model chose the better one, and it becomes likelier, the "
        "other one less likely. A **chat template** makes one text of a dialogue, because the "
        "model knows nothing but text: special tokens say where somebody begins to speak and who, "
        "and the text stops where the model's turn is. All that it does is go on from there, until "
        "it draws the token that ends a turn. Look at *What does the model really read?* below the "
        "answer. Then let the same words be read as a beginning, without the template: the model "
        "goes on as if it had found them somewhere. It does not look anything up: a fluent answer "
        "can be wrong, and these models are small."
    ),
    formula=(
        r"\mathcal{L}_\text{SFT} = -\sum_{i \in y} \log p_\theta(x_i \mid x_{<i}), \qquad "
        r"\mathcal{L}_\text{DPO} = -\log \sigma\!\left("
        r"\beta \log \frac{p_\theta(y_w \mid x)}{p_\text{ref}(y_w \mid x)} - "
        r"\beta \log \frac{p_\theta(y_l \mid x)}{p_\text{ref}(y_l \mid x)}\right)"
    ),
    symbols=(
        ("x_i", "the $i$-th token of a dialogue in its template; $x_{<i}$ are those before it"),
        (r"i \in y", "the places of the answer: those of the question add nothing"),
        (r"p_\theta", "the model's probability, with weights $\\theta$"),
        (r"p_\text{ref}", "that of the model after supervised fine-tuning, which stays as it is"),
        ("x", "in the second formula, the question"),
        ("y_w, y_l", "of two answers the one that was preferred, and the other one"),
        (r"\beta", "how far the model may go from the reference: the larger, the less"),
        (r"\sigma", "the logistic function"),
    ),
    source=(
        "supervised fine-tuning: Ouyang et al. 2022, *Training language models to follow "
        "instructions with human feedback*, section 3.5; preferences: Rafailov et al. 2023, "
        "*Direct Preference Optimization*, eq. 7, for one pair"
    ),
)

ALONE = (
    "No figure is enough alone. A dull text is hardly surprising: one phrase again and again wins "
    "by bits per character, and its entropy and its few distinct 4-grams give it away. Tokens at "
    "random win by those two, and lose by bits. A text that is copied does well in all three: then "
    "the longest copy tells. The judge knows neither of the two models: it is a 5-gram model with "
    "back-off, which counted letters in the training tales. It sees spelling and common words, but "
    "no meaning."
)
"""Stands below the figures."""

EVALUATIONS = "### How many evaluations does a text need?"
FEW = (
    "With few evaluations the diffusion draws many tokens in the same step, without knowing of "
    "each other; GPT draws one token per evaluation, from left to right."
)
NOT_MEASURED = (
    "How good texts are by the number of evaluations has not been measured yet: "
    "`python -m gen_core evaluate diffusion-tales --write` does it."
)
