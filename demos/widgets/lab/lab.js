// One training of the lab, in a card.

const LAYERS = {
  real: ["Data", true],
  samples: ["Samples", true],
  field: ["Discriminator", true],
  pull: ["Where samples are sent", false],
  lattice: ["Bent lattice", false],
};
const TURNS = { discriminator: ["One step of D", "field"], generator: ["One step of G", "samples"] };
const SHEET = { plane: 640, margin: 28, line: 24 }; // of the file, in pixels

class LabView extends FilmPlayer {
  constructor(root) {
    super(root);
    this.canvas = make("canvas", { class: "lab-plane", role: "img" });
    this.plane = new Plane(this.canvas);
    this.strip = make("canvas", { height: 36 });
    this.readout = make("p", { class: "lab-readout" });
    this.verdict = make("p", { class: "lab-verdict", role: "status" });
    this.look = make("p", { class: "lab-look" });
    this.changed = make("p", { class: "lab-note" });
    this.charts = make("div", { class: "timeline-charts lab-charts" });
    const side = make("div", { class: "lab-side" }, this.verdict, this.readout, this.look, this.changed, this.buildLayers(), this.buildTurns());
    this.full.append(
      make("div", { class: "lab-body" }, this.canvas, side),
      this.transport("frame", "Steps of the training", this.strip),
      this.charts,
      this.foot("Download this moment as PNG", () => this.drawn()),
    );
    this.listen();
  }

  buildLayers() {
    this.on = {};
    this.keys = {};
    const boxes = Object.entries(LAYERS).map(([name, [label, on]]) => {
      const box = make("input", { type: "checkbox" });
      box.checked = this.on[name] = on;
      box.addEventListener("change", () => {
        this.on[name] = box.checked;
        this.draw();
      });
      this.keys[name] = make("label", { class: `lab-layer lab-${name}` }, box, make("i", {}), label);
      return this.keys[name];
    });
    const key = make("p", { class: "lab-note" }, make("b", { class: "lab-says-real" }, "Blue"), " says real, ", make("b", { class: "lab-says-fake" }, "amber"), " says fake.");
    return make("fieldset", { class: "lab-layers" }, make("legend", {}, "Show"), ...boxes, key);
  }

  // --- values -------------------------------------------------------------------------------

  take(value, anew) {
    if (anew) this.forgetTurns();
    this.real = numbersOf(value.real, Uint16Array);
    this.verdict.textContent = value.verdict;
    this.look.textContent = value.look;
    this.changed.textContent = value.changed;
    this.look.hidden = !value.look;
    this.turnRow.hidden = !value.turns;
    this.drawStrip();
    this.drawCharts();
  }

  get frames() {
    return this.taken.length ? [...this.film.frames, ...this.taken.map((turn) => turn.frame)] : this.film.frames;
  }

  show(index) {
    this.index = Math.max(0, Math.min(this.last, index));
    this.draw();
    this.readout.textContent = this.said();
    this.canvas.setAttribute("aria-label", `The plane: ${this.readout.textContent}`);
    this.moveHead(this.readout.textContent);
    for (const curve of this.curves) curve.show(this.index);
    this.light();
    this.tellMoment();
  }

  said() {
    const { modes, total } = this.value;
    const frame = this.frames[this.index];
    const number = (value) => value.toLocaleString("en");
    const after = this.index - this.film.frames.length;
    const step = `Step ${number(Math.min(frame.step[0], total))} of ${number(total)}`;
    const turns = after < 0 ? "" : ` and ${this.taken.slice(0, after + 1).map(({ who }) => (who === "generator" ? "G" : "D")).join(", ")}`;
    const found = modes
      ? `${frame.covered[0]} of ${modes} modes · ${Math.round(100 * frame.on_modes[0])}% of samples on modes`
      : `${tidy(frame.divergence[0])} bits from the data`;
    return `${step}${turns} · ${found}`;
  }

  draw() {
    this.plane.draw(this.frames[this.index], this.real, this.on);
  }

  // How much of the data is found, along the track.
  drawStrip() {
    const { strip, frames } = this;
    const { modes } = this.value;
    strip.width = frames.length;
    const context = strip.getContext("2d");
    context.fillStyle = getComputedStyle(strip).getPropertyValue("--green");
    frames.forEach((frame, i) => {
      const share = modes ? frame.covered[0] / modes : 1 - Math.min(1, frame.divergence[0]);
      context.fillRect(i, strip.height * (1 - share), 1, strip.height * share);
    });
  }

  drawCharts() {
    const { frames } = this;
    const { modes, total } = this.value;
    const at = frames.map((frame) => frame.step[0]);
    const series = (name, of) => ({ name, points: frames.map((frame, i) => [at[i], of(frame)]).filter(([, y]) => Number.isFinite(y)) });
    const chart = (title, range, ...lines) => ({ title, x_label: "step", at: [...at, total], series: lines.filter((line) => line.points.length), y_range: range });
    const found = modes
      ? chart(`Modes covered, of ${modes}`, [0, modes], series("covered", (frame) => frame.covered[0]))
      : chart("Wasserstein distance", [0], series("to the data", (frame) => frame.wasserstein[0]));
    const charts = [
      chart("Losses", [0], series("discriminator", (frame) => frame.losses[0]), series("generator", (frame) => frame.losses[1])),
      found,
      chart("Jensen-Shannon divergence, bits", [0, 1], series("from the data", (frame) => frame.divergence[0])),
    ].filter(({ series }) => series.length);
    this.curves = charts.map((curve) => new Curve(curve, (index) => this.scrub(index)));
    this.charts.replaceChildren(...this.curves.map((curve) => curve.node));
  }

  layout() {
    if (!this.value || !this.frames.length || !this.root.offsetParent) return;
    for (const curve of this.curves) curve.layout();
    this.draw();
  }

  // --- single turns -------------------------------------------------------------------------

  buildTurns() {
    this.taken = [];
    const button = (who) => {
      const node = make("button", { type: "button", class: "card-button" }, TURNS[who][0]);
      node.addEventListener("click", () => this.turn(who));
      return node;
    };
    this.turnButtons = Object.keys(TURNS).map(button);
    const title = make("p", { class: "lab-note" }, "Go on by single turns, and see what each player does:");
    this.turnRow = make("div", { class: "lab-turns" }, title, ...this.turnButtons);
    return this.turnRow;
  }

  forgetTurns() {
    this.taken = [];
  }

  async turn(who) {
    const { value } = this;
    const before = this.taken.slice(0, Math.max(0, this.index + 1 - this.film.frames.length));
    for (const button of this.turnButtons) button.disabled = true;
    const answer = await server.one_turn({ turns: value.turns, players: [...before.map((turn) => turn.who), who] }).catch((error) => ({ error: error.message }));
    for (const button of this.turnButtons) button.disabled = false;
    if (value.turns !== this.value.turns) return; // another run came meanwhile
    if (!answer || answer.error) return this.say(answer?.error ?? "The server gave no answer.");
    this.say("");
    const [frame] = Film.read(answer.frame, [...value.layout].map((field) => [...field]));
    this.taken = [...before, { who, frame }];
    this.drawStrip();
    this.drawCharts();
    this.layout();
    this.scrub(this.last);
  }

  // The part that has just moved.
  light() {
    const turn = this.taken[this.index - this.film.frames.length];
    const lit = turn ? TURNS[turn.who][1] : "";
    for (const [name, key] of Object.entries(this.keys)) key.classList.toggle("lab-lit", name === lit);
    this.canvas.dataset.lit = lit;
  }

  // --- a file -------------------------------------------------------------------------------

  drawn() {
    const { plane, margin, line } = SHEET;
    const { canvas, context, write } = whitePaper(plane + 2 * margin, plane + 2 * margin + 3 * line);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.canvas, margin, margin, plane, plane);
    const lines = [this.value.verdict, this.readout.textContent, this.value.provenance];
    lines.filter(Boolean).forEach((text, i) => write(text, margin, margin + plane + (i + 1) * line, { width: plane }));
    return canvas;
  }
}

const view = new LabView(element.querySelector(".lab"));
showValue(view);
