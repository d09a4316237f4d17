// A text whose tokens are shaded by surprise, in a card.

const UNLIKELY = 8; // bits from which on a token is underlined
const PAPER = { margin: 28, width: 900, line: 28, font: "17px system-ui, sans-serif" }; // PNG, pixels

class SurpriseView extends Card {
  constructor(root) {
    super(root);
    this.figures = make("dl", { class: "surprise-figures" });
    this.text = new PointedText("The text; arrow keys go from token to token", (place) => this.tell(place));
    this.text.node.classList.add("tokens-tinted");
    this.told = make("div", { class: "surprise-told", role: "status" });
    this.caption = make("p", { class: "surprise-caption" });
    const foot = this.foot("Download this text as PNG", () => this.drawn());
    this.full.append(this.figures, this.text.node, this.legend(), this.told, this.caption, foot);
  }

  legend() {
    const scale = make("span", { class: "tokens-scale" }, `surprise, 0 to ${MOST_BITS} bits`);
    const rare = make("span", { class: "surprise-rare" }, "underlined");
    const said = `: ${UNLIKELY} or more, less likely than 1 in ${2 ** UNLIKELY}`;
    return make("p", { class: "surprise-legend" }, scale, make("span", {}, rare, said));
  }

  load(value) {
    this.fill(value, Boolean(value?.tokens));
    if (this.full.hidden) return;
    this.figures.replaceChildren(
      ...value.figures.map((figure) => make("div", {}, make("dd", {}, figure.value), make("dt", {}, figure.name))),
    );
    for (const name of ["tokens", "bits", "instead", "shares"]) this[name] = value[name].split(" ").map(Number);
    const pieces = [...value.pieces];
    this.texts = this.tokens.map((token) => pieces[token]);
    this.text.fill({ tokens: this.texts, begun: 0, bits: this.bits });
    this.text.spans.forEach((span, i) => span.classList.toggle("surprise-rare", this.bits[i] >= UNLIKELY));
    this.caption.textContent = value.caption;
    this.text.hold(this.bits.indexOf(Math.max(...this.bits))); // what one looks for
  }

  tell(place) {
    if (place < 0) return this.told.replaceChildren("Point at a token, or go through the text with the arrow keys.");
    const count = this.instead.length / this.tokens.length;
    const [first, last] = [place * count, (place + 1) * count];
    const shares = this.shares.slice(first, last);
    const others = this.instead.slice(first, last).map((token, k) => this.other(this.value.pieces[token], shares[k]));
    const said = `${chance(2 ** -this.bits[place])}, ${this.bits[place].toFixed(1)} bits`;
    this.told.replaceChildren(
      make("p", {}, chip(this.texts[place]), " ", said),
      make("p", { class: "surprise-others" }, "Likeliest others:", ...others),
    );
  }

  other(text, share) {
    return make("span", { style: `--share: ${100 * share}%` }, chip(text), " ", chance(share));
  }

  drawn() {
    const { figures, provenance } = this.value;
    const { margin, width } = PAPER;
    const spans = this.texts.map((text, i) => ({ text, colour: "#1f2937", shade: shadeOf(this.bits[i]) }));
    const place = { ...PAPER, left: margin, top: margin + 52 };
    const height = writeTokens(whitePaper(1, 1).context, spans, place) + 40;
    const { canvas, context, write } = whitePaper(width + 2 * margin, height);
    const said = figures.map((figure) => `${figure.value} ${figure.name}`).join("   ");
    write(said, margin, margin + 14, { colour: "#1f2937", font: "600 18px", width });
    writeTokens(context, spans, place);
    write(provenance, margin, height - 18, { width });
    return canvas;
  }
}

function chip(text) {
  return make("b", { class: "token-chip" }, inSight(text));
}

const view = new SurpriseView(element.querySelector(".surprise"));
showValue(view);
