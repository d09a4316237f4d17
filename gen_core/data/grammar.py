"""Articles and plurals for the words of the vocabulary."""

BARE = frozenset(
    (
        "beer",
        "books",
        "broccoli",
        "cheese",
        "cherries",
        "chocolate",
        "coffee",
        "corn",
        "crossed swords",
        "dice",
        "earth",
        "fire",
        "fireworks",
        "french fries",
        "fries",
        "glasses",
        "grapes",
        "headphones",
        "heart eyes",
        "honey",
        "jeans",
        "lips",
        "luggage",
        "maize",
        "milk",
        "noodles",
        "pancakes",
        "pasta",
        "poo",
        "popcorn",
        "ramen",
        "santa",
        "santa claus",
        "saturn",
        "scissors",
        "socks",
        "spaghetti",
        "sunglasses",
        "sushi",
        "swords",
        "tennis",
        "thumbs up",
        "trousers",
        "wine",
        "yarn",
    )
)
"""Plural already, or not to be counted: no article and no number goes with them."""
IRREGULAR = {
    "mouse": "mice",
    "wolf": "wolves",
    "tooth": "teeth",
    "snowman": "snowmen",
    "tomato": "tomatoes",
    "die": "dice",
    "scarf": "scarves",
    "bow and arrow": "bows and arrows",
    "fish": "fish",
    "tropical fish": "tropical fish",
    "deer": "deer",
    "sheep": "sheep",
}
AN = ("8", "hourglass")
A = ("ufo", "unicorn")


def countable(noun: str) -> bool:
    """Whether there can be two of it."""
    return noun not in BARE


def article(phrase: str, noun: str = "") -> str:
    """ "owl" -> "an owl"; a phrase whose noun goes bare stays: "blue jeans", "jeans"."""
    if (noun or phrase) in BARE:
        return phrase
    first = phrase.split()[0]
    vowel = first in AN or (first[0] in "aeiou" and first not in A)
    return f"{'an' if vowel else 'a'} {phrase}"


def plural(noun: str) -> str:
    """ "fox" -> "foxes", "cup of coffee" -> "cups of coffee"."""
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if " of " in noun:
        head, rest = noun.split(" of ", 1)
        return f"{plural(head)} of {rest}"
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"
