// The codebook: what each code stands for, as squares of one picture.

const CODES_ACROSS = 32;

class Codebook {
  // take(kind): a code was pressed.
  constructor(take) {
    this.canvas = make("canvas", { class: "codebook-canvas", role: "img" });
    this.mark = make("i", { class: "raster-mark" });
    this.told = make("span", { class: "raster-note" });
    const sheet = make("div", { class: "codebook-sheet" }, this.canvas, this.mark);
    this.node = make("details", { class: "codebook" }, make("summary", {}, "The whole codebook "), this.told, sheet);
    sheet.addEventListener("pointermove", (event) => this.point(this.at(event)));
    sheet.addEventListener("pointerleave", () => this.point(-1));
    sheet.addEventListener("click", (event) => this.at(event) >= 0 && take(this.at(event)));
  }

  async load(address) {
    if (this.address === address) return;
    this.picture = await decoded(address);
    this.address = address;
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    this.side = width / CODES_ACROSS;
    this.rows = height / this.side;
    Object.assign(this.canvas, { width, height });
    this.canvas.getContext("2d").drawImage(this.picture, 0, 0);
    this.canvas.setAttribute("aria-label", `${CODES_ACROSS * this.rows} codes`);
    this.point(-1);
  }

  at({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor(((clientX - box.left) / box.width) * CODES_ACROSS);
    const row = Math.floor(((clientY - box.top) / box.height) * this.rows);
    const inside = column >= 0 && row >= 0 && column < CODES_ACROSS && row < this.rows;
    return inside ? row * CODES_ACROSS + column : -1;
  }

  point(kind) {
    const [column, row] = [kind % CODES_ACROSS, Math.floor(kind / CODES_ACROSS)];
    this.mark.hidden = kind < 0;
    Object.assign(this.mark.style, {
      left: `${(100 * column) / CODES_ACROSS}%`,
      top: `${(100 * row) / this.rows}%`,
      width: `${100 / CODES_ACROSS}%`,
      height: `${100 / this.rows}%`,
    });
    this.told.textContent = kind < 0 ? `${CODES_ACROSS * this.rows} codes. Press one to put it in.` : `Code ${kind}`;
  }

  // Paints a code into a square of a canvas.
  paint(context, kind, left, top, side) {
    const { side: own } = this;
    const from = [(kind % CODES_ACROSS) * own, Math.floor(kind / CODES_ACROSS) * own];
    context.drawImage(this.picture, ...from, own, own, left, top, side, side);
  }

  // A code by itself.
  face(kind) {
    const canvas = make("canvas", { class: "codebook-face", width: this.side, height: this.side });
    this.paint(canvas.getContext("2d"), kind, 0, 0, this.side);
    return make("span", { class: "codebook-code" }, canvas, String(kind));
  }
}
