// What else could have stood in the chosen token's place: bars of what the network says, and of what
// the token is drawn from.

const percent = (parts) => (parts ? `${(parts / 100).toFixed(parts < 1000 ? 2 : 1)}%` : "0%");

class Candidates {
  // take(kind): another one is chosen; null where none can be. face(kind): what shows a token; name(kind):
  // what it is called; waiting, given, free: what is said of a token whose candidates come later, of one that
  // was given, and of all others.
  constructor(take, looks) {
    Object.assign(this, { take, looks });
    this.list = make("ol", { class: "candidates-list" });
    const key = (kind, text) => make("span", { class: `candidates-key candidates-${kind}` }, text);
    this.drawn = key("drawn", "what it is drawn from");
    const keys = make("p", { class: "candidates-keys" }, key("said", "the network says"), this.drawn);
    this.title = make("h3", { class: "candidates-title" }, "Candidates");
    this.note = make("p", { class: "candidates-note" });
    this.node = make("section", { class: "candidates", "aria-label": "Candidates" }, this.title, keys, this.list, this.note);
  }

  // rows: [kind, p, what it is drawn from], the last left out where nobody tells; own: the kind that
  // stands there.
  show(rows, own, { given, whole }) {
    const most = Math.max(1, ...rows.flatMap(([, ...parts]) => parts));
    const fixed = given || !whole || !this.take;
    this.drawn.hidden = rows.length > 0 && rows[0].length < 3;
    this.list.replaceChildren(...rows.map((row) => this.row(row, row[0] === own, most, fixed)));
    this.note.textContent = this.said(given, whole);
  }

  said(given, whole) {
    if (!whole) return this.looks.waiting;
    if (!this.take) return "";
    return given ? this.looks.given : this.looks.free;
  }

  row([kind, ...shares], own, most, fixed) {
    const names = ["said", "drawn"];
    const bar = (name, parts) => make("i", { class: `candidates-bar candidates-${name}`, style: `--share: ${(100 * parts) / most}%` });
    const figure = (parts) => make("span", { class: "candidates-figure" }, percent(parts));
    const mark = own ? "✓" : "";
    const parts = [
      make("span", { class: "candidates-mark" }, mark),
      this.looks.face(kind),
      make("span", { class: "candidates-bars" }, ...shares.map((parts, i) => bar(names[i], parts))),
      make("span", { class: "candidates-figures" }, ...shares.map(figure)),
    ];
    const button = make("button", { type: "button", class: "candidates-row" }, ...parts);
    const state = own ? ", stands here" : "";
    button.setAttribute("aria-label", `${this.looks.name(kind)}: ${shares.map(percent).join(", drawn from ")}${state}`);
    button.disabled = own || fixed;
    button.addEventListener("click", () => this.take(kind));
    return make("li", own ? { class: "candidates-own" } : {}, button);
  }
}
