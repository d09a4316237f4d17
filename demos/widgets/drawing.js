// The drawing pad in the browser: gr.HTML runs this once, with `element`, `props` and `watch`.

const BRUSH = 26; // of 280 pixels: two and a half pixels of the picture that a model sees
const MOST_UNDOS = 30;

class DrawingPadView {
  constructor(root) {
    this.canvas = root.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.brushes = [...root.querySelectorAll("[data-ink]")];
    this.undoButton = root.querySelector(".drawing-undo");
    this.clearButton = root.querySelector(".drawing-clear");
    this.before = []; // the paper before each stroke
    this.ink = "#fff";
    this.last = null;
    this.restored = false; // whether the paper began with a drawing
    this.wipe();
    this.listen();
    if (props.value) this.restore(props.value);
  }

  // Gradio builds the pad anew when it is shown again: the drawing that would be sent is on it.
  restore(url) {
    const image = new Image();
    image.onload = () => {
      this.context.drawImage(image, 0, 0, this.canvas.width, this.canvas.height);
      this.restored = true;
      this.clearButton.disabled = false;
    };
    image.src = url;
  }

  listen() {
    for (const brush of this.brushes) brush.addEventListener("click", () => this.choose(brush));
    this.canvas.addEventListener("pointerdown", (event) => this.start(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const kind of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(kind, () => this.finish());
    }
    this.undoButton.addEventListener("click", () => this.undo());
    this.clearButton.addEventListener("click", () => this.clear());
  }

  choose(brush) {
    this.ink = brush.dataset.ink;
    this.brushes.forEach((other) => other.setAttribute("aria-pressed", other === brush));
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  start(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.before.push(this.context.getImageData(0, 0, this.canvas.width, this.canvas.height));
    if (this.before.length > MOST_UNDOS) this.before.shift();
    this.last = this.place(event);
    this.stroke(this.last);
  }

  move(event) {
    if (this.last) this.stroke(this.place(event));
  }

  stroke(to) {
    const { context } = this;
    Object.assign(context, { strokeStyle: this.ink, lineWidth: BRUSH, lineCap: "round" });
    context.beginPath();
    context.moveTo(...this.last);
    context.lineTo(...to);
    context.stroke();
    this.last = to;
  }

  finish() {
    if (!this.last) return;
    this.last = null;
    this.tell(this.canvas.toDataURL("image/png"));
  }

  undo() {
    this.context.putImageData(this.before.pop(), 0, 0);
    this.tell(this.before.length || this.restored ? this.canvas.toDataURL("image/png") : null);
  }

  clear() {
    this.before = [];
    this.restored = false;
    this.wipe();
    this.tell(null);
  }

  wipe() {
    this.context.fillStyle = "#000";
    this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  tell(value) {
    this.undoButton.disabled = !this.before.length;
    this.clearButton.disabled = !this.before.length && !this.restored;
    props.value = value;
  }
}

new DrawingPadView(element.querySelector(".drawing"));
