// The points of the map and their legend, drawn from what the server told once. Places are shares
// of the map, -1 to 1, x to the right and y up.

const HIDDEN = "rgb(140 140 140 / 35%)"; // the portrait does not show it
const EDGE = "rgb(90 90 90 / 65%)"; // keeps white and black points in sight on any ground
const FADED = 0.1;
const POINTS_PER_RADIUS = 190; // widths of the map in one radius of a point

class Points {
  constructor(canvas, legend, fine) {
    Object.assign(this, { canvas, legend, fine });
    this.about = null;
    this.shown = true;
    this.alone = null; // the one mark in sight, null for all
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(canvas);
  }

  load(about, column) {
    this.about = about;
    this.places = numbersOf(about.points, Int16Array);
    this.count = this.places.length / 2;
    this.all = numbersOf(about.marks, Int8Array);
    this.colour(column);
  }

  colour(index) {
    this.column = this.about.columns[index];
    this.marks = this.all.subarray(index * this.count, (index + 1) * this.count);
    this.alone = null;
    this.buildLegend();
    this.draw();
  }

  show(shown) {
    this.shown = shown;
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const width = canvas.clientWidth;
    if (!width) return;
    canvas.width = canvas.height = Math.round(width * (window.devicePixelRatio || 1));
    if (!this.about || !this.shown) return;
    const context = canvas.getContext("2d");
    context.scale(canvas.width / width, canvas.width / width);
    context.strokeStyle = EDGE;
    context.lineWidth = 0.8;
    const radius = Math.max(2.2, width / POINTS_PER_RADIUS);
    for (let k = 0; k < this.count; k++) {
      const [x, y] = this.place(k);
      context.globalAlpha = this.alone === null || this.alone === this.marks[k] ? 1 : FADED;
      context.fillStyle = this.column.colours[this.marks[k]] ?? HIDDEN;
      context.beginPath();
      context.arc(((1 + x) / 2) * width, ((1 - y) / 2) * width, radius, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }

  place(k) {
    return [this.places[2 * k] / this.fine, this.places[2 * k + 1] / this.fine];
  }

  // What the encoding nearest to a place shows, in words.
  nearest([x, y]) {
    let best = 0;
    let least = Infinity;
    for (let k = 0; k < this.count; k++) {
      const [px, py] = this.place(k);
      const away = (px - x) ** 2 + (py - y) ** 2;
      if (away < least) [best, least] = [k, away];
    }
    const mark = this.marks[best];
    if (mark < 0) return "hidden";
    const { names, range, colours } = this.column;
    if (names.length) return names[mark];
    return (range[0] + ((range[1] - range[0]) * mark) / (colours.length - 1)).toFixed(1).replace("-", "−");
  }

  // --- legend -----------------------------------------------------------------------------------

  buildLegend() {
    const { names, colours, ends } = this.column;
    const parts = names.length
      ? names.map((name, mark) => this.buildEntry(name, mark, colours[mark]))
      : [this.buildRamp(ends, colours)];
    const hidden = this.marks.filter((mark) => mark < 0).length;
    if (hidden) parts.push(this.buildEntry(`hidden in the portrait (${hidden})`, -1, HIDDEN));
    if (this.about.beyond) {
      const beyond = `${this.about.beyond} of ${this.count + this.about.beyond} dots lie beyond the edge.`;
      parts.push(make("p", { class: "latent-map-beyond" }, beyond));
    }
    this.legend.replaceChildren(...parts);
  }

  buildEntry(name, mark, colour) {
    const chip = make("span", { class: "latent-map-chip", style: `background: ${colour}` });
    const entry = make("button", { type: "button", class: "latent-map-entry", "aria-pressed": false }, chip, name);
    entry.addEventListener("click", () => {
      this.alone = this.alone === mark ? null : mark;
      for (const other of this.legend.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", other === entry && this.alone === mark);
      }
      this.draw();
    });
    return entry;
  }

  buildRamp([low, high], colours) {
    const bar = make("span", { class: "latent-map-colours", style: `background: linear-gradient(to right, ${colours.join(", ")})` });
    return make("div", { class: "latent-map-ramp" }, bar, make("span", {}, low), make("span", {}, high));
  }
}
