// A text that one goes through token by token, in a card.

const view = new TokenTextView(element.querySelector(".token-text"));
showValue(view);
