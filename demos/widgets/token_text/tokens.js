// The tokens of a text as spans, and how they are named.

const MOST_BITS = 12; // from which on a token is tinted no darker

// What a token writes with its white space in sight.
const inSight = (text) => text.replaceAll(" ", "␣").replaceAll("\n", "↵");

// The same to be read aloud.
function spoken(text) {
  const words = text.replaceAll("\n", " line break ").trim();
  if (!words) return "space";
  return text.startsWith(" ") ? `space ${words}` : words;
}

// A paragraph of tokens; `begun` of them were given.
function tokenText({ tokens, begun, bits }) {
  const spans = tokens.map((text, i) => {
    const span = make("span", { style: `--bits: ${Math.min(bits[i], MOST_BITS)}` }, text);
    span.classList.toggle("tokens-given", i < begun);
    return span;
  });
  return { node: make("p", { class: "tokens" }, ...spans), spans };
}

// The tint on paper of a token of so many bits.
const shadeOf = (bits) => `rgb(180 83 9 / ${0.035 * Math.min(bits, MOST_BITS)})`;

// A text on paper, word by word, from `top` on; returns where it ends. spans: {text, colour, shade}.
function writeTokens(context, spans, { left, top, width, line, font }) {
  context.font = font;
  context.textAlign = "left";
  let [x, y] = [left, top];
  for (const { text, colour, shade } of spans) {
    for (const piece of text.split(/(\n)/)) {
      const wide = context.measureText(piece).width;
      if (piece === "\n" || x + wide > left + width) [x, y] = [left, y + line];
      if (piece === "\n") continue;
      const shown = x === left ? piece.trimStart() : piece;
      context.fillStyle = shade;
      context.fillRect(x, y - 0.75 * line, context.measureText(shown).width, line);
      context.fillStyle = colour;
      context.fillText(shown, x, y);
      x += context.measureText(shown).width;
    }
  }
  return y + line;
}
