// A text of which one token at a time is chosen: by the pointer, by a press, by the arrow keys.

class PointedText {
  // chosen(place) is told which one, -1 for none.
  constructor(label, chosen) {
    this.node = make("div", { class: "pointed-text", role: "group", tabindex: 0, "aria-label": label });
    Object.assign(this, { chosen, spans: [], at: -1, held: -1 });
    const place = (event) => this.spans.indexOf(event.target);
    this.node.addEventListener("pointerover", (event) => this.point(place(event)));
    this.node.addEventListener("pointerleave", () => this.point(-1));
    this.node.addEventListener("click", (event) => this.hold(place(event)));
    this.node.addEventListener("keydown", (event) => this.key(event));
  }

  // shown: as `tokenText` takes it.
  fill(shown) {
    const { node, spans } = tokenText(shown);
    this.spans = spans;
    this.node.replaceChildren(node);
    this.at = this.held = -1;
  }

  // Chooses one, until another one is pressed.
  hold(place) {
    this.held = place;
    this.choose(place);
  }

  point(place) {
    this.choose(place < 0 ? this.held : place);
  }

  choose(place) {
    this.spans[this.at]?.classList.remove("tokens-chosen");
    this.spans[place]?.classList.add("tokens-chosen");
    this.at = place;
    this.chosen(place);
  }

  key(event) {
    const last = this.spans.length - 1;
    const jumps = { ArrowLeft: this.held - 1, ArrowRight: this.held + 1, Home: 0, End: last };
    if (!(event.key in jumps) || event.ctrlKey || event.altKey || event.metaKey) return;
    this.hold(Math.min(last, Math.max(0, jumps[event.key])));
    this.spans[this.held]?.scrollIntoView({ block: "nearest" });
    event.preventDefault();
  }
}
