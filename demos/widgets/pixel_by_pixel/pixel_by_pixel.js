// Pictures that one goes through pixel by pixel, in a card.

const FRAME_MS = 16;
const MOST_BITS = 8; // from which on a pixel is tinted no darker: as many as it has
const ASKED = ["label", "count", "temperature", "seed", "top_k", "top_p"]; // knobs of other pictures
const TINT = { light: [180, 83, 9], dark: [251, 191, 36] };
const PAPER = { cell: 224, gap: 24, margin: 28, foot: 44 }; // of the file, in pixels

class PixelsView extends Player {
  constructor(root) {
    super(root);
    this.picked = 0;
    this.choices = make("div", { class: "pixels-choices", role: "group", "aria-label": "Pictures" });
    this.canvas = make("canvas", { class: "pixels-canvas", role: "img" });
    this.mark = make("i", { class: "pixels-mark" });
    this.paper = make("div", { class: "pixels-paper" }, this.canvas, this.mark);
    this.strip = make("canvas", { class: "pixels-strip", height: 36 });
    this.readout = make("p", { class: "pixels-readout" });
    this.greys = new Greys((grey) => this.take(grey));
    this.waiting = make("p", { class: "pixels-note" }, "What each pixel was drawn from comes when the pictures are whole.");
    this.note = make("p", { class: "pixels-note" });
    const left = make("div", {}, this.paper, this.buildTint());
    const right = make("div", { class: "pixels-side" }, this.readout, this.greys.node, this.waiting, this.note);
    this.full.append(
      this.choices,
      make("div", { class: "pixels-body" }, left, right),
      this.transport("pixel", "Pixels that are drawn", this.strip),
      this.foot("Download these pictures as PNG", () => this.drawn()),
    );
    this.changes = new Changes(this, ASKED);
    this.paper.addEventListener("pointermove", (event) => this.point(event));
    this.paper.addEventListener("pointerleave", () => this.choose(this.pinned));
    this.paper.addEventListener("click", (event) => this.pin(event));
    this.listen();
  }

  buildTint() {
    this.tint = make("input", { type: "checkbox" });
    this.tint.addEventListener("change", () => this.draw());
    const scale = make("span", { class: "pixels-scale" }, `0 to ${MOST_BITS} bits`);
    this.tintLabel = make("label", { class: "pixels-tint" }, this.tint, " Show surprise ", scale);
    return this.tintLabel;
  }

  // --- values -------------------------------------------------------------------------------

  async load(value) {
    this.pause();
    this.newest = value;
    const filled = Boolean(value?.pictures);
    if (!filled) return this.fill(value, false);
    const grey = await Promise.all(value.pictures.map((picture) => pixelsOf(picture)));
    if (this.newest !== value) return;
    const again = this.value?.pictures?.length === value.pictures.length;
    this.fill(value, true);
    this.root.setAttribute("data-filled", "");
    const [{ width, height }] = grey;
    Object.assign(this.canvas, { width, height });
    this.bits = value.bits.map((row) => row.split(" ").map(Number));
    Object.assign(this, { grey, sheets: new Map(), whole: value.standing === width * height });
    for (const node of [this.tintLabel, this.readout]) node.hidden = !this.whole;
    this.waiting.hidden = this.whole;
    this.choices.hidden = value.pictures.length < 2;
    if (!again) this.choices.replaceChildren(...value.pictures.map((_, i) => this.choice(i)));
    [...this.choices.children].forEach((button, i) => this.name(button, value.pictures[i], value.titles[i]));
    const moment = this.whole ? window.noiseToDataAddress?.moment(this.root) : null;
    this.open(Math.min(this.picked, value.pictures.length - 1), moment ?? this.last);
  }

  choice(i) {
    const button = make("button", { type: "button" }, make("img", { alt: "" }));
    button.addEventListener("click", () => this.open(i, this.index));
    return button;
  }

  // The same buttons while pictures grow: who stands on one goes on standing there.
  name(button, picture, title) {
    button.firstChild.src = picture;
    button.title = title;
    button.setAttribute("aria-label", title);
  }

  // Another picture, of which `index` pixels are shown. Its pixels' probabilities are fetched now.
  open(i, index) {
    this.picked = i;
    [...this.choices.children].forEach((button, j) => button.setAttribute("aria-pressed", i === j));
    const bits = this.bits[i];
    this.canvas.setAttribute("aria-label", this.value.titles[i]);
    this.note.textContent = "";
    if (bits) {
      const sum = bits.reduce((all, own) => all + own, 0);
      this.note.textContent = `${this.value.titles[i]}: ${Math.round(sum).toLocaleString("en")} bits, ${(sum / bits.length).toFixed(2)} a pixel.`;
      this.drawStrip(bits);
    }
    this.pinned = this.taken ?? (bits ? bits.indexOf(Math.max(...bits)) : -1); // what one looks for
    if (this.whole) this.taken = null;
    this.show(index);
  }

  get last() {
    return this.value.standing;
  }

  show(index) {
    this.index = Math.max(0, Math.min(this.last, index));
    if (this.index < this.last) this.pinned = this.index - 1;
    this.draw();
    this.choose(this.pinned);
    this.moveHead(`${this.index} of ${this.canvas.width * this.canvas.height} pixels. ${this.readout.textContent}`);
    if (this.index === this.last) delete this.root.dataset.at; // else it stands in a copied link
    else this.root.dataset.at = this.index;
  }

  draw() {
    const { pixels, width, height } = this.grey[this.picked];
    const shown = new ImageData(new Uint8ClampedArray(pixels), width, height);
    const tinted = this.tint.checked && this.whole;
    const [red, green, blue] = TINT[document.body.classList.contains("dark") ? "dark" : "light"];
    for (let i = 0; i < width * height; i += 1) {
      const share = tinted ? Math.min(this.bits[this.picked][i] / MOST_BITS, 1) : 1;
      if (tinted) shown.data.set([red, green, blue], 4 * i);
      shown.data[4 * i + 3] = i < this.index ? 255 * share : 0;
    }
    this.paper.classList.toggle("pixels-tinted", tinted);
    this.canvas.getContext("2d").putImageData(shown, 0, 0);
  }

  // The surprise of each pixel along the track.
  drawStrip(bits) {
    const { strip } = this;
    strip.width = bits.length;
    const context = strip.getContext("2d");
    context.fillStyle = getComputedStyle(strip).getPropertyValue("--amber");
    bits.forEach((own, i) => {
      const height = strip.height * Math.min(own / MOST_BITS, 1);
      context.fillRect(i, strip.height - height, 1, height);
    });
  }

  // --- one pixel ----------------------------------------------------------------------------

  // Shows all about the i-th pixel; -1: there is none.
  async choose(i) {
    this.chosen = i;
    const { width, height } = this.canvas;
    const none = i < 0 || !this.whole;
    this.mark.hidden = this.greys.node.hidden = none;
    this.readout.textContent = "";
    if (none) return;
    const [row, column] = [Math.floor(i / width), i % width];
    const percents = { left: column / width, top: row / height, width: 1 / width, height: 1 / height };
    for (const [side, share] of Object.entries(percents)) this.mark.style[side] = `${100 * share}%`;
    const own = this.grey[this.picked].pixels[4 * i];
    const bits = this.bits[this.picked][i];
    const parts = [`Row ${row + 1}, column ${column + 1}`, `grey ${own}`, `probability ${chance(2 ** -bits)}`, `${bits.toFixed(bits < 1 ? 2 : 1)} bits`];
    if (this.value.changed.some(([picture, place]) => picture === this.picked && place === i)) parts.push("taken by you");
    this.readout.textContent = parts.join(" · ");
    try {
      const { picked, value } = this;
      const [said, drawn] = await this.shares(picked);
      if (i === this.chosen && picked === this.picked && value === this.value) this.greys.show({ said: said(i), drawn: drawn?.(i), own });
    } catch (error) {
      this.say(`No probabilities: ${error.message}`);
    }
  }

  // Of a picture, what gives the probabilities of a pixel.
  shares(picked) {
    const { said, drawn } = this.value;
    const of = async (sheet) => {
      if (!sheet) return null;
      const { pixels, width } = await pixelsOf(sheet);
      return (i) => Array.from({ length: width }, (_, grey) => (pixels[4 * (i * width + grey)] / 255) ** 2);
    };
    if (!this.sheets.has(picked)) this.sheets.set(picked, Promise.all([of(said[picked]), of(drawn[picked])]));
    return this.sheets.get(picked);
  }

  // The pixel at a place of the page; -1 beyond those that stand.
  at({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = this.canvas;
    const [column, row] = [((clientX - box.left) / box.width) * width, ((clientY - box.top) / box.height) * height].map(Math.floor);
    const inside = column >= 0 && row >= 0 && column < width && row < height;
    return inside && row * width + column < this.index ? row * width + column : -1;
  }

  point(event) {
    const i = this.at(event);
    if (this.timer || i < 0 || event.pointerType === "touch") return;
    this.choose(i);
  }

  pin(event) {
    const i = this.at(event);
    if (i < 0) return;
    this.pause();
    this.pinned = i;
    this.choose(i);
  }

  // A row up or down, besides the keys that every player has.
  key(event) {
    const rows = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!rows || this.gone() || !this.whole || event.target !== this.track) return super.key(event);
    this.scrub(this.index + rows * this.canvas.width);
    event.preventDefault();
  }

  layout() {}

  frameMs() {
    return FRAME_MS;
  }

  // Draws on from another grey of the chosen pixel; what was taken of this picture after it is void.
  take(grey) {
    const [picture, place] = [this.picked + 1, this.chosen + 1];
    const said = (change) => change.split(/[/:]/).map(Number);
    const kept = this.changes.all.map(said).filter(([of, at]) => of !== picture || at < place);
    const all = [...kept, [picture, place, grey]].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    this.taken = this.chosen;
    this.changes.take(all.map(([of, at, which]) => `${of}/${at}:${which}`));
  }

  // --- a file -------------------------------------------------------------------------------

  async drawn() {
    const { pictures, titles, provenance } = this.value;
    const { cell, gap, margin, foot } = PAPER;
    const across = Math.min(pictures.length, 4);
    const lines = Math.ceil(pictures.length / across);
    const width = 2 * margin + across * (cell + gap) - gap;
    const { canvas, context, write } = whitePaper(width, 2 * margin + lines * (cell + foot) + 16);
    for (const [i, picture] of pictures.entries()) {
      const left = margin + (i % across) * (cell + gap);
      const top = margin + Math.floor(i / across) * (cell + foot);
      context.drawImage(await decoded(picture), left, top, cell, cell);
      write(titles[i], left, top + cell + 20, { width: cell });
    }
    write(provenance, margin, canvas.height - margin + 8, { width: width - 2 * margin });
    return canvas;
  }
}

const view = new PixelsView(element.querySelector(".pixel-by-pixel"));
showValue(view);
