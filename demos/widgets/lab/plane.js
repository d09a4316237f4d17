// The plane of the lab: data, samples, the discriminator's verdict everywhere, where each sample is
// sent, and the bent lattice of latents.

const FIELD_SHARE = 0.5; // of colour where the discriminator is sure
const ARROW = 0.6; // length of the longest, in units of the plane

class Plane {
  constructor(canvas) {
    this.canvas = canvas;
    this.patch = make("canvas");
  }

  // real: Uint16Array of places; on: the layers to draw, by name.
  draw(frame, real, on) {
    const { canvas } = this;
    const side = Math.round((canvas.clientWidth || 360) * (window.devicePixelRatio || 1));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    context.globalAlpha = 1;
    context.fillStyle = colour("--block-background-fill");
    context.fillRect(0, 0, side, side);
    const at = (places, k) => [side / 2 + placed(places[2 * k], side), side / 2 - placed(places[2 * k + 1], side)];
    if (on.field) this.field(context, frame.field, side, colour);
    if (on.lattice) this.lattice(context, frame.lattice, at, side, colour("--violet"));
    if (on.real) this.dots(context, real, at, side / 220, colour("--quiet"), 0.55);
    if (on.samples) this.dots(context, frame.samples, at, side / 140, colour("--violet"), 0.9, colour("--block-background-fill"));
    if (on.pull) this.arrows(context, frame, at, side, style.color);
    context.globalAlpha = 1;
  }

  dots(context, places, at, radius, fill, share, edge) {
    context.globalAlpha = share;
    context.fillStyle = fill;
    context.strokeStyle = edge ?? fill;
    context.lineWidth = radius / 4;
    for (let k = 0; k < places.length / 2; k++) {
      context.beginPath();
      context.arc(...at(places, k), radius, 0, 2 * Math.PI);
      context.fill();
      if (edge) context.stroke();
    }
  }

  // Cells: first x, then y upwards.
  field(context, cells, side, colour) {
    const { patch } = this;
    const count = Math.round(Math.sqrt(cells.length));
    patch.width = patch.height = count;
    const small = patch.getContext("2d");
    const [real, fake] = [colour("--blue"), colour("--amber")];
    cells.forEach((cell, i) => {
      const said = cell / 127.5 - 1;
      small.globalAlpha = Math.abs(said);
      small.fillStyle = said > 0 ? real : fake;
      small.fillRect(Math.floor(i / count), count - 1 - (i % count), 1, 1);
    });
    context.globalAlpha = FIELD_SHARE;
    context.imageSmoothingEnabled = true;
    context.drawImage(patch, 0, 0, side, side);
  }

  lattice(context, places, at, side, stroke) {
    const count = Math.round(Math.sqrt(places.length / 2));
    context.globalAlpha = 0.55;
    context.strokeStyle = stroke;
    context.lineWidth = side / 420;
    context.beginPath();
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < count; j++) context[j ? "lineTo" : "moveTo"](...at(places, i * count + j));
      for (let j = 0; j < count; j++) context[j ? "lineTo" : "moveTo"](...at(places, j * count + i));
    }
    context.stroke();
  }

  arrows(context, { pull, samples }, at, side, stroke) {
    context.globalAlpha = 0.9;
    context.strokeStyle = context.fillStyle = stroke;
    context.lineWidth = side / 300;
    const unit = (ARROW * side) / (2 * SHOWN_TO) / 127;
    for (let k = 0; k < pull.length / 2; k++) {
      const [x, y] = at(samples, k);
      const [dx, dy] = [pull[2 * k] * unit, -pull[2 * k + 1] * unit];
      const length = Math.hypot(dx, dy);
      if (length < side / 200) continue;
      const [ux, uy] = [dx / length, dy / length];
      const head = Math.min(length, side / 70);
      const [bx, by] = [x + dx - ux * head, y + dy - uy * head];
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(bx, by);
      context.stroke();
      context.beginPath();
      context.moveTo(x + dx, y + dy);
      context.lineTo(bx - (uy * head) / 2, by + (ux * head) / 2);
      context.lineTo(bx + (uy * head) / 2, by - (ux * head) / 2);
      context.fill();
    }
  }
}
