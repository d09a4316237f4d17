// The charts beneath a verdict: two histograms back to back, and the curve of all thresholds.
// Both are drawn again for each threshold; `draw` and `ticks` come from timeline/charts.js.

const ROOM = { left: 14, right: 14, top: 26, bottom: 40 };
const BINS = 44;
const REACH = 4; // how far beyond the highest portrait the axis goes, in its distances from the median
const CORNER = { left: 44, right: 22, top: 26, bottom: 40 };
const percent = (share) => `${(100 * share).toFixed(1)}%`;

// One score of all pictures, and what a threshold makes of it.
class Measured {
  constructor(measured, key) {
    const sorted = (values) => [...values].sort((a, b) => a - b);
    this.portraits = sorted(measured.portraits[key]);
    this.kinds = Object.entries(measured.odd).map(([kind, scores]) => [kind, sorted(scores[key])]);
    this.odd = sorted(this.kinds.flatMap(([, scores]) => scores));
    this.areas = measured.area[key];
  }

  // Above it lie at most `allowed` percent of the portraits.
  limit(allowed) {
    const count = this.portraits.length;
    const above = Math.min(Math.floor((allowed / 100) * count + 1e-9), count - 1);
    return this.portraits[count - 1 - above];
  }

  // How many of the ascending scores lie above a limit.
  above(scores, limit) {
    let [low, high] = [0, scores.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (scores[middle] > limit) high = middle;
      else low = middle + 1;
    }
    return scores.length - low;
  }

  alarms(limit) {
    return this.above(this.portraits, limit) / this.portraits.length;
  }

  hits(limit) {
    return this.above(this.odd, limit) / this.odd.length;
  }

  // [false alarms, hits] at every threshold, from the highest down.
  curve() {
    const limits = [...new Set([...this.portraits, ...this.odd])].sort((a, b) => b - a);
    return [...limits.map((limit) => [this.alarms(limit), this.hits(limit)]), [1, 1]];
  }
}

// What both charts are: an <svg> as wide as its place, drawn by `paint`.
class AnomalyChart {
  constructor(title, height) {
    this.height = height;
    this.svg = draw("svg", { role: "img" });
    this.node = make("figure", { class: "anomaly-chart" }, make("figcaption", {}, title), this.svg);
    new ResizeObserver(() => this.redraw()).observe(this.node);
  }

  show(state) {
    this.state = state;
    this.redraw();
  }

  redraw() {
    if (!this.state || !this.node.clientWidth) return;
    this.width = this.node.clientWidth;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.replaceChildren();
    this.paint(this.state);
  }

  put(tag, attributes, text) {
    this.svg.append(draw(tag, attributes, text));
  }

  write(text, x, y, anchor = "start", kind = "") {
    this.put("text", { x, y, "text-anchor": anchor, class: kind }, text);
  }
}

// Portraits above the line, odd pictures below it; on the wrong side of the threshold, in full colour.
class Histograms extends AnomalyChart {
  constructor() {
    super("Where the scores lie", 236);
  }

  paint({ measured, own, limit, written, axis }) {
    this.setRange(measured);
    this.middle = ROOM.top + (this.height - ROOM.top - ROOM.bottom) / 2;
    const cut = this.across(limit);
    this.put("rect", { class: "anomaly-beyond", x: cut, y: ROOM.top, width: this.width - ROOM.right - cut, height: this.bottom - ROOM.top });
    this.bars(measured.portraits, -1, "anomaly-portraits", (x) => x >= cut);
    this.bars(measured.odd, 1, "anomaly-others", (x) => x < cut);
    this.put("line", { class: "anomaly-base", x1: ROOM.left, x2: this.width - ROOM.right, y1: this.middle, y2: this.middle });
    this.drawAxis(axis, written, measured.above(measured.odd, this.high));
    this.put("line", { class: "anomaly-limit", x1: cut, x2: cut, y1: ROOM.top, y2: this.bottom });
    this.sides(cut);
    this.pointer(own);
    const alarms = percent(measured.alarms(limit));
    const missed = percent(1 - measured.hits(limit));
    const spoken = `The threshold is ${written(limit)}, this picture has ${written(own)}. Above the threshold lie ${alarms} of portraits, below it ${missed} of odd pictures.`;
    this.svg.setAttribute("aria-label", spoken);
  }

  // What lies beyond the axis is drawn in its last bar, which may be cut off, and told in words.
  setRange({ portraits, odd }) {
    const median = portraits[portraits.length >> 1];
    const highest = portraits.at(-1);
    this.low = Math.min(portraits[0], odd[0]);
    this.high = Math.min(Math.max(highest, odd.at(-1)), median + REACH * (highest - median));
    if (!(this.high > this.low)) this.high = this.low + 1;
  }

  get bottom() {
    return this.height - ROOM.bottom;
  }

  share(score) {
    return Math.min(1, Math.max(0, (score - this.low) / (this.high - this.low)));
  }

  across(score) {
    return ROOM.left + this.share(score) * (this.width - ROOM.left - ROOM.right);
  }

  bars(scores, way, kind, wrong) {
    const counts = new Array(BINS).fill(0);
    for (const score of scores) counts[Math.min(BINS - 1, Math.floor(BINS * this.share(score)))] += 1;
    const most = Math.max(...counts.slice(0, -1), 1);
    const wide = (this.width - ROOM.left - ROOM.right) / BINS;
    counts.forEach((count, k) => {
      const height = Math.min(1, count / most) * (this.middle - ROOM.top - 6);
      const x = ROOM.left + k * wide;
      const y = way < 0 ? this.middle - height : this.middle;
      const side = wrong(x + wide / 2) ? "anomaly-wrong" : "";
      if (count) this.put("rect", { x: x + 0.5, y, width: Math.max(1, wide - 1), height, class: `${kind} ${side}` });
    });
  }

  drawAxis(axis, written, beyond) {
    for (const mark of ticks(this.low, this.high, Math.max(3, Math.floor(this.width / 110)), false)) {
      this.write(written(mark, true), this.across(mark), this.bottom + 16, "middle");
    }
    this.write(axis, ROOM.left, this.height - 5);
    if (beyond) this.write(`${beyond} further out →`, this.width - ROOM.right, this.height - 5, "end");
  }

  sides(cut) {
    if (cut < this.width - 190) this.write("called odd →", cut + 7, ROOM.top + 14);
    this.write("portraits", this.width - ROOM.right - 4, ROOM.top + 14, "end");
    this.write("odd pictures", this.width - ROOM.right - 4, this.bottom - 7, "end");
  }

  // Where this picture is: a mark above the bars.
  pointer(own) {
    const x = this.across(own);
    const anchor = x > this.width / 2 ? "end" : "start";
    this.put("line", { class: "anomaly-own", x1: x, x2: x, y1: 14, y2: this.bottom });
    this.put("path", { class: "anomaly-own-mark", d: `M${x - 6} 4h12l-6 11z` });
    this.write("this picture", x + (anchor === "end" ? -11 : 11), 14, anchor, "anomaly-strong");
  }
}

// Hits against false alarms, at every threshold, and where the chosen one stands.
class Roc extends AnomalyChart {
  constructor() {
    super("What every threshold would do (ROC curve)", 236);
  }

  paint({ measured, limit, curve }) {
    for (const share of [0, 0.5, 1]) {
      this.write(`${100 * share}%`, this.left(share), this.height - CORNER.bottom + 16, "middle");
      this.write(`${100 * share}%`, CORNER.left - 7, this.top(share) + 4, "end");
      this.put("line", { class: "rule", x1: CORNER.left, x2: this.width - CORNER.right, y1: this.top(share), y2: this.top(share) });
      this.put("line", { class: "rule", x1: this.left(share), x2: this.left(share), y1: CORNER.top, y2: this.height - CORNER.bottom });
    }
    this.put("path", { class: "anomaly-guess", d: this.path([[0, 0], [1, 1]]) });
    this.put("path", { class: "anomaly-curve", d: this.path(curve) });
    const [alarms, hits] = [measured.alarms(limit), measured.hits(limit)];
    this.put("circle", { class: "anomaly-dot", r: 6, cx: this.left(alarms), cy: this.top(hits) });
    this.write("false alarms", this.left(0.5), this.height - 5, "middle");
    this.write("hits", 2, 14);
    this.write(`area ${measured.areas.all.toFixed(3)}`, this.left(0.96), this.top(0.06), "end", "anomaly-strong");
    const spoken = `Area under the curve ${measured.areas.all.toFixed(3)}. At this threshold ${percent(alarms)} false alarms and ${percent(hits)} hits.`;
    this.svg.setAttribute("aria-label", spoken);
  }

  left(share) {
    return CORNER.left + share * (this.width - CORNER.left - CORNER.right);
  }

  top(share) {
    return this.height - CORNER.bottom - share * (this.height - CORNER.top - CORNER.bottom);
  }

  path(points) {
    return points.map(([x, y], k) => `${k ? "L" : "M"}${this.left(x).toFixed(1)} ${this.top(y).toFixed(1)}`).join("");
  }
}
