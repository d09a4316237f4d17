// Where the network looked when it said the chosen token: lines under the tokens before, the thicker
// the more. The picture with the shares is fetched once a head is chosen.

const THICKEST = 6; // pixels

class AttentionLines {
  constructor(redraw) {
    this.redraw = redraw;
    this.layer = this.select("Layer");
    this.head = this.select("Head");
    this.note = make("span", { class: "attention-note" });
    const label = (select) => make("label", {}, select.getAttribute("aria-label"), " ", select);
    this.node = make("p", { class: "attention" }, make("b", {}, "Attention"), label(this.layer), label(this.head), this.note);
  }

  select(name) {
    const select = make("select", { "aria-label": name });
    select.addEventListener("change", () => this.redraw());
    select.addEventListener("keydown", (event) => event.stopPropagation()); // its arrow keys move nothing else
    return select;
  }

  // value: {layers, heads, sheet}, or null while the text is not whole.
  load(value) {
    this.value = value;
    this.shares = null;
    this.node.hidden = !value;
    if (!value) return;
    this.fill(this.layer, ["off", ...Array.from({ length: value.layers }, (_, i) => i + 1)]);
    this.fill(this.head, ["mean", ...Array.from({ length: value.heads }, (_, i) => i + 1)]);
  }

  fill(select, names) {
    if (select.options.length === names.length) return;
    select.replaceChildren(...names.map((name, i) => make("option", { value: i }, name)));
  }

  // Of token `i` of `n`, the shares of what came before: the start, then each token; null where off.
  async of(i) {
    const { value } = this;
    const layer = Number(this.layer.value) - 1;
    this.head.disabled = layer < 0;
    this.note.textContent = "";
    if (!value || layer < 0) return null;
    this.shares ??= pixelsOf(value.sheet);
    const { pixels, width } = await this.shares;
    const n = width / value.heads;
    const heads = Number(this.head.value) ? [Number(this.head.value) - 1] : [...Array(value.heads).keys()];
    const share = (head, j) => (pixels[4 * ((layer * n + i) * width + head * n + j)] / 255) ** 2;
    const shares = Array.from({ length: i + 1 }, (_, j) => heads.reduce((sum, head) => sum + share(head, j), 0) / heads.length);
    this.note.textContent = `${Math.round(100 * shares[0])}% on the start of the text`;
    return shares.slice(1);
  }

  // Draws them under the spans; null for none.
  draw(spans, shares) {
    const most = Math.max(...(shares ?? []), 0.02);
    spans.forEach((span, j) => {
      const share = shares?.[j] ?? 0;
      const thick = Math.round((THICKEST * share) / most);
      span.style.setProperty("--thick", `${thick}px`);
      span.classList.toggle("tokens-attended", thick > 0);
    });
  }
}
