// The tokens of a text as spans, and how they are named.

const MOST_BITS = 12; // from which on a token is tinted no darker

// What a token writes with its white space in sight; of a character that is spread over several tokens,
// all but one write nothing.
const inSight = (text) => text.replaceAll(" ", "␣").replaceAll("\n", "↵") || "(nothing)";

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

// A text on paper, from `top` on, no word broken that fits in a line; returns where it ends. spans: {text,
// colour, shade}.
function writeTokens(context, spans, { left, top, width, line, font }) {
  context.font = font;
  context.textAlign = "left";
  const wide = (text) => context.measureText(text).width;
  let [x, y] = [left, top];
  spans.forEach(({ text, colour, shade }, i) => {
    if (x > left && startsWord(spans, i) && x + wide(wordFrom(spans, i)) > left + width) [x, y] = [left, y + line];
    for (const piece of text.split(/(\n)/)) {
      if (piece === "\n" || x + wide(piece) > left + width) [x, y] = [left, y + line];
      if (piece === "\n") continue;
      const shown = x === left ? piece.trimStart() : piece;
      context.fillStyle = shade;
      context.fillRect(x, y - 0.75 * line, wide(shown), line);
      context.fillStyle = colour;
      context.fillText(shown, x, y);
      x += wide(shown);
    }
  });
  return y + line;
}

const startsWord = (spans, i) => !i || /^\s/.test(spans[i].text) || /\s$/.test(spans[i - 1].text);

// The word that begins with the i-th token, without the line break it may end in.
function wordFrom(spans, i) {
  let end = i + 1;
  while (end < spans.length && !startsWord(spans, end)) end += 1;
  return spans.slice(i, end).map(({ text }) => text).join("").trimEnd();
}
