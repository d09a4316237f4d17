// An answer that one goes through token by token, or reads as a plain text.

class AnswerView extends TokenTextView {
  constructor(root) {
    super(root, false);
    this.asked = make("p", { class: "answer-asked", tabindex: 0, role: "group", "aria-label": "What was asked" });
    this.plain = make("p", { class: "tokens answer-plain" });
    this.why = make("p", { class: "token-text-caption" });
    this.origin = make("p", { class: "answer-about" });
    this.read = make("pre", { tabindex: 0 });
    const summary = make("summary", {}, "What does the model really read?");
    this.fold = make("details", { class: "answer-read" }, summary, this.origin, this.read);
    this.full.prepend(this.asked);
    this.words.before(this.plain, this.why);
    this.caption.after(this.fold);
    this.ofTokens = [this.track.parentElement, this.words, this.readout, this.candidates.node, this.tint.parentElement];
  }

  load(value) {
    const plain = Boolean(value?.plain);
    for (const node of this.ofTokens) node.hidden = plain;
    this.plain.hidden = this.why.hidden = !plain;
    if (plain) this.loadPlain(value);
    else super.load(value);
    if (!value?.tokens) return;
    this.asked.textContent = value.asked;
    this.origin.textContent = value.about;
    this.read.textContent = value.read;
    this.fold.hidden = !value.read;
  }

  loadPlain(value) {
    this.pause();
    this.fill(value, true);
    this.root.setAttribute("data-filled", "");
    this.spans = [];
    this.attention.load(null);
    this.plain.textContent = value.tokens.join("");
    this.why.textContent = value.plain;
    this.caption.textContent = value.caption;
  }

  // There is nothing to go through in a plain text.
  show(index) {
    if (!this.value.plain) super.show(index);
  }

  key(event) {
    if (!this.value?.plain) super.key(event);
  }

  onPaper() {
    if (!this.value.plain) return super.onPaper();
    const words = this.value.tokens.join("").split(/(?<=\s)/);
    return words.map((text) => ({ text, colour: "#1f2937", shade: "transparent" }));
  }
}

const view = new AnswerView(element.querySelector(".answer"));
showValue(view);
