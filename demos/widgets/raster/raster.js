// A card of pictures that were drawn place after place in raster order, pixels or tokens. One goes through
// a picture as through time, points at a place, and takes something else there. A subclass says what a
// place is called (`word`), how many stand in a row (`columns`) and how long each stays (`frameMs`); it
// shows a picture (`draw`) and what is known of a place (`tell`).

const TINT = { light: [180, 83, 9], dark: [251, 191, 36] }; // of what surprises most
const CELL = { cell: 224, gap: 24, margin: 28, foot: 44 }; // of the file, in pixels

const tint = () => TINT[document.body.classList.contains("dark") ? "dark" : "light"];

class RasterView extends Player {
  // asked: the knobs of other pictures, by name
  constructor(root, { word, asked, mostBits }) {
    super(root);
    Object.assign(this, { word, mostBits, picked: 0, papers: [] });
    this.choices = make("div", { class: "raster-choices", role: "group", "aria-label": "Pictures" });
    this.strip = make("canvas", { class: "raster-strip", height: 36 });
    this.readout = make("p", { class: "raster-readout" });
    this.note = make("p", { class: "raster-note" });
    this.changes = new Changes(this, asked);
  }

  // A canvas that shows a picture; one points at its places.
  buildPaper() {
    const canvas = make("canvas", { class: "raster-canvas", role: "img" });
    const mark = make("i", { class: "raster-mark" });
    const paper = make("div", { class: "raster-paper" }, canvas, mark);
    paper.addEventListener("pointermove", (event) => this.point(event));
    paper.addEventListener("pointerleave", () => this.choose(this.pinned));
    paper.addEventListener("click", (event) => this.pin(event));
    this.papers.push({ paper, mark });
    return { paper, canvas };
  }

  // --- values -------------------------------------------------------------------------------

  // Shows a value of which `places` are in each picture.
  shown(value, places) {
    const again = this.value?.pictures?.length === value.pictures.length;
    this.fill(value, true);
    this.root.setAttribute("data-filled", "");
    this.places = places;
    this.bits = value.bits.map((row) => row.split(" ").map(Number));
    this.whole = value.standing === places;
    this.readout.hidden = !this.whole;
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

  // Another picture, of which `index` places are shown.
  open(i, index) {
    this.picked = i;
    [...this.choices.children].forEach((button, j) => button.setAttribute("aria-pressed", i === j));
    const [bits, title] = [this.bits[i], this.value.titles[i]];
    for (const { paper } of this.papers) paper.firstChild.setAttribute("aria-label", title);
    this.note.textContent = "";
    if (bits) {
      const sum = bits.reduce((all, own) => all + own, 0);
      this.note.textContent = `${title}: ${Math.round(sum).toLocaleString("en")} bits, ${(sum / bits.length).toFixed(2)} a ${this.word}.`;
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
    this.moveHead(`${this.index} of ${this.places} ${this.word}s. ${this.readout.textContent}`);
    if (this.index === this.last) delete this.root.dataset.at; // else it stands in a copied link
    else this.root.dataset.at = this.index;
  }

  // The surprise of each place along the track.
  drawStrip(bits) {
    const { strip } = this;
    strip.width = bits.length;
    const context = strip.getContext("2d");
    context.fillStyle = getComputedStyle(strip).getPropertyValue("--amber");
    bits.forEach((own, i) => {
      const height = strip.height * Math.min(own / this.mostBits, 1);
      context.fillRect(i, strip.height - height, 1, height);
    });
  }

  // --- one place ----------------------------------------------------------------------------

  // Shows all about the i-th place; -1: there is none.
  choose(i) {
    this.chosen = i;
    const none = i < 0 || !this.whole;
    for (const { mark } of this.papers) this.moveMark(mark, i, none);
    this.readout.textContent = none ? "" : this.about(i).join(" · ");
    this.tell(none ? -1 : i);
  }

  moveMark(mark, i, none) {
    const { columns } = this;
    mark.hidden = none;
    if (none) return;
    const rows = this.places / columns;
    const shares = { left: (i % columns) / columns, top: Math.floor(i / columns) / rows, width: 1 / columns, height: 1 / rows };
    for (const [side, share] of Object.entries(shares)) mark.style[side] = `${100 * share}%`;
  }

  // What stands at the i-th place, in words; parts: what a subclass knows of it.
  about(i, ...parts) {
    const bits = this.bits[this.picked][i];
    const place = `Row ${Math.floor(i / this.columns) + 1}, column ${(i % this.columns) + 1}`;
    const said = [place, ...parts, `probability ${chance(2 ** -bits)}`, `${bits.toFixed(bits < 1 ? 2 : 1)} bits`];
    const taken = this.value.changed.some(([picture, at]) => picture === this.picked && at === i);
    return taken ? [...said, "taken by you"] : said;
  }

  // The place at a point of the page; -1 beyond those that stand.
  at({ clientX, clientY, currentTarget }) {
    const box = currentTarget.getBoundingClientRect();
    const rows = this.places / this.columns;
    const [column, row] = [((clientX - box.left) / box.width) * this.columns, ((clientY - box.top) / box.height) * rows].map(Math.floor);
    const inside = column >= 0 && row >= 0 && column < this.columns && row < rows;
    return inside && row * this.columns + column < this.index ? row * this.columns + column : -1;
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
    this.scrub(this.index + rows * this.columns);
    event.preventDefault();
  }

  layout() {}

  // Draws on from another kind at a place; what was taken of this picture after it is void.
  take(place, kind) {
    const own = this.picked + 1;
    const said = (change) => change.split(/[/:]/).map(Number);
    const kept = this.changes.all.map(said).filter(([of, at]) => of !== own || at < place + 1);
    const all = [...kept, [own, place + 1, kind]].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    this.taken = place;
    this.changes.take(all.map(([of, at, which]) => `${of}/${at}:${which}`));
  }

  // --- a file -------------------------------------------------------------------------------

  async drawn() {
    const { pictures, titles, provenance } = this.value;
    const { cell, gap, margin, foot } = CELL;
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
