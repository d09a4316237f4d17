"""What a model card says that no checkpoint can know: licenses, where data come from, what models
are for and where they fail. By data set and by family; a checkpoint of its own kind adds to it."""

from dataclasses import dataclass

from gen_core.data import SCHEMAS
from gen_core.data.emoji import STYLES, concepts
from gen_core.data.splits import AVATARS

LICENSE = "MIT"
"""Of every checkpoint here, as of the code. Data sets have licenses of their own."""


@dataclass(frozen=True)
class DataText:
    """A data set in words, as Markdown."""

    about: str
    """What it holds, and where it comes from."""
    shape: tuple[int, ...]
    """Of a picture: channels, height, width; () of a text."""
    license: str
    limits: str
    """What a model that saw nothing else cannot know."""


@dataclass(frozen=True)
class FamilyText:
    """What the models of a family are for, and where they fail, as Markdown."""

    uses: str
    limits: str
    asks: str = ""
    """What `sample` is given in an example, as code."""


_schema = SCHEMAS["avatars"]

DATA = {
    "fashion": DataText(
        about="[Fashion-MNIST](https://github.com/zalandoresearch/fashion-mnist) by Zalando "
        "Research (Xiao et al. 2017): 60,000 training and 10,000 test pictures of clothes in ten "
        "classes, in grey. Training saw no test picture. The repository holds 300 of the test "
        "pictures.",
        shape=(1, 28, 28),
        license="MIT, © 2017 Zalando SE",
        limits="It knows ten kinds of clothes as small grey pictures, and nothing else.",
    ),
    "mnist": DataText(
        about="MNIST by Y. LeCun and C. Cortes: 60,000 training and 10,000 test pictures of "
        "handwritten digits, in grey.",
        shape=(1, 28, 28),
        license="CC BY-SA 3.0",
        limits="It knows ten digits as small grey pictures, and nothing else.",
    ),
    "avatars": DataText(
        about="Portraits drawn by a program, `gen_core.data.avatars`: "
        f"{len(AVATARS['train']):,} for training and {len(AVATARS['test']):,} for tests, in "
        f"colour. Each comes with its {len(_schema.names)} attributes, "
        f"{len(_schema.categorical)} of them choices such as the hat and "
        f"{len(_schema.continuous)} of them numbers such as the smile. Some pairs of "
        "attributes never occur together in training.",
        shape=(3, 64, 64),
        license="MIT: the program that draws them is part of this repository. They show nobody.",
        limits="It knows drawings made by a program, not people: it says nothing about real faces "
        "and must not be used to judge any.",
    ),
    "scenes": DataText(
        about="Scenes composed while training runs, each with an English caption, by "
        f"`gen_core.data.emoji`. They show {len(concepts())} things, each drawn as an emoji in "
        f"{len(STYLES)} styles: "
        "[Fluent](https://github.com/microsoft/fluentui-emoji), "
        "[Noto](https://github.com/googlefonts/noto-emoji) and "
        "[Twemoji](https://github.com/jdecked/twemoji). Some combinations are held out, to be "
        "asked for in tests. The repository holds none of these drawings.",
        shape=(3, 64, 64),
        license="Fluent: MIT, © Microsoft. Noto: OFL 1.1 / Apache 2.0, © Google. Twemoji: CC-BY "
        "4.0, © Twitter, Inc. and contributors.",
        limits=f"It knows {len(concepts())} things on plain backgrounds and the words of its "
        "captions: other words mean little to it.",
    ),
    "shakespeare": DataText(
        about="40,000 lines of plays by William Shakespeare, 1.1 million characters, as "
        '[char-rnn](https://github.com/karpathy/char-rnn) has them ("tinyshakespeare"). The last '
        "tenth is for tests.",
        shape=(),
        license="The plays are in the public domain; the selection: MIT, © Andrej Karpathy.",
        limits="It knows Shakespeare's English and the form of plays, and nothing of the world.",
    ),
    "tales": DataText(
        about="Fairy tales in English, 1.4 million characters, from Project Gutenberg: the "
        "brothers Grimm, Andersen, The Wonderful Wizard of Oz, Peter Pan, Alice in Wonderland. "
        "The last tenth of each of 16 stretches is for tests. It is one file, put together by "
        "hand: whoever trains anew needs it, or one like it.",
        shape=(),
        license="public domain",
        limits="It knows the English of old fairy tales, and nothing of the world; these tales "
        "have the prejudices of their time.",
    ),
}
"""By the name of a data set, as cards state it."""

FAMILIES = {
    "vae": FamilyText(
        uses="To learn how an autoencoder's latent space works: draw from the prior, encode a "
        "picture and compare it with its reconstruction, walk from one code to another.",
        limits="What it draws from the prior is blurrier than the data, or broken, since codes "
        "drawn from the prior need not look like those of real pictures.",
    ),
    "gan": FamilyText(
        uses="To learn how a generator and a discriminator train each other: draw in a single "
        "pass, turn truncation, watch training go well or collapse.",
        limits="A GAN may leave out part of the data: read recall and coverage beside precision. "
        "It gives no likelihood and cannot encode a given picture.",
    ),
    "style-gan": FamilyText(
        uses="To learn how styles steer a generator from coarse to fine: ask for a portrait by its "
        "attributes, give one person's coarse layers another's fine ones.",
        limits="Attributes that are a few pixels wide are often not drawn as asked: see the "
        "accuracy by attribute. It gives no likelihood and cannot encode a given picture.",
    ),
    "diffusion": FamilyText(
        uses="To learn how denoising makes a picture, step by step: choose what to draw, how "
        "strongly to insist on it (guidance), the solver and the number of steps.",
        limits="It needs many passes through its network: pictures get worse with few steps. Much "
        "guidance makes pictures exaggerated and more alike.",
    ),
    "flow": FamilyText(
        uses="To learn how following a velocity carries noise to a picture, also in few steps: "
        "choose what to draw, how strongly to insist on it (guidance), the solver and the number "
        "of steps.",
        limits="Pictures get worse with very few steps. Much guidance makes pictures exaggerated "
        "and more alike.",
    ),
    "gpt": FamilyText(
        uses="To learn how a language model writes: one token after another, each drawn from a "
        "distribution that can be looked at, bent by temperature, top-k and top-p, and undone.",
        limits="It is 10,000 times smaller than what people chat with: it spells and keeps a tone, "
        "but tells no story with a sense, and what it says is not to be believed.",
        asks='prompt="Once upon a time"',
    ),
    "masked-diffusion": FamilyText(
        uses="To learn how diffusion writes: tokens appear everywhere at once, out of a row of "
        "masks, in as many or as few steps as one likes.",
        limits="Tokens that appear in the same step do not know of each other: few steps make poor "
        "sentences. It gives a bound on the likelihood, not the likelihood.",
        asks='prompt="Once upon a time"',
    ),
    "pixel-cnn": FamilyText(
        uses="To learn how a picture is drawn pixel by pixel, each from those before it: watch the "
        "distribution of the next pixel, complete half a picture, change a pixel and let it go on, "
        "read the exact likelihood of any picture.",
        limits="It asks its network once for each pixel, and cannot take a pixel back. It sees a "
        "dozen rows up: what lies farther away in a picture need not agree. A high likelihood "
        "does not mean that a picture looks good, nor that it is of the kind it was trained on.",
    ),
    "pixel-transformer": FamilyText(
        uses="To hold attention against convolutions: the same pixels, the same likelihood and the "
        "same settings as `pixel-cnn`, so that both can be compared at equal training time. It is "
        "a pilot.",
        limits="It asks its network once for each pixel, and cannot take a pixel back. Attention "
        "to all earlier pixels makes a training step dear: at equal time it sees fewer pictures. A "
        "high likelihood does not mean that a picture looks good.",
    ),
    "picture-tokens": FamilyText(
        uses="To learn how pictures are written like text: an autoencoder turns a portrait into "
        "16 by 16 tokens of 512 kinds, a transformer draws them one after another. Ask for a "
        "portrait by its attributes, watch the distribution of the next token, change a token and "
        "let it go on, read the likelihood of any portrait's tokens.",
        limits="It cannot draw what its tokens cannot say: read how well the test portraits come "
        "back. It asks its network once for each token, twice with guidance, and cannot take one "
        "back. Its likelihood is that of the tokens, not of the pixels.",
        asks='label={"hat": "cap"}',
    ),
    "judge": FamilyText(
        uses="To measure the models that draw from the same data: its features stand for pictures "
        "in the Fréchet distance and its neighbours, its classes say what a picture shows.",
        limits="Distances on its features cannot be compared with a published FID, which uses "
        "InceptionV3. It names one of its classes for any picture whatever.",
    ),
    "avatar-judge": FamilyText(
        uses="To measure the models that draw portraits: its features stand for pictures in the "
        "Fréchet distance and its neighbours, its answers say which attributes a portrait shows. "
        "It also finds the training portraits nearest to a drawn one.",
        limits="Distances on its features cannot be compared with a published FID, which uses "
        "InceptionV3. It answers for any picture whatever.",
    ),
    "text-to-image": FamilyText(
        uses="To learn how words steer diffusion in the latent space of an autoencoder: a prompt "
        "in English becomes a small picture. diffusers opens the folder as a "
        "`StableDiffusionPipeline` without this library.",
        limits="Often it draws only one of two things, or not the colour that was asked for: see "
        "the table below. It has no safety checker.",
        asks='prompt="a panda"',
    ),
}
"""By the name of a family."""

CHECKPOINTS = {
    "gan-fashion-collapsed": FamilyText(
        uses="To watch a GAN collapse, beside `gan-fashion-healthy`. It is broken on purpose.",
        limits="It draws a single class.",
    ),
    "vae-avatars-cut": FamilyText(
        uses="To see a classic mistake, beside `vae-avatars`: the gradient stops where the code is "
        "drawn. It is broken on purpose.",
        limits="Every picture it draws is the mean of all.",
    ),
}
"""In place of the words of its family, where a checkpoint is there for something else."""
