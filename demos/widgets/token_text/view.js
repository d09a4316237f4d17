// A card with a text that one goes through token by token.

const TOKEN_MS = [60, 400]; // that a token stays while it plays
const PLAY_ALL_MS = 8000;
const ASKED = ["prompt", "model", "temperature", "seed", "top_k", "top_p"]; // knobs of another text

class TokenTextView extends Player {
  // takes: whether another candidate can be taken
  constructor(root, takes = true) {
    super(root);
    this.strip = make("div", { class: "token-text-strip", "aria-hidden": "true" });
    this.words = make("div", { class: "token-text-words" });
    this.readout = make("p", { class: "token-text-readout" });
    this.caption = make("p", { class: "token-text-caption" });
    this.attention = new AttentionLines(() => this.look());
    this.candidates = new Candidates(takes ? (kind) => this.take(kind) : null, {
      face: (kind) => make("code", {}, inSight(this.value.written[kind])),
      name: (kind) => spoken(this.value.written[kind]),
      waiting: "The candidates of every token come when the text has ended.",
      given: "This token stands in the beginning that you gave.",
      free: "Press another one to take it, and go on from there.",
    });
    const foot = this.foot("Download this text as PNG", () => this.drawn());
    foot.prepend(this.buildTint());
    this.full.append(
      this.transport("token", "Place in the text", this.strip),
      this.words,
      this.readout,
      this.attention.node,
      this.candidates.node,
      this.caption,
      foot,
    );
    this.words.addEventListener("pointerover", ({ target }) => this.point(target));
    this.words.addEventListener("pointerleave", () => this.point(null));
    this.words.addEventListener("click", ({ target }) => this.pin(target));
    if (takes) this.changes = new Changes(this, ASKED);
    this.listen();
  }

  buildTint() {
    this.tint = make("input", { type: "checkbox" });
    this.tint.addEventListener("change", () => this.words.classList.toggle("tokens-tinted", this.tint.checked));
    const scale = make("span", { class: "tokens-scale" }, `0 to ${MOST_BITS} bits`);
    return make("label", { class: "token-text-tint" }, this.tint, " Colour by surprise ", scale);
  }

  // --- values -------------------------------------------------------------------------------

  load(value) {
    this.pause();
    const filled = Boolean(value?.tokens);
    this.fill(value, filled);
    this.root.toggleAttribute("data-filled", filled);
    if (!filled) return;
    const { node, spans } = tokenText(value);
    this.spans = spans;
    value.changed.forEach((place) => spans[place].classList.add("tokens-changed"));
    this.words.replaceChildren(node);
    this.strip.replaceChildren(...value.bits.map((bits, i) => make("i", { class: i < value.begun ? "token-text-given" : "", style: `--bits: ${Math.min(bits, MOST_BITS)}` })));
    this.caption.textContent = value.caption;
    this.attention.load(value.attention);
    const moment = window.noiseToDataAddress?.moment(this.root);
    this.start = value.whole ? (this.taken ?? value.begun) : this.last;
    if (value.whole) this.taken = null;
    this.show(value.whole && moment !== null ? moment : this.start);
  }

  get last() {
    return this.value.tokens.length - 1;
  }

  show(index) {
    this.index = Math.max(0, Math.min(this.last, index));
    this.choose(this.index);
    this.moveHead(this.readout.textContent);
    if (this.index === this.start) delete this.root.dataset.at; // else it stands in a copied link
    else this.root.dataset.at = this.index;
  }

  // Shows all about one token: that where the head stands, or under the pointer.
  choose(i) {
    const { value } = this;
    this.chosen = i;
    if (i < 0) return;
    this.spans.forEach((span, j) => span.classList.toggle("tokens-chosen", j === i));
    const rows = value.candidates[i] ?? [];
    const own = rows.find(([kind]) => kind === value.kinds[i]);
    this.readout.replaceChildren(...this.about(i, own));
    this.candidates.show(rows, value.kinds[i], { given: i < value.begun, whole: value.whole });
    this.look();
  }

  about(i, own) {
    const { value } = this;
    const { begun, bits, tokens, changed } = value;
    const place = i < begun ? `${i + 1} of ${begun} in the beginning` : `${i - begun + 1} of ${tokens.length - begun}`;
    const parts = [`token ${place}`, `surprise ${bits[i].toFixed(1)} bits`];
    if (own) parts.splice(1, 0, `probability ${percent(own[1])}`);
    if (changed.includes(i)) parts.push("taken by you");
    return [make("code", {}, inSight(tokens[i])), ` ${parts.join(" · ")}`];
  }

  async look() {
    const { chosen } = this;
    try {
      const shares = await this.attention.of(chosen);
      if (chosen === this.chosen) this.attention.draw(this.spans, shares);
    } catch (error) {
      this.say(`No attention: ${error.message}`);
    }
  }

  point(target) {
    const i = this.spans?.indexOf(target) ?? -1;
    if (!this.timer) this.choose(i < 0 ? this.index : i);
  }

  pin(target) {
    const i = this.spans.indexOf(target);
    if (i >= 0) this.scrub(i);
  }

  layout() {}

  frameMs() {
    const [least, most] = TOKEN_MS;
    return Math.min(most, Math.max(least, PLAY_ALL_MS / (this.last + 1)));
  }

  // --- another token ------------------------------------------------------------------------

  // Goes on from another token in the chosen one's place; what was taken after it is void.
  take(kind) {
    const place = this.chosen - this.value.begun + 1;
    const kept = this.changes.all.filter((pair) => parseInt(pair, 10) < place);
    this.taken = this.chosen;
    this.changes.take([...kept, `${place}:${kind}`]);
  }

  // --- a file -------------------------------------------------------------------------------

  // The text as `writeTokens` takes it.
  onPaper() {
    const { tokens, begun, bits } = this.value;
    const tinted = this.tint.checked;
    return tokens.map((text, i) => ({
      text,
      colour: i < begun ? "#5b6472" : "#1f2937",
      shade: tinted ? shadeOf(bits[i]) : "transparent",
    }));
  }

  drawn() {
    const { caption, provenance } = this.value;
    const spans = this.onPaper();
    const place = { left: 32, top: 56, width: 896, line: 34, font: "20px system-ui, sans-serif" };
    const height = writeTokens(whitePaper(1, 1).context, spans, place) + 40;
    const { canvas, context, write } = whitePaper(960, height);
    writeTokens(context, spans, place);
    write([caption, provenance].filter(Boolean).join("  "), 32, height - 22, { width: 896 });
    return canvas;
  }
}
