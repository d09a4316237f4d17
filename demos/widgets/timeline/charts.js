// Charts that follow the timeline: curves with a marker at the current frame, bars that move.
// Series differ in dashes as well as in colour; the legend carries the value at the marker.

const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "7 4", "2 3", "9 3 2 3", "14 4"];
const CHART_HEIGHT = 190;
const PAD = { left: 52, right: 20, top: 12, bottom: 38 };

function draw(tag, attributes = {}, text = "") {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.textContent = text;
  return node;
}

function tidy(value) {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en");
  if (size > 0 && size < 0.001) return Number(value.toPrecision(2)).toExponential();
  return String(Number(value.toPrecision(3)));
}

// Round numbers (1, 2 or 5 times a power of ten) between low and high; powers of ten if log.
function ticks(low, high, count, log) {
  if (log) {
    const first = Math.ceil(low - 1e-9);
    const every = Math.max(1, Math.ceil((high - low) / count));
    const powers = [];
    for (let p = first; p <= high + 1e-9; p += every) powers.push(p);
    return powers;
  }
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((m) => m >= raw);
  const marks = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i++) marks.push(i * step);
  return marks;
}

class Axis {
  constructor(values, log) {
    this.log = Boolean(log);
    const kept = values.filter((v) => !this.log || v > 0).map((v) => this.raw(v));
    this.low = Math.min(...kept);
    this.high = Math.max(...kept);
    if (!(this.high > this.low)) [this.low, this.high] = [this.low - 0.5, this.low + 0.5];
  }

  raw(value) {
    return this.log ? Math.log10(value) : value;
  }

  share(value) {
    return (this.raw(value) - this.low) / (this.high - this.low);
  }

  ticks(count) {
    return ticks(this.low, this.high, count, this.log).map((t) => (this.log ? 10 ** t : t));
  }
}

class Curve {
  constructor(curve, onScrub) {
    this.curve = curve;
    this.index = 0;
    this.points = curve.series.map((s) =>
      s.points.filter(([x, y]) => (!curve.log_x || x > 0) && (!curve.log_y || y > 0)),
    );
    this.x = new Axis([...this.points.flat().map((p) => p[0]), ...curve.at], curve.log_x);
    this.y = new Axis([...this.points.flat().map((p) => p[1]), ...(curve.y_range ?? [])], curve.log_y);
    this.svg = draw("svg", { role: "img", "aria-label": `${curve.title}, over ${curve.x_label}` });
    this.values = curve.series.map(() => make("output", {}));
    const legend = make("div", { class: "timeline-legend" });
    legend.append(...curve.series.map((series, i) => this.legendEntry(series.name, i)));
    this.node = make("figure", { class: "timeline-curve" });
    this.node.append(make("figcaption", {}, curve.title), legend, this.svg);
    const seek = (event) => onScrub(this.nearest(event.clientX));
    this.svg.addEventListener("pointerdown", (event) => {
      this.svg.setPointerCapture(event.pointerId);
      seek(event);
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (this.svg.hasPointerCapture(event.pointerId)) seek(event);
    });
  }

  legendEntry(name, i) {
    const sample = draw("svg", { width: 26, height: 8, "aria-hidden": "true" });
    sample.append(draw("line", { x1: 1, x2: 25, y1: 4, y2: 4, class: "series", "stroke-dasharray": DASHES[i % DASHES.length] }));
    const entry = make("span", { class: `series-${i % DASHES.length}` }, sample, name, this.values[i]);
    return entry;
  }

  left(x) {
    return PAD.left + this.x.share(x) * (this.width - PAD.left - PAD.right);
  }

  top(y) {
    return CHART_HEIGHT - PAD.bottom - this.y.share(y) * (CHART_HEIGHT - PAD.top - PAD.bottom);
  }

  layout() {
    this.width = Math.max(220, this.node.clientWidth);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${CHART_HEIGHT}`);
    this.svg.replaceChildren();
    this.drawAxes();
    this.points.forEach((points, i) => {
      const path = points.map(([x, y], k) => `${k ? "L" : "M"}${this.left(x).toFixed(1)} ${this.top(y).toFixed(1)}`);
      const group = draw("g", { class: `series-${i % DASHES.length}` });
      group.append(draw("path", { d: path.join(""), class: "series", "stroke-dasharray": DASHES[i % DASHES.length] }));
      this.svg.append(group);
    });
    this.marker = draw("line", { class: "marker", y1: PAD.top, y2: CHART_HEIGHT - PAD.bottom });
    this.dots = this.points.map((_, i) => draw("circle", { r: 4.5, class: `dot series-${i % DASHES.length}` }));
    this.svg.append(this.marker, ...this.dots);
    this.show(this.index);
  }

  drawAxes() {
    const bottom = CHART_HEIGHT - PAD.bottom;
    for (const y of this.y.ticks(4)) {
      const top = this.top(y);
      this.svg.append(draw("line", { class: "rule", x1: PAD.left, x2: this.width - PAD.right, y1: top, y2: top }));
      this.svg.append(draw("text", { x: PAD.left - 8, y: top + 4, "text-anchor": "end" }, tidy(y)));
    }
    for (const x of this.x.ticks(Math.max(2, Math.floor(this.width / 110)))) {
      this.svg.append(draw("text", { x: this.left(x), y: bottom + 16, "text-anchor": "middle" }, tidy(x)));
    }
    const middle = (PAD.left + this.width - PAD.right) / 2;
    this.svg.append(draw("text", { x: middle, y: CHART_HEIGHT - 5, "text-anchor": "middle" }, this.curve.x_label));
  }

  show(index) {
    this.index = index;
    const x = this.curve.at[index];
    const onAxis = !this.curve.log_x || x > 0;
    this.points.forEach((points, i) => {
      const y = onAxis ? interpolated(points, x) : null;
      this.values[i].textContent = y === null ? "" : tidy(y);
      if (!this.marker) return;
      this.dots[i].style.display = y === null ? "none" : "";
      if (y === null) return;
      this.dots[i].setAttribute("cx", this.left(x));
      this.dots[i].setAttribute("cy", this.top(y));
    });
    if (!this.marker) return;
    this.marker.style.display = onAxis ? "" : "none";
    if (!onAxis) return;
    this.marker.setAttribute("x1", this.left(x));
    this.marker.setAttribute("x2", this.left(x));
  }

  nearest(clientX) {
    const box = this.svg.getBoundingClientRect();
    const at = ((clientX - box.left) / box.width) * this.width;
    const away = this.curve.at.map((x) => (this.curve.log_x && x <= 0 ? Infinity : Math.abs(this.left(x) - at)));
    return away.indexOf(Math.min(...away));
  }
}

// y at x on the line through points (sorted by x, either way); null beyond their ends.
function interpolated(points, x) {
  for (let i = 1; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
    if (x < Math.min(x0, x1) || x > Math.max(x0, x1)) continue;
    return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
  }
  return points.length === 1 && points[0][0] === x ? points[0][1] : null;
}

class Bars {
  constructor(bar) {
    this.bar = bar;
    this.most = Math.max(...bar.values.flat(), bar.threshold ?? 0, 1e-12);
    this.summary = make("p", { class: "timeline-summary" });
    const list = make("ul", { "aria-label": bar.title });
    this.rows = bar.labels.map((label) => {
      const fill = make("span", { class: "timeline-fill" });
      const text = make("span", { class: "timeline-share" });
      const node = make("li", {}, make("span", {}, label), make("span", { class: "timeline-rail" }, fill), text);
      list.append(node);
      return { node, fill, text };
    });
    this.node = make("div", { class: "timeline-bars" }, this.summary, make("p", {}, bar.title), list);
  }

  show(index) {
    const { values, threshold, summary, percent } = this.bar;
    this.summary.textContent = summary?.[index] ?? "";
    values[index].forEach((value, i) => {
      const dead = threshold !== undefined && value < threshold;
      this.rows[i].node.classList.toggle("timeline-dead", dead);
      this.rows[i].fill.style.width = `${(100 * Math.max(0, value)) / this.most}%`;
      const shown = percent ? `${(100 * value).toFixed(value < 0.0995 ? 1 : 0)}%` : tidy(value);
      this.rows[i].text.textContent = dead ? `${shown} ✕` : shown;
      this.rows[i].text.setAttribute("aria-label", dead ? `${shown}, below ${threshold}` : shown);
    });
  }
}
