// Pictures with names and scores in the browser, in a card.

const SHEET = { tile: 112, gap: 14, margin: 28, title: 20, note: 18, bar: 12, head: 34, foot: 26 }; // PNG, pixels
const INK = { text: "#1f2937", rail: "#e5e7eb", plain: "#1d4ed8", framed: "#b45309" };

const ZOOMS = [0.02, 0.05, 0.1, 0.25, 0.5]; // how far the line may reach from 50% to either side

class TilesView extends Card {
  constructor(root) {
    super(root);
    this.headline = make("p", { class: "tiles-headline" });
    this.line = make("div", { class: "tiles-scale" });
    this.list = make("ul", { class: "tiles-list" });
    const foot = this.foot("Download these pictures as PNG", () => this.drawn());
    this.full.append(this.headline, this.line, this.list, foot);
  }

  load(value) {
    this.fill(value, Boolean(value?.tiles));
    if (this.full.hidden) return;
    const away = value.tiles.map((tile) => Math.abs((tile.score ?? 0.5) - 0.5));
    this.reach = ZOOMS.find((zoom) => away.every((distance) => distance <= zoom));
    this.headline.textContent = value.headline;
    this.headline.hidden = !value.headline;
    this.line.hidden = !value.scale;
    if (value.scale) this.line.replaceChildren(...this.scaleParts(value.scale));
    this.nodes = value.tiles.map((tile, i) => this.tile(tile, i));
    this.list.replaceChildren(...this.nodes);
    this.list.dataset.many = this.nodes.length > 12 ? "yes" : "no";
  }

  percent(score) {
    return `${(100 * score).toFixed(this.reach > 0.1 ? 0 : 1)}%`;
  }

  // Where a score stands on the line, 0 to 1.
  place(score) {
    return 0.5 + (score - 0.5) / (2 * this.reach);
  }

  tile(tile, i) {
    const kind = tile.framed ? this.value.scale?.framed : "";
    const score = tile.score === null ? "" : this.percent(tile.score);
    const number = `picture ${i + 1} of ${this.value.tiles.length}`;
    const alt = [tile.title, kind, tile.note, score, number].filter(Boolean).join(", ");
    const node = make("li", { class: tile.framed ? "tiles-framed" : "" });
    if (tile.picture) node.append(make("img", { src: tile.picture, alt }));
    else node.classList.add("tiles-words");
    if (score) {
      const [from, to] = [0.5, this.place(tile.score)].sort((a, b) => a - b);
      const fill = make("span", { style: `left: ${100 * from}%; width: ${100 * (to - from)}%` });
      node.append(make("span", { class: "tiles-rail", "aria-hidden": "true" }, fill));
      node.append(make("span", { class: "tiles-score" }, make("b", {}, score), ` ${tile.aside}`));
    }
    node.append(make("span", { class: "tiles-title", title: tile.title }, tile.title));
    node.append(make("span", { class: "tiles-note" }, tile.note));
    return node;
  }

  // Every score as a mark on one line; a mark lights up its picture.
  scaleParts(scale) {
    const marks = this.value.tiles.map((tile, i) => {
      const title = `${this.percent(tile.score)} ${tile.title}`;
      const mark = make("i", { style: `left: ${100 * this.place(tile.score)}%`, title });
      mark.className = tile.framed ? "tiles-framed" : "";
      mark.addEventListener("pointerenter", () => this.nodes[i].classList.add("tiles-lit"));
      mark.addEventListener("pointerleave", () => this.nodes[i].classList.remove("tiles-lit"));
      return mark;
    });
    const key = make("p", { class: "tiles-key" }, make("span", {}, make("i", {}), scale.plain));
    if (scale.framed) key.append(make("span", {}, make("i", { class: "tiles-framed" }), scale.framed));
    key.append(make("small", {}, scale.figures));
    const ends = make("p", { class: "tiles-ends" });
    const [low, high] = [0.5 - this.reach, 0.5 + this.reach].map((score) => `${Math.round(100 * score)}%`);
    const texts = [`${low}, ${scale.low}`, "50%", `${scale.high}, ${high}`];
    ends.append(...texts.map((text) => make("span", {}, text)));
    return [key, make("div", { class: "tiles-track", "aria-hidden": "true" }, ...marks), ends];
  }

  async drawn() {
    const { tiles, headline, provenance } = this.value;
    const { tile, gap, margin, title, note, bar, head, foot } = SHEET;
    const columns = Math.min(tiles.length, 10);
    const [across, down] = [tile + gap, tile + bar + title + note + gap];
    const width = 2 * margin + Math.max(columns, 4) * across - gap;
    const height = 2 * margin + head + Math.ceil(tiles.length / columns) * down + foot;
    const { canvas, context, write } = whitePaper(width, height);
    write(headline, margin, margin + 14, { colour: INK.text, font: "600 16px", width: width - 2 * margin });
    for (const [i, entry] of tiles.entries()) {
      const left = margin + (i % columns) * across;
      const top = margin + head + Math.floor(i / columns) * down;
      this.drawTile(context, entry, entry.picture && (await decoded(entry.picture)), left, top);
      const score = entry.score === null ? "" : `${this.percent(entry.score)} (${entry.aside})`;
      write(entry.title, left, top + tile + bar + 15, { colour: INK.text, font: "600 13px", width: tile });
      const below = [score, entry.note].filter(Boolean).join(" · ");
      write(below, left, top + tile + bar + title + 12, { font: "12px", width: tile });
    }
    write(provenance, margin, height - margin, { width: width - 2 * margin });
    return canvas;
  }

  drawTile(context, entry, image, left, top) {
    const { tile } = SHEET;
    const colour = entry.framed ? INK.framed : INK.plain;
    if (image) context.drawImage(image, left, top, tile, tile);
    else Object.assign(context, { strokeStyle: INK.rail, lineWidth: 1 }).strokeRect(left, top, tile, tile);
    if (entry.framed) {
      Object.assign(context, { strokeStyle: colour, lineWidth: 4 });
      context.strokeRect(left - 2, top - 2, tile + 4, tile + 4);
    }
    if (entry.score === null) return;
    context.fillStyle = INK.rail;
    context.fillRect(left, top + tile + 5, tile, 4);
    context.fillStyle = colour;
    const [middle, end] = [tile / 2, tile * this.place(entry.score)];
    context.fillRect(left + Math.min(middle, end), top + tile + 5, Math.abs(end - middle), 4);
  }
}

const view = new TilesView(element.querySelector(".tiles"));
showValue(view);
