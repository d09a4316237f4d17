// Paper to paint on with mouse, pen, finger or keys: what all pads share. Each pad joins this with
// a few lines of its own; gr.HTML runs both once, with `element`, `props` and `watch`.

const MOST_UNDOS = 30;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const HARMLESS = 8; // levels of 255 by which a pixel may differ from what was painted
const UNREADABLE =
  "Your browser hides from this page what is painted here, or disturbs it, as a protection against "
  + "tracking: it cannot be used like that. Allow this site to read canvases (browsers that ask "
  + "show an icon beside the address), or take another browser.";

// Whether what is painted can be read as it was painted: pixels are written and read back in both
// ways in which pads read.
async function readsBack() {
  const side = 32;
  const [canvas, other] = [0, 1].map(() =>
    Object.assign(document.createElement("canvas"), { width: side, height: side }));
  const painted = new ImageData(side, side);
  painted.data.forEach((_, i, data) => (data[i] = i % 4 === 3 ? 255 : (i * 89) % 256));
  const same = (context) => {
    const { data } = context.getImageData(0, 0, side, side);
    return painted.data.every((level, i) => Math.abs(level - data[i]) <= HARMLESS);
  };
  try {
    const context = canvas.getContext("2d");
    context.putImageData(painted, 0, 0);
    if (!same(context)) return false;
    const image = Object.assign(new Image(), { src: canvas.toDataURL("image/png") });
    await image.decode();
    const copy = other.getContext("2d");
    copy.drawImage(image, 0, 0);
    return same(copy);
  } catch {
    return false; // reading is forbidden, or gives no picture
  }
}

class Pad {
  // paper: the canvas that strokes go to, where it is not the one that is seen.
  constructor(root, paper = root.querySelector("canvas")) {
    this.canvas = root.querySelector("canvas");
    this.paper = paper;
    this.context = paper.getContext("2d", { willReadFrequently: true });
    this.ground = root.dataset.ground;
    this.inks = [...root.querySelectorAll("[data-ink]")];
    this.size = root.querySelector(".drawing-size");
    this.ring = root.querySelector(".drawing-ring");
    this.undoButton = root.querySelector(".drawing-undo");
    this.clearButton = root.querySelector(".drawing-clear");
    this.before = []; // the paper before each stroke
    this.ink = this.inks[0]?.dataset.ink;
    this.at = [paper.width / 2, paper.height / 2]; // where the brush is
    this.painting = false;
    this.told = null; // the value as this pad knows it
    this.restored = false; // whether the paper began with a drawing
    this.note = Object.assign(document.createElement("p"), { className: "drawing-note", hidden: true });
    this.note.setAttribute("role", "status");
    this.canvas.parentElement.after(this.note);
    this.check();
    this.wipe();
    this.listen();
    watch("value", () => this.restore(props.value || null));
    this.restore(props.value || null);
  }

  // Says so where what is painted cannot be read. `reads` is undefined until that is known.
  async check() {
    this.reads = await readsBack();
    this.note.hidden = this.reads;
    this.note.textContent = this.reads ? "" : UNREADABLE;
    if (!this.reads) this.show();
    return this.reads;
  }

  // Gradio builds the pad anew when it is shown again, and a link brings a drawing with it: what
  // would be sent is on the paper.
  restore(url) {
    if (url === this.told) return;
    this.told = url;
    this.before = [];
    this.wipe();
    this.restored = Boolean(url);
    this.enable();
    if (!url) return this.show();
    const image = new Image();
    image.onload = () => {
      if (this.told !== url) return;
      this.context.drawImage(image, 0, 0, this.paper.width, this.paper.height);
      this.show();
    };
    image.src = url;
  }

  listen() {
    for (const ink of this.inks) {
      ink.style.setProperty("--ink", ink.dataset.ink);
      ink.addEventListener("click", () => this.choose(ink));
    }
    const on = (kind, act) => this.canvas.addEventListener(kind, act);
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerleave", () => this.canvas === document.activeElement || this.hideRing());
    on("blur", () => this.hideRing());
    on("focus", () => this.showRing());
    on("keydown", (event) => this.key(event));
    for (const kind of ["pointerup", "pointercancel"]) on(kind, () => this.finish());
    this.size?.addEventListener("input", () => this.showRing());
    this.undoButton.addEventListener("click", () => this.undo());
    this.clearButton.addEventListener("click", () => this.clear());
  }

  choose(ink) {
    this.ink = ink.dataset.ink;
    this.inks.forEach((other) => other.setAttribute("aria-pressed", other === ink));
  }

  // --- strokes ------------------------------------------------------------------------------

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.paper.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  press(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.at = this.place(event);
    this.start();
  }

  move(event) {
    if (!event.isPrimary) return;
    this.stroke(this.place(event));
  }

  start() {
    this.before.push(this.context.getImageData(0, 0, this.paper.width, this.paper.height));
    if (this.before.length > MOST_UNDOS) this.before.shift();
    this.painting = true;
    this.stroke(this.at);
  }

  // Moves the brush; while it is down, it paints on its way.
  stroke(to) {
    if (this.painting) {
      Object.assign(this.context, { strokeStyle: this.ink, lineWidth: this.width, lineCap: "round" });
      this.context.beginPath();
      this.context.moveTo(...this.at);
      this.context.lineTo(...to);
      this.context.stroke();
      this.show();
    }
    this.at = to;
    this.showRing();
  }

  finish() {
    if (!this.painting) return;
    this.painting = false;
    this.send();
  }

  // Tells what is on the paper, never noise in its place; asks again where it was noise before.
  async send() {
    this.enable();
    if (this.reads || (await this.check())) this.tell(this.paper.toDataURL("image/png"));
  }

  undo() {
    this.context.putImageData(this.before.pop(), 0, 0);
    this.show();
    if (this.before.length || this.restored) this.send();
    else this.tell(null);
  }

  clear() {
    this.before = [];
    this.restored = false;
    this.wipe();
    this.show();
    this.tell(null);
  }

  wipe() {
    this.context.fillStyle = this.ground;
    this.context.fillRect(0, 0, this.paper.width, this.paper.height);
  }

  // What is seen, where that is not the paper itself.
  show() {}

  // --- brush and keys -----------------------------------------------------------------------

  get width() {
    return Number(this.size?.value ?? this.canvas.dataset.brush);
  }

  // Arrows move the brush by half its width, with Shift by a pixel; Space paints where it is.
  key(event) {
    const move = MOVES[event.key];
    if (!move && event.key !== " ") return;
    event.preventDefault();
    if (move) {
      const step = event.shiftKey ? 1 : this.width / 2;
      const inside = (v) => Math.min(this.paper.width, Math.max(0, v));
      this.stroke(this.at.map((v, axis) => inside(v + step * move[axis])));
    } else if (!event.repeat) {
      this.start();
      this.finish();
    }
  }

  showRing() {
    const percent = (v) => `${(100 * v) / this.paper.width}%`;
    const [left, top] = this.at.map(percent);
    Object.assign(this.ring.style, { left, top, width: percent(this.width) });
    this.ring.hidden = false;
  }

  hideRing() {
    this.ring.hidden = true;
  }

  enable() {
    this.undoButton.disabled = !this.before.length;
    this.clearButton.disabled = !this.before.length && !this.restored;
  }

  tell(value) {
    this.told = value;
    this.enable();
    props.value = value;
  }
}
