// Roads from one noise side by side, in a card, on one clock.

const WHOLE_MS = 4200; // of the way from noise to data
const KEY_STEP = 0.25; // of the cross, in units of the plane
const MOST_DROPS = 4; // that stay in sight
const MOST_TOLD = 1000; // so many have fresh noise of their own
const LAYERS = { arrows: ["Field", true], trails: ["Trails", true], real: ["Data", true], exact: ["Exact field, and errors in rose", false] };
const FIGURES = {
  evaluations: ["Evaluations", "How often the network is asked about each point"],
  straightness: ["Straightness S", "How far the roads are from straight lines at an even pace: 0 is straight"],
  wasserstein: ["To the data", "Wasserstein distance between where the points end and the data; chance alone leaves about 0.05"],
  error: ["Step error", "Mean distance between where the points end and where 200 fine steps lead"],
};
const RANDOM = ["straightness", "error"]; // of fresh noise there is none
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const HINT = "Click on a plane: a new point starts there, on all roads.";
const SHEET = { plane: 300, gap: 20, margin: 28, line: 22 }; // of the file, in pixels

class RoadsView extends Player {
  constructor(root) {
    super(root);
    this.drops = []; // of which the newest stay
    this.dropped = 0;
    this.curves = [];
    this.cross = null;
    this.lanes = [];
    this.verdict = make("p", { class: "roads-verdict", role: "status" });
    this.stage = make("p", { class: "roads-stage", role: "status" });
    this.planes = this.buildPlanes();
    this.readout = make("output", { class: "roads-readout" });
    this.hint = make("p", { class: "roads-hint", role: "status" }, HINT);
    this.clear = make("button", { type: "button", class: "card-button" }, "Take my points away");
    this.clear.hidden = true;
    this.clear.addEventListener("click", () => this.forget());
    this.charts = make("div", { class: "timeline-charts roads-charts" });
    const strip = make("canvas", { height: 1 });
    const line = make("div", { class: "roads-line" }, this.readout, this.buildLayers(), this.hint, this.clear);
    const transport = this.transport("key frame", "From noise to data", strip);
    this.full.append(this.verdict, this.stage, this.planes, transport, line, this.charts, this.foot("Download this moment as PNG", () => this.drawn()));
    this.listen();
  }

  buildPlanes() {
    const said = "The planes: arrow keys move a cross, Enter drops a point of noise there, Escape takes the cross away";
    const planes = make("div", { class: "roads-planes", role: "application", tabindex: 0, "aria-label": said });
    planes.addEventListener("keydown", (event) => this.keyOnPlanes(event));
    planes.addEventListener("blur", () => this.moveCross(null));
    return planes;
  }

  buildLayers() {
    this.on = {};
    this.boxes = {};
    const boxes = Object.entries(LAYERS).map(([name, [label, on]]) => {
      const box = make("input", { type: "checkbox" });
      box.checked = this.on[name] = on;
      box.addEventListener("change", () => {
        this.on[name] = box.checked;
        this.draw();
      });
      this.boxes[name] = make("label", {}, box, label);
      return this.boxes[name];
    });
    return make("div", { class: "roads-layers", role: "group", "aria-label": "Show" }, ...boxes);
  }

  buildLane({ title, note }) {
    const canvas = make("canvas", { class: "roads-plane", role: "img" });
    const figures = Object.fromEntries(Object.entries(FIGURES).map(([name, [label, info]]) => [name, [make("dt", { title: info }, label), make("dd", {})]]));
    const list = make("dl", {}, ...Object.values(figures).flat());
    const waits = make("p", { class: "roads-waits" });
    const sheet = make("div", { class: "roads-sheet" }, canvas, waits);
    const node = make("figure", { class: "roads-lane" }, make("figcaption", {}, make("b", {}, title), make("span", {}, note)), sheet, list);
    canvas.addEventListener("click", (event) => this.drop(this.placeOf(event, canvas)));
    return { node, canvas, figures, waits, plane: new RoadPlane(canvas) };
  }

  // --- values -------------------------------------------------------------------------------

  load(value) {
    if (!value?.roads?.length) {
      this.pause();
      this.fill(value, false);
      this.root.removeAttribute("data-filled");
      return;
    }
    const roads = [...value.roads].map((road) => ({ ...road }));
    const points = roads.map((road) => road.points).join();
    const anew = points !== this.told;
    this.told = points;
    this.fill({ ...value, roads, times: [...value.times] }, true);
    this.root.setAttribute("data-filled", "");
    if (anew) this.take();
    this.tell();
    const complete = this.times.length > 1;
    this.index = anew ? this.last : Math.min(this.index, this.last);
    for (const curve of this.curves) curve.layout();
    if (!anew) return this.show(this.index);
    this.pause();
    const moment = window.noiseToDataAddress?.moment(this.root) ?? null;
    if (complete && value.live && !this.calm()) this.play(0);
    else this.show(moment ?? this.last);
  }

  calm() {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  take() {
    const { roads, times, real, start } = this.value;
    this.times = times;
    this.drops = [];
    this.explain(HINT);
    if (this.lanes.length !== roads.length) {
      this.lanes = roads.map((road) => this.buildLane(road));
      this.planes.replaceChildren(...this.lanes.map((lane) => lane.node));
    }
    this.start = places(start);
    const shared = { count: this.start.length / 2, times, real: places(real), sectors: sectorsOf(this.start) };
    roads.forEach((road, i) => {
      const from = road.arrows || road.waits ? road : roads[i + 1];
      const [arrows, exact] = [directions(from.arrows), directions(from.exact)];
      this.lanes[i].plane.take({ ...shared, points: places(road.points), arrows, exact });
    });
    this.boxes.exact.hidden = !roads.some((road) => road.exact);
  }

  // Words and figures.
  tell() {
    const { value } = this;
    this.verdict.textContent = value.verdict;
    this.stage.textContent = value.stage;
    this.lanes.forEach(({ figures, waits }, i) => {
      const road = value.roads[i];
      waits.textContent = road.waits;
      for (const [name, [, cell]] of Object.entries(figures)) {
        const known = road[name] !== null && road[name] !== undefined;
        const unknown = value.verdict && RANDOM.includes(name) ? "n/a" : "–";
        cell.textContent = known ? (name === "evaluations" ? road[name] : short(road[name])) : unknown;
      }
    });
    this.curves = [...value.curves].map((curve) => new Curve(plain(curve), (index) => this.mark(index)));
    this.charts.replaceChildren(...this.curves.map((curve) => curve.node));
    this.mark(value.chosen);
  }

  mark(index) {
    for (const curve of this.curves) curve.show(index);
  }

  get last() {
    return this.times.length - 1;
  }

  get time() {
    const whole = Math.min(this.last, Math.floor(this.index));
    const here = this.times[whole];
    return here + (this.index - whole) * ((this.times[whole + 1] ?? here) - here);
  }

  // The index may stand between two key frames.
  show(index) {
    this.index = Math.max(0, Math.min(this.last, index));
    this.draw();
    const said = this.time < 0.005 ? "t = 0, noise" : this.time > 0.995 ? "t = 1, data" : `t = ${this.time.toFixed(2)}`;
    if (this.readout.textContent !== said) this.readout.textContent = said;
    if (this.timer && this.index !== this.last) return this.moveOnly();
    this.moveHead(said);
    this.lanes.forEach(({ canvas }, i) => canvas.setAttribute("aria-label", `${this.value.roads[i].title}, ${said}`));
    if (this.index === this.last || this.timer) delete this.root.dataset.at;
    else this.root.dataset.at = Math.round(this.index);
  }

  // While it plays: sixty times a second, and no word for screen readers.
  moveOnly() {
    this.back.disabled = false;
    this.head.style.left = this.ahead.style.left = `${(100 * this.index) / this.last}%`;
  }

  draw() {
    this.lanes.forEach(({ plane }, i) => {
      const drops = this.drops.map((drop) => drop[i]).filter(Boolean);
      plane.draw(this.index, this.on, drops, this.cross);
    });
    this.root.dataset.drawn = Number(this.root.dataset.drawn ?? 0) + 1;
  }

  layout() {
    if (!this.value || !this.lanes.length || !this.root.offsetParent) return;
    for (const curve of this.curves) curve.layout();
    this.draw();
  }

  // --- time ---------------------------------------------------------------------------------

  later() {
    const [from, began] = [this.index, performance.now()];
    const step = (now) => {
      if (this.gone() || !this.root.offsetParent) return this.pause();
      this.show(from + (Math.max(0, now - began) / WHOLE_MS) * this.last);
      if (this.index === this.last) return this.pause();
      this.timer = requestAnimationFrame(step);
    };
    this.timer = requestAnimationFrame(step);
  }

  pause() {
    cancelAnimationFrame(this.timer);
    super.pause();
  }

  scrub(index) {
    super.scrub(index > this.index ? Math.floor(index) : Math.ceil(index));
  }

  toggle() {
    const playing = Boolean(this.timer);
    super.toggle();
    if (playing) this.show(this.index); // with words again
  }

  // --- a visitor's points -------------------------------------------------------------------

  placeOf(event, canvas) {
    const box = canvas.getBoundingClientRect();
    const share = (at, from, size) => ((at - from) / size - 0.5) * 2 * REACH;
    return [share(event.clientX, box.left, box.width), -share(event.clientY, box.top, box.height)];
  }

  keyOnPlanes(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.value) return;
    const move = MOVES[event.key];
    const step = event.shiftKey ? KEY_STEP / 5 : KEY_STEP;
    if (move) this.moveCross((this.cross ?? [0, 0]).map((v, i) => Math.max(-REACH, Math.min(REACH, v + step * move[i]))));
    else if (event.key === "Enter") this.drop(this.cross ?? [0, 0]);
    else if (event.key === "Escape" && this.cross) this.moveCross(null);
    else return;
    event.preventDefault(); // the player does not take it for its own
  }

  moveCross(place) {
    if (!place && !this.cross) return;
    this.cross = place;
    if (place) this.hint.textContent = `Cross at ${place.map(spoken).join(", ")}: Enter drops a point.`;
    else this.hint.textContent = HINT;
    this.draw();
  }

  async drop(place) {
    if (this.times.length < 2) return;
    const { told } = this;
    const { run } = this.value;
    let [found, said] = [null, ""];
    if (run) {
      this.hint.textContent = "Asking for its roads …";
      const answer = await server.one_point({ run, at: place, drops: this.dropped++ % MOST_TOLD }).catch((error) => ({ error: error.message }));
      if (told !== this.told) return; // other roads came meanwhile
      if (!answer || answer.error) return this.explain(answer?.error ?? "The server gave no answer.");
      found = [...answer.roads].map(({ way, fine }) => ({ way: places(way), fine: places(fine) }));
      said = `From ${place.map(spoken).join(", ")}. Dashed: the road of 200 fine steps.`;
    } else {
      found = this.nearest(place);
      said = "The nearest of the example's points: run it yourself to start wherever you click.";
    }
    this.drops = [...this.drops, found].slice(-MOST_DROPS);
    this.explain(said);
    if (this.calm()) this.show(this.last);
    else this.play(0);
  }

  explain(text) {
    this.hint.textContent = text;
    this.clear.hidden = !this.drops.length;
  }

  // The roads of that point in sight which begins nearest to a place.
  nearest([x, y]) {
    const { start } = this;
    const count = start.length / 2;
    const at = (k, i) => (start[2 * k + i] / 65535 - 0.5) * 2 * SENT_TO;
    const away = Array.from({ length: count }, (_, k) => Math.hypot(at(k, 0) - x, at(k, 1) - y));
    const best = away.indexOf(Math.min(...away));
    const frames = (points) => Uint16Array.from(this.times.flatMap((_, frame) => [...points.slice(2 * (frame * count + best), 2 * (frame * count + best) + 2)]));
    return this.lanes.map(({ plane }) => ({ way: frames(plane.points), fine: null }));
  }

  forget() {
    this.drops = [];
    this.explain(HINT);
    this.show(this.index);
  }

  // --- a file -------------------------------------------------------------------------------

  drawn() {
    const { plane, gap, margin, line } = SHEET;
    const width = this.lanes.length * (plane + gap) - gap + 2 * margin;
    const { canvas, context, write } = whitePaper(width, plane + 2 * margin + 7 * line);
    context.imageSmoothingEnabled = true;
    this.lanes.forEach((lane, i) => {
      const left = margin + i * (plane + gap);
      write(this.value.roads[i].title, left, margin + line / 2, { font: "600 15px" });
      context.drawImage(lane.canvas, left, margin + line, plane, plane);
      Object.entries(lane.figures).forEach(([name, [, cell]], k) => {
        write(`${FIGURES[name][0]}: ${cell.textContent}`, left, margin + plane + (k + 2) * line);
      });
    });
    const lines = [this.value.verdict, `${this.readout.textContent} · ${this.value.provenance}`];
    lines.forEach((text, i) => write(text, margin, margin + plane + (i + 6.2) * line, { width: width - 2 * margin }));
    return canvas;
  }
}

const places = (text) => (text ? numbersOf(text, Uint16Array) : null);
const directions = (text) => (text ? numbersOf(text, Int8Array) : null);
const spoken = (value) => value.toFixed(2).replace("-", "−");
const short = (value) => (value >= 0.0995 ? value.toFixed(2) : value >= 0.00095 ? value.toFixed(3) : "< 0.001");
const plain = (value) => JSON.parse(JSON.stringify(value)); // Gradio wraps what it sends

// Which points lie in which fifth around the middle of the noise: their colours, on all roads.
function sectorsOf(start) {
  const sectors = SECTORS.map(() => []);
  for (let k = 0; k < start.length / 2; k++) {
    const angle = Math.atan2(start[2 * k + 1] - 32767.5, start[2 * k] - 32767.5);
    sectors[Math.min(SECTORS.length - 1, Math.floor(((angle + Math.PI) / (2 * Math.PI)) * SECTORS.length))].push(k);
  }
  return sectors;
}

const view = new RoadsView(element.querySelector(".roads"));
showValue(view);
