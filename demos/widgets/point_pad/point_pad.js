// The point pad in the browser: points of the plane, drawn one by one or as strokes. Its value is a
// text of three characters for each (gen_core/data/point_texts.py); here they are levels, [x, y].

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LAST = 510; // the level at the right and the upper edge, at 3; 0 is at -3
const BITS = 9;
const MOST = 1000;
const APART = 0.1; // of the points of a stroke, in units of the plane
const DOT = 0.05; // radius in units: each is a Gaussian of that standard deviation

const level = (place) => Math.round(((place / 3 + 1) / 2) * LAST);
const steps = LAST / 6; // levels in a unit

// Corners of lines that are walked, in units.
const circle = (x, y, radius, from = 0, to = 1) =>
  Array.from({ length: 41 }, (_, k) => 2 * Math.PI * (from + ((to - from) * k) / 40)).map((a) => [x + radius * Math.cos(a), y + radius * Math.sin(a)]);
const SHAPES = {
  heart: [circle(0, 0, 1).map(([x, y], k) => {
    const a = (2 * Math.PI * k) / 40;
    return [2 * Math.sin(a) ** 3, (13 * Math.cos(a) - 5 * Math.cos(2 * a) - 2 * Math.cos(3 * a) - Math.cos(4 * a)) / 8];
  })],
  star: [Array.from({ length: 11 }, (_, k) => [(k % 2 ? 0.9 : 2.2) * Math.sin((Math.PI * k) / 5), (k % 2 ? 0.9 : 2.2) * Math.cos((Math.PI * k) / 5)])],
  smile: [circle(0, 0, 2.2), circle(-0.8, 0.7, 0.25), circle(0.8, 0.7, 0.25), circle(0, 0, 1.3, 0.55, 0.95)],
};

class PointPad extends Pad {
  constructor(root) {
    super(root);
    for (const button of root.querySelectorAll("[data-shape]")) {
      button.addEventListener("click", () => this.shape(SHAPES[button.dataset.shape]));
    }
  }

  check() {} // nothing is ever read from the paper

  // --- the value ----------------------------------------------------------------------------

  restore(text) {
    if ((text ?? "") === this.told) return;
    this.told = text ?? "";
    this.points = Array.from({ length: this.told.length / 3 }, (_, k) => {
      const [a, b, c] = [...this.told.slice(3 * k, 3 * k + 3)].map((digit) => DIGITS.indexOf(digit));
      const number = (a << 12) | (b << 6) | c;
      return [number >> BITS, number & ((1 << BITS) - 1)];
    });
    this.before = [];
    this.restored = this.points.length > 0;
    this.enable();
    this.show();
  }

  send() {
    const digits = (n) => DIGITS[(n >> 12) & 63] + DIGITS[(n >> 6) & 63] + DIGITS[n & 63];
    this.tell(this.points.map(([x, y]) => digits((x << BITS) | y)).join(""));
  }

  // --- strokes ------------------------------------------------------------------------------

  start() {
    this.remember();
    this.painting = true;
    this.end = null; // of the stroke
    this.stroke(this.at);
  }

  remember() {
    this.before.push([...this.points]);
    if (this.before.length > MOST_UNDOS) this.before.shift();
  }

  stroke(to) {
    if (this.painting) this.walk(this.levels(to));
    this.at = to;
    this.showRing();
  }

  // The levels of a place on the canvas.
  levels([x, y]) {
    const inside = (v) => Math.min(LAST, Math.max(0, Math.round(v)));
    return [inside((LAST * x) / this.paper.width), inside(LAST * (1 - y / this.paper.height))];
  }

  // Draws a line from the end of the stroke on: points on it, evenly apart.
  walk(to) {
    if (!this.end) return this.put(to);
    const far = Math.hypot(to[0] - this.end[0], to[1] - this.end[1]);
    const many = Math.floor(far / (APART * steps));
    const from = this.end;
    for (let k = 1; k <= many; k++) {
      const share = (k * APART * steps) / far;
      this.put(from.map((v, axis) => v + share * (to[axis] - v)));
    }
  }

  put(point) {
    this.end = point; // not rounded: a line stays straight
    if (this.points.length < MOST) this.points.push(point.map(Math.round));
    this.show();
  }

  shape(lines) {
    this.remember();
    this.points = [];
    for (const line of lines) {
      this.end = null;
      for (const corner of line) this.walk(corner.map(level));
    }
    this.send();
  }

  undo() {
    this.points = this.before.pop();
    this.show();
    this.send();
  }

  clear() {
    this.remember(); // a slip of the hand
    this.points = [];
    this.show();
    this.send();
  }

  enable() {
    this.undoButton.disabled = !this.before.length;
    this.clearButton.disabled = !this.points.length;
  }

  // --- what is seen -------------------------------------------------------------------------

  wipe() {
    this.points = [];
  }

  show() {
    const { width, height } = this.paper;
    const { context } = this;
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(this.canvas).color;
    for (const [x, y] of this.points) {
      context.beginPath();
      context.arc((width * x) / LAST, height * (1 - y / LAST), (DOT * width) / 6, 0, 2 * Math.PI);
      context.fill();
    }
    const count = this.points.length;
    const said = count === 1 ? "1 point" : `${count.toLocaleString("en")} points`;
    this.count ??= this.canvas.closest(".point-pad").querySelector(".point-count");
    this.count.textContent = count < MOST ? said : `${said}, the most there can be`;
  }
}

new PointPad(element.querySelector(".drawing"));
