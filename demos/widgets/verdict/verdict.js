// The answer in the browser, in a card.

class VerdictView extends Card {
  constructor(root) {
    super(root);
    this.body = make("div", { class: "verdict-body", role: "status" });
    this.full.append(this.body, make("div", { class: "card-foot" }, this.source, this.message));
  }

  load(value) {
    this.fill(value, Boolean(value?.headline));
    if (this.full.hidden) return;
    const headline = make("p", { class: "verdict-headline" }, value.headline);
    headline.classList.toggle("verdict-found", value.found);
    const [first, ...others] = value.reasons.map((reason) => this.reason(reason));
    first.append(this.facts(value.facts));
    this.body.replaceChildren(
      headline, first, ...others, this.scale(value), make("p", { class: "verdict-caution" }, value.caution),
    );
  }

  reason({ title, text }) {
    return make("div", { class: "verdict-reason" }, make("h3", {}, title), make("p", {}, text));
  }

  // A stranger's text, perhaps written from right to left: it keeps to its own line.
  facts(facts) {
    const lines = Object.entries(facts).flatMap(([name, text]) => [
      make("dt", {}, name),
      make("dd", { dir: "auto" }, text || "(empty)"),
    ]);
    return make("dl", { class: "verdict-facts" }, ...lines);
  }

  scale({ score, threshold }) {
    const [share, tick] = [score, threshold].map((number) => `${(100 * number).toFixed(1)}%`);
    const track = make("div", {
      class: "verdict-track", role: "img",
      "aria-label": `Score ${score.toFixed(2)} of 1; found from ${threshold.toFixed(2)} on`,
    });
    const fill = make("div", { class: "verdict-fill", style: `width: ${share}` });
    fill.classList.toggle("verdict-found", score > threshold);
    track.append(fill, make("i", { style: `left: ${tick}` }));
    const words = make("div", { class: "verdict-words", "aria-hidden": "true" });
    words.append(make("span", {}, "no agreement"), make("span", {}, "full agreement"));
    return make("div", { class: "verdict-scale" }, track, words);
  }
}

const view = new VerdictView(element.querySelector(".verdict"));
showValue(view);
