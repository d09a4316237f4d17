// One road's plane: data, the field, points with their trails, and what a visitor dropped there.

const SECTORS = ["--blue", "--violet", "--rose", "--amber", "--green"]; // of the noise, around its middle
const REACH = 2.5; // these planes are drawn from -REACH to REACH
const FOLLOWED = 16; // points with a trail
const GRID = 13; // arrows on a side
const TRAIL = { newest: 0.9, oldest: 0.3, fades: 0.8 }; // shares of colour; the time in which they fade

class RoadPlane {
  constructor(canvas) {
    this.canvas = canvas;
    this.behind = make("canvas"); // the data, which do not move
  }

  // points: Uint16Array, frame by frame; real: places of the data
  take({ points, arrows, exact, count, times, real, sectors }) {
    Object.assign(this, { points, arrows, exact, count, times, real, sectors });
    this.side = 0; // drawn anew
  }

  // Colours and size, where they have changed.
  prepare() {
    const side = Math.round((this.canvas.clientWidth || 220) * Math.min(2, window.devicePixelRatio || 1));
    const style = getComputedStyle(this.canvas);
    const ground = style.getPropertyValue("--block-background-fill").trim();
    if (side === this.side && ground === this.ground) return;
    Object.assign(this, { side, ground });
    const colour = (name) => style.getPropertyValue(name).trim();
    this.ink = style.color;
    this.quiet = colour("--quiet");
    this.mark = colour("--mark");
    this.colours = SECTORS.map(colour);
    this.canvas.width = this.canvas.height = side;
    this.behind.width = this.behind.height = side;
    this.drawBehind();
  }

  drawBehind() {
    const context = this.behind.getContext("2d");
    context.fillStyle = this.ground;
    context.fillRect(0, 0, this.side, this.side);
    context.globalAlpha = 0.32;
    context.fillStyle = this.quiet;
    context.beginPath();
    for (let k = 0; k < this.real.length / 2; k++) this.dot(context, ...this.placedAt(this.real, k), this.side / 130);
    context.fill();
  }

  // --- places -------------------------------------------------------------------------------

  placedAt(places, k) {
    const { side } = this;
    return [side / 2 + placed(places[2 * k], side, REACH), side / 2 - placed(places[2 * k + 1], side, REACH)];
  }

  // A point between two key frames. places: frame by frame, `count` in each
  between(places, count, k, index) {
    const frame = Math.min(Math.floor(index), this.times.length - 1);
    const share = index - frame;
    const here = this.placedAt(places, frame * count + k);
    if (!share) return here;
    const next = this.placedAt(places, (frame + 1) * count + k);
    return [here[0] + share * (next[0] - here[0]), here[1] + share * (next[1] - here[1])];
  }

  dot(context, x, y, radius) {
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 2 * Math.PI);
  }

  // --- a moment -----------------------------------------------------------------------------

  // on: the layers, by name; drops: what visitors dropped here; cross: a place (x, y), or null
  draw(index, on, drops, cross) {
    this.prepare();
    const context = this.canvas.getContext("2d");
    context.globalAlpha = 1;
    if (on.real) context.drawImage(this.behind, 0, 0);
    else {
      context.fillStyle = this.ground;
      context.fillRect(0, 0, this.side, this.side);
    }
    const field = on.arrows && this.arrows && this.fieldAt(this.arrows, index);
    const exact = on.exact && this.exact && this.fieldAt(this.exact, index);
    if (field && exact) this.drawErrors(context, field, exact);
    if (exact) this.drawArrows(context, exact, this.mark, 0.9);
    if (field) this.drawArrows(context, field, this.quiet, exact ? 0.8 : 0.42);
    if (this.points) {
      this.drawPoints(context, index, drops.length ? 0.45 : 0.95);
      if (on.trails && this.times.length > 1) this.drawTrails(context, index, drops.length ? 0.35 : 1);
    }
    for (const drop of drops) this.drawDrop(context, drop, index);
    if (cross) this.drawCross(context, cross);
    context.globalAlpha = 1;
  }

  // The arrows between two key frames, each from -1 to 1.
  fieldAt(arrows, index) {
    const size = 2 * GRID * GRID;
    const frames = arrows.length / size;
    const at = frames === this.times.length ? index : 0; // else it is that of one moment
    const frame = Math.min(Math.floor(at), frames - 1);
    const next = Math.min(frame + 1, frames - 1);
    const share = at - frame;
    return Float32Array.from({ length: size }, (_, i) => {
      const here = arrows[frame * size + i];
      return (here + share * (arrows[next * size + i] - here)) / 127;
    });
  }

  // Where a network's arrow is another than it should be.
  drawErrors(context, field, exact) {
    const cell = this.side / GRID;
    context.fillStyle = this.colours[SECTORS.indexOf("--rose")];
    for (let k = 0; k < GRID * GRID; k++) {
      const off = Math.hypot(field[2 * k] - exact[2 * k], field[2 * k + 1] - exact[2 * k + 1]);
      context.globalAlpha = Math.min(0.5, off / 2);
      context.fillRect(Math.floor(k / GRID) * cell, this.side - ((k % GRID) + 1) * cell, cell, cell);
    }
  }

  drawArrows(context, field, colour, share) {
    const { side } = this;
    const cell = side / GRID;
    context.globalAlpha = share;
    context.strokeStyle = colour;
    context.lineWidth = Math.max(1, side / 240);
    context.beginPath();
    for (let k = 0; k < GRID * GRID; k++) {
      const [dx, dy] = [field[2 * k] * cell, -field[2 * k + 1] * cell];
      const x = (Math.floor(k / GRID) + 0.5) * cell - dx / 2;
      const y = side - ((k % GRID) + 0.5) * cell - dy / 2;
      context.moveTo(x, y);
      context.lineTo(x + dx, y + dy);
      context.moveTo(x + 0.62 * dx - 0.22 * dy, y + 0.62 * dy + 0.22 * dx);
      context.lineTo(x + dx, y + dy);
      context.lineTo(x + 0.62 * dx + 0.22 * dy, y + 0.62 * dy - 0.22 * dx);
    }
    context.stroke();
  }

  // A piece of all trails at once: the older, the fainter.
  drawTrails(context, index, share) {
    const { times, points, count } = this;
    const whole = Math.floor(index);
    const now = times[whole] + (index - whole) * ((times[whole + 1] ?? 1) - times[whole]);
    context.strokeStyle = this.ink;
    context.lineWidth = Math.max(1, this.side / 200);
    context.lineJoin = "round";
    for (let frame = 0; frame < index; frame++) {
      const age = (now - times[frame]) / TRAIL.fades;
      context.globalAlpha = share * Math.max(TRAIL.oldest, TRAIL.newest * (1 - age));
      context.beginPath();
      for (let k = 0; k < FOLLOWED; k++) {
        context.moveTo(...this.placedAt(points, frame * count + k));
        context.lineTo(...this.between(points, count, k, Math.min(index, frame + 1)));
      }
      context.stroke();
    }
    context.globalAlpha = share;
    context.fillStyle = this.ink;
    context.beginPath();
    for (let k = 0; k < FOLLOWED; k++) this.dot(context, ...this.between(points, count, k, index), this.side / 110);
    context.fill();
  }

  // Each point is a line of no length with round ends: where no graphics card helps, ten times as
  // fast as circles in one path.
  drawPoints(context, index, share) {
    context.globalAlpha = share;
    context.lineCap = "round";
    context.lineWidth = Math.max(2.6, this.side / 75);
    this.sectors.forEach((members, sector) => {
      context.strokeStyle = this.colours[sector];
      context.beginPath();
      for (const k of members) {
        const [x, y] = this.between(this.points, this.count, k, index);
        context.moveTo(x, y);
        context.lineTo(x + 0.01, y);
      }
      context.stroke();
    });
    context.lineCap = "butt";
  }

  // The visitor's own: each key frame with a dot, and dashed over it where it should have gone.
  drawDrop(context, { way, fine }, index) {
    const { side } = this;
    context.strokeStyle = context.fillStyle = this.ink;
    context.lineJoin = "round";
    context.globalAlpha = 1;
    context.lineWidth = Math.max(2, side / 90);
    context.beginPath();
    const whole = Math.floor(index);
    for (let k = 0; k <= whole; k++) context.lineTo(...this.placedAt(way, k));
    const here = this.between(way, 1, 0, index);
    context.lineTo(...here);
    context.stroke();
    context.beginPath();
    for (let k = 0; k <= whole; k++) this.dot(context, ...this.placedAt(way, k), side / 90);
    context.fill();
    if (fine) {
      context.strokeStyle = this.mark;
      context.lineWidth = Math.max(1.5, side / 120);
      context.setLineDash([side / 45, side / 60]);
      context.beginPath();
      for (let k = 0; k < fine.length / 2; k++) context.lineTo(...this.placedAt(fine, k));
      context.stroke();
      context.setLineDash([]);
    }
    context.beginPath();
    this.dot(context, ...here, side / 42);
    context.fill();
    context.strokeStyle = this.ground;
    context.lineWidth = side / 150;
    context.stroke();
  }

  drawCross(context, [x, y]) {
    const { side } = this;
    const scale = side / (2 * REACH);
    const [left, top] = [side / 2 + x * scale, side / 2 - y * scale];
    const arm = side / 22;
    context.beginPath();
    context.moveTo(left - arm, top);
    context.lineTo(left + arm, top);
    context.moveTo(left, top - arm);
    context.lineTo(left, top + arm);
    for (const [colour, width] of [[this.ground, 5], [this.ink, 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = (width * side) / 230;
      context.stroke();
    }
  }
}
