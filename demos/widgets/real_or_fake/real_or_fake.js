// Real or fake? One picture after the other is marked, then the truth comes, in a card.

const ROUNDS = "noise-to-data-real-or-fake"; // in sessionStorage: the first answers of this visit
const MOST_ROUNDS = 200;
const KEYS = { f: false, ArrowLeft: false, r: true, ArrowRight: true };
const SAID = { true: "real", false: "fake" };
// How real the network finds a picture, so that one sees on which side of the middle that is.
const inPercent = (chance) => `${(100 * chance).toFixed(Math.abs(chance - 0.5) < 0.01 ? 1 : 0)}%`;
const SHEET = { tile: 112, gap: 14, margin: 28, line: 18 }; // of the file, in pixels

class RealOrFakeView extends Card {
  constructor(root) {
    super(root);
    const kept = noiseToDataRejoin.kept(ROUNDS);
    this.rounds = Array.isArray(kept) ? kept : []; // [opponent, seed, your right ones, the network's]
    this.progress = make("p", { class: "guess-progress", role: "status" });
    this.picture = make("img", { class: "guess-picture" });
    this.strip = make("div", { class: "guess-strip", role: "group", "aria-label": "All pictures" });
    this.reveal = this.button("See the truth", () => this.open());
    this.answers = [false, true].map((real) => {
      const button = this.button(real ? "Real →" : "← Fake", () => this.mark(real));
      button.classList.add("guess-answer");
      button.setAttribute("aria-label", real ? "Real" : "Fake");
      return button;
    });
    const hint = make("p", { class: "guess-hint" }, "Keys: F or ← for fake, R or → for real");
    this.stage = make(
      "div",
      { class: "guess-stage", role: "group", tabindex: 0, "aria-label": "Real or fake? R or the right arrow key says real, F or the left arrow key fake" },
      this.picture,
      make("div", { class: "guess-answers" }, ...this.answers),
      hint,
      this.progress,
      this.strip,
      this.reveal,
    );
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.verdict = make("p", { class: "guess-verdict", role: "status" });
    this.list = make("ul", { class: "guess-list" });
    this.tally = make("ul", { class: "guess-tally" });
    this.told = make("p", { class: "guess-told" });
    this.again = this.button("Ten more", () => document.getElementById(`${root.closest(".block").id}-run-go`)?.click());
    this.truth = make("div", { class: "guess-truth" }, this.list, this.told, this.tally, this.again);
    this.full.append(this.stage, this.verdict, this.truth, this.foot("Download these pictures as PNG", () => this.drawn()));
  }

  button(text, act) {
    const button = make("button", { type: "button", class: "card-button" }, text);
    button.addEventListener("click", act);
    return button;
  }

  load(value) {
    this.fill(value, Boolean(value?.pictures));
    if (this.full.hidden) return;
    this.marks = value.pictures.map(() => null);
    this.opened = false;
    this.stage.hidden = false;
    this.truth.hidden = true;
    this.verdict.textContent = "";
    this.thumbs = value.pictures.map((picture, i) => {
      const thumb = make("button", { type: "button" }, make("img", { src: picture, alt: "" }), make("span", { "aria-hidden": "true" }));
      thumb.addEventListener("click", () => this.turnTo(i));
      return thumb;
    });
    this.strip.replaceChildren(...this.thumbs);
    this.turnTo(0);
  }

  // --- marking ------------------------------------------------------------------------------

  turnTo(i) {
    const { pictures } = this.value;
    const marked = this.marks.filter((mark) => mark !== null).length;
    const all = marked === pictures.length;
    this.at = i;
    this.picture.src = pictures[i];
    this.picture.alt = `Picture ${i + 1}`;
    this.progress.textContent = `Picture ${i + 1} of ${pictures.length}, ${all ? "all are" : marked} marked`;
    this.answers.forEach((button, real) => button.setAttribute("aria-pressed", this.marks[i] === Boolean(real)));
    this.thumbs.forEach((thumb, k) => {
      const mark = this.marks[k];
      thumb.setAttribute("aria-label", `Picture ${k + 1}: ${mark === null ? "not marked" : `marked ${SAID[mark]}`}`);
      thumb.setAttribute("aria-current", k === i);
      thumb.lastChild.textContent = mark === null ? "" : SAID[mark];
    });
    this.reveal.hidden = !all;
  }

  // Marks the picture that is shown, and turns to the next one without a mark.
  mark(real) {
    const { at, marks } = this;
    marks[at] = real;
    const order = marks.map((_, k) => (at + 1 + k) % marks.length);
    const next = order.find((k) => marks[k] === null);
    this.turnTo(next ?? at);
    if (next === undefined) this.reveal.focus({ preventScroll: true });
  }

  key(event) {
    const real = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (real === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.mark(real);
  }

  // --- the truth ----------------------------------------------------------------------------

  open() {
    const { value, marks } = this;
    const numbers = numbersOf(value.sealed, Float32Array);
    this.facts = marks.map((mark, i) => {
      const [real, chance, kind] = [...numbers.subarray(3 * i, 3 * i + 3)];
      const shows = value.classes[kind] ?? "";
      return { real: Boolean(real), chance, shows, right: mark === Boolean(real), judged: chance > 0.5 === Boolean(real) };
    });
    this.opened = true;
    const [right, judged] = ["right", "judged"].map((who) => this.facts.filter((fact) => fact[who]).length);
    this.verdict.textContent = `You: ${right} of ${marks.length} right. The discriminator: ${judged}.`;
    this.list.replaceChildren(...this.facts.map((fact, i) => this.tile(fact, i)));
    this.stage.hidden = true;
    this.truth.hidden = false;
    this.again.focus({ preventScroll: true });
    this.count(right, judged);
  }

  tile({ real, chance, shows, right, judged }, i) {
    const title = [real ? "Real" : "Fake", shows].filter(Boolean).join(": ");
    const sign = (good) => make("b", { class: good ? "guess-right" : "guess-wrong" }, good ? " ✓" : " ✗", make("span", { class: "guess-spoken" }, good ? " right" : " wrong"));
    return make(
      "li",
      { class: `${real ? "guess-real" : "guess-fake"}` },
      make("img", { src: this.value.pictures[i], alt: `Picture ${i + 1}` }),
      make("strong", {}, title),
      make("span", {}, `You: ${SAID[this.marks[i]]}`, sign(right)),
      make("span", {}, `D: ${inPercent(chance)} real`, sign(judged)),
    );
  }

  // Only the first answer to a round counts, for after it the truth is known.
  async count(right, judged) {
    const { opponent, seed } = this.value;
    if (!this.rounds.some(([who, of]) => who === opponent && of === seed)) {
      this.rounds = [...this.rounds, [opponent, seed, right, judged]].slice(-MOST_ROUNDS);
      noiseToDataRejoin.keep(ROUNDS, this.rounds);
    }
    const { value } = this;
    const answer = await server.tally({ rounds: this.rounds, opponent }).catch((error) => ({ error: error.message }));
    if (value !== this.value) return; // another round came meanwhile
    this.say(answer && !answer.error ? "" : (answer?.error ?? "The server gave no answer."));
    this.told.textContent = answer?.said ?? "";
    this.tally.replaceChildren(...[...(answer?.lines ?? [])].map((line) => make("li", {}, line)));
  }

  // --- a file -------------------------------------------------------------------------------

  async drawn() {
    const { tile, gap, margin, line } = SHEET;
    const { pictures, against, provenance } = this.value;
    const across = Math.ceil(pictures.length / 2);
    const width = across * (tile + gap) - gap;
    const row = tile + 3 * line + gap;
    const { canvas, context, write } = whitePaper(width + 2 * margin, 2 * (row + margin) + 2 * line);
    const head = this.opened ? `${this.verdict.textContent} ${against}` : against;
    write(head, margin, margin, { colour: "#1f2937", font: "600 15px", width });
    const images = await Promise.all([...pictures].map(decoded));
    images.forEach((image, i) => {
      const [x, y] = [margin + (i % across) * (tile + gap), margin + line + Math.floor(i / across) * row];
      context.drawImage(image, x, y, tile, tile);
      if (!this.opened) return;
      const { real, shows, chance } = this.facts[i];
      const lines = [`${SAID[real]}${shows && ", "}${shows}`, `you: ${SAID[this.marks[i]]}`, `D: ${inPercent(chance)} real`];
      lines.forEach((text, k) => write(text, x, y + tile + (k + 1) * line - 3, { width: tile }));
    });
    write(provenance, margin, canvas.height - margin / 2, { width });
    return canvas;
  }
}

const view = new RealOrFakeView(element.querySelector(".real-or-fake"));
showValue(view);
