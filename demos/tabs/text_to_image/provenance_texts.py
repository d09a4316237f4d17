"""The words of the panel Was it made here?"""

from __future__ import annotations

from demos.page.explain import Explanation

MADE_HERE = Explanation(
    sentence=(
        "Whatever is saved on this tab says of itself that it was generated, and finished pictures "
        "carry an invisible mark. Give one back, or any other picture, and see what is found."
    ),
    paragraph=(
        "**Metadata** is text inside the file: model, prompt, seed, and the word that the press "
        "agencies' standard (IPTC) has for generated pictures. It is exact, and gone as soon as a "
        "site saves the picture anew. **The mark** is in the pixels: a faint pattern of the "
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
(Article 50) asks that generated pictures be marked so that machines can tell, and that deepfakes be
disclosed.

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
