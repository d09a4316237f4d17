// Pictures, where their bits go, and what each model takes for them, in a card.

const INKS = ["#64748b", "#1d4ed8", "#047857", "#b45309", "#7e22ce"]; // of the parts, on paper
const PAPER = { cell: 108, gap: 14, margin: 28, title: 24, stack: 36, bar: 14, name: 190, wide: 420, foot: 56 }; // in pixels

class StacksView extends Card {
  constructor(root) {
    super(root);
    this.legend = make("p", { class: "stacks-legend" });
    this.list = make("div", { class: "stacks-list" });
    this.caption = make("p", { class: "stacks-caption" });
    const foot = this.foot("Download this as PNG", () => this.drawn());
    this.full.append(this.legend, this.list, this.caption, foot);
  }

  load(value) {
    this.fill(value, Boolean(value?.pictures));
    if (this.full.hidden) return;
    const all = value.pictures.flatMap(({ stacks }) => stacks.map(total));
    this.most = Math.max(value.plain, ...all) * 1.02;
    const keys = value.parts.map((part, k) => make("span", { class: `stacks-key stacks-part-${k}` }, part));
    const plain = make("span", { class: "stacks-key stacks-plain" }, `${value.plain} bits: a pixel as it is`);
    const glow = make("span", { class: "stacks-key stacks-glow" }, `maps: 0 to ${value.plain} bits`);
    this.legend.replaceChildren(...keys, plain, glow);
    this.list.replaceChildren(...value.pictures.map((picture) => this.row(picture)));
    this.caption.textContent = value.caption;
  }

  row({ title, picture, maps, stacks }) {
    const figure = (source, name) => make("figure", {}, make("img", { src: source, alt: `${title}: ${name}` }), make("figcaption", {}, name));
    const pictures = make("div", { class: "stacks-pictures" }, figure(picture, "the picture"), ...maps.map((map, k) => figure(map, this.value.maps[k])));
    const bars = make("dl", { class: "stacks-bars" }, ...stacks.flatMap((stack) => this.bar(stack)));
    return make("section", { class: "stacks-row" }, make("h3", {}, title), pictures, bars);
  }

  bar(stack) {
    const { parts, plain } = this.value;
    const all = total(stack);
    const wide = (bits) => `${(100 * Math.max(bits, 0)) / this.most}%`;
    const pieces = stack.bits.map((bits, k) => make("i", { class: `stacks-part-${k}`, style: `width: ${wide(bits)}`, title: `${parts[k]}: ${bits.toFixed(2)}` }));
    const line = make("b", { style: `left: ${wide(plain)}` });
    const track = make("div", { class: "stacks-track", "aria-hidden": "true" }, ...pieces, line);
    const told = stack.bits.map((bits, k) => (bits ? `${parts[k]} ${bits.toFixed(2)}` : "")).filter(Boolean);
    const spoken = make("span", { class: "stacks-spoken" }, `: ${told.join(", ")}`);
    return [make("dt", {}, stack.title), make("dd", {}, track, make("span", { class: "stacks-figure" }, all.toFixed(2), spoken))];
  }

  async drawn() {
    const { pictures, parts, provenance } = this.value;
    const { cell, gap, margin, title, stack, bar, name, wide, foot } = PAPER;
    const images = 1 + this.value.maps.length;
    const left = margin + images * (cell + gap);
    const line = title + Math.max(cell, stack * pictures[0].stacks.length) + gap;
    const width = left + name + wide + 60 + margin;
    const { canvas, context, write } = whitePaper(width, 2 * margin + pictures.length * line + foot);
    const across = (bits) => (wide * Math.max(bits, 0)) / this.most;
    for (const [i, row] of pictures.entries()) {
      const top = margin + i * line;
      write(row.title, margin, top + 14, { colour: "#1f2937", font: "600 16px" });
      for (const [k, source] of [row.picture, ...row.maps].entries()) {
        context.drawImage(await decoded(source), margin + k * (cell + gap), top + title, cell, cell);
      }
      row.stacks.forEach((one, k) => {
        const y = top + title + k * stack;
        write(one.title, left, y + bar, { width: name - gap });
        let x = left + name;
        one.bits.forEach((bits, part) => {
          context.fillStyle = INKS[part];
          context.fillRect(x, y, across(bits), bar + 4);
          x += across(bits);
        });
        write(total(one).toFixed(2), x + 8, y + bar, { colour: "#1f2937" });
      });
      context.fillStyle = "#1f2937"; // what a pixel takes as it is
      context.fillRect(left + name + across(this.value.plain), top + title - 4, 1, stack * row.stacks.length);
    }
    let x = margin;
    parts.forEach((part, k) => {
      context.fillStyle = INKS[k];
      context.fillRect(x, canvas.height - margin - 34, 12, 12);
      write(part, x + 18, canvas.height - margin - 23);
      x += 40 + context.measureText(part).width;
    });
    write(`Line: ${this.value.plain} bits, a pixel as it is`, x, canvas.height - margin - 23);
    write(`Bits a pixel. ${provenance}`, margin, canvas.height - margin, { width: width - 2 * margin });
    return canvas;
  }
}

const total = ({ bits }) => bits.reduce((sum, own) => sum + own, 0);

const view = new StacksView(element.querySelector(".bit-stacks"));
showValue(view);
