// What else could have stood in the chosen token's place: bars of what the network says, and of what
// the token is drawn from.

const percent = (parts) => (parts ? `${(parts / 100).toFixed(parts < 1000 ? 2 : 1)}%` : "0%");

class Candidates {
  // take(kind) writes on from another one; null where none can be taken.
  constructor(take) {
    this.take = take;
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
  show(rows, written, own, { given, whole }) {
    const most = Math.max(1, ...rows.flatMap(([, ...parts]) => parts));
    const fixed = given || !whole || !this.take;
    this.drawn.hidden = rows.length > 0 && rows[0].length < 3;
    this.list.replaceChildren(...rows.map((row) => this.row(row, written[row[0]], row[0] === own, most, fixed)));
    this.note.textContent = this.said(given, whole);
  }

  said(given, whole) {
    if (!whole) return "The candidates of every token come when the text has ended.";
    if (!this.take) return "";
    return given ? "This token stands in the beginning that you gave." : "Press another one to take it, and go on from there.";
  }

  row([kind, ...shares], text, own, most, fixed) {
    const names = ["said", "drawn"];
    const bar = (name, parts) => make("i", { class: `candidates-bar candidates-${name}`, style: `--share: ${(100 * parts) / most}%` });
    const figure = (parts) => make("span", { class: "candidates-figure" }, percent(parts));
    const mark = own ? "✓" : "";
    const parts = [
      make("span", { class: "candidates-mark" }, mark),
      make("code", {}, inSight(text)),
      make("span", { class: "candidates-bars" }, ...shares.map((parts, i) => bar(names[i], parts))),
      make("span", { class: "candidates-figures" }, ...shares.map(figure)),
    ];
    const button = make("button", { type: "button", class: "candidates-row" }, ...parts);
    const state = own ? ", stands here" : "";
    button.setAttribute("aria-label", `${spoken(text)}: ${shares.map(percent).join(", drawn from ")}${state}`);
    button.disabled = own || fixed;
    button.addEventListener("click", () => this.take(kind));
    return make("li", own ? { class: "candidates-own" } : {}, button);
  }
}
