// The timeline in the browser, in a card.
// All frames are here already; scrubbing and playing ask nothing of the server.

const SPEEDS = [0.5, 1, 2, 4];
const PLAY_MS = 3000; // a whole run at normal speed, within the limits of one frame below
const FRAME_MS = [50, 450];
const GIF_FRAME_MS = 20; // browsers play faster ones slowly
const CELL = 36; // height of the film strip, CSS pixels
const REPLAYS = "noise-to-data-replays";
const CANVAS_WIDTH = 800; // pixels a lane is enlarged to, at least: more than it fills on screen

function replays() {
  try {
    return localStorage.getItem(REPLAYS) === "yes";
  } catch {
    return false; // a private window
  }
}

class TimelineView extends Player {
  constructor(root) {
    super(root);
    this.value = null; // what is on screen
    this.wanted = null; // what arrived last; older values that decode later are dropped
    this.speed = 1;
    this.build();
    this.listen();
  }

  build() {
    this.laneRow = make("div", { class: "timeline-lanes" });
    this.strip = make("canvas", { "aria-hidden": "true" });
    this.stepText = make("strong", { class: "timeline-step" });
    this.levelText = make("span", { class: "timeline-level" });
    this.costText = make("span", { class: "timeline-cost" });
    this.noteText = make("span", { class: "timeline-note" });
    const readout = make("p", { class: "timeline-readout" });
    readout.append(this.stepText, this.levelText, this.costText, this.noteText);
    this.charts = make("div", { class: "timeline-charts" });
    this.wordPlace = make("div");
    this.offer = make("p", { class: "timeline-offer" });
    this.full.append(
      this.transport("step", "Position in time", this.strip),
      make("div", { class: "timeline-line" }, readout, this.buildTools()),
      this.laneRow,
      this.wordPlace,
      this.offer,
      make("div", { class: "card-foot" }, this.source, this.message),
      this.charts,
    );
  }

  buildTools() {
    const tools = make("div", { class: "timeline-tools" });
    this.speedButtons = SPEEDS.map((speed) => {
      const button = make("button", { type: "button", "aria-label": `Speed ${speed} times` });
      button.textContent = `${speed}×`;
      button.addEventListener("click", () => this.setSpeed(speed));
      return button;
    });
    const speeds = make("div", { class: "timeline-group", role: "group", "aria-label": "Speed" });
    speeds.append(...this.speedButtons);
    this.loop = iconButton("loop", "Loop", "timeline-stroked");
    this.loop.addEventListener("click", () => this.setLoop(!this.looping));
    this.replay = iconButton("replay", "Animate each new run", "timeline-stroked timeline-replay");
    this.replay.addEventListener("click", () => this.setReplay(!replays()));
    const png = () => exportStrip(this.value, this.lanes);
    const gif = () => exportGif(this.value, Math.round(Math.max(GIF_FRAME_MS, this.frameMs())));
    const exports = [
      this.downloadButton("PNG", "Download key frames as PNG", png),
      this.downloadButton("GIF", "Download animation as GIF", gif),
    ];
    const downloads = make("div", { class: "timeline-group", role: "group", "aria-label": "Download" });
    downloads.append(...exports);
    tools.append(speeds, this.loop, this.replay, downloads);
    this.setSpeed(1);
    this.setLoop(false);
    this.replay.setAttribute("aria-pressed", replays());
    return tools;
  }

  // --- values -------------------------------------------------------------------------------

  async load(value) {
    this.wanted = value;
    this.pause();
    if (!value || !value.lanes) {
      this.fill(null, false);
      delete this.root.dataset.filled;
      return;
    }
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const moment = window.noiseToDataAddress?.moment(this.root) ?? null;
    const asked = value.autoplay || (value.live && value.levels.length > 1 && replays());
    const plays = asked && !still && moment === null && this.onScreen();
    try {
      const pictures = await this.arrived(value, plays);
      const heat = value.words && (await decoded(value.words.sheet));
      if (!this.take(value, pictures)) return;
      this.buildWords(value, heat);
    } catch (error) {
      this.say(`These frames could not be read: ${error.message}`);
      return;
    }
    this.root.dataset.filled = "yes";
    this.layout();
    this.show(this.index);
    if (plays) this.play(0);
  }

  // Each lane's pictures, {first, sheet}. Unless they are to be `together`, what a visitor looks at
  // comes and is shown first: one frame of one lane, then one of each, then all frames.
  async arrived(value, together) {
    const pictures = value.lanes.map(() => ({}));
    const main = Math.max(0, value.lanes.findIndex((lane) => !lane.still));
    const bring = async (lane, i, part) => {
      if (lane[part]) pictures[i][part] ??= await decoded(lane[part]);
    };
    const soon = (lane, i) => bring(lane, i, lane.first ? "first" : "sheet");
    if (!together) {
      await soon(value.lanes[main], main);
      this.take(value, pictures);
      await Promise.all(value.lanes.map(soon));
      this.take(value, pictures);
    }
    const all = value.lanes.flatMap((lane, i) => ["first", "sheet"].map((part) => bring(lane, i, part)));
    await Promise.all(all);
    return pictures;
  }

  // Shows what has come of a value; false where another one is wanted by now.
  take(value, pictures) {
    if (this.wanted !== value || this.gone()) return false;
    if (this.value !== value) this.start(value);
    this.lanes.forEach((lane, i) => (lane.pictures = pictures[i]));
    this.layout();
    this.show(this.index);
    return true;
  }

  // Everything but the words, and no picture yet.
  start(value) {
    this.fill(value, true);
    this.lanes = value.lanes.map((lane) => this.buildLane(lane));
    this.laneRow.classList.toggle("timeline-wide", value.bars.length > 0);
    const flat = this.lanes.some((lane) => lane.columns >= 2 * lane.rows);
    this.laneRow.classList.toggle("timeline-flat", flat);
    this.curves = value.curves.map((curve) => new Curve(curve, (index) => this.scrub(index)));
    this.charts.replaceChildren(...this.curves.map((curve) => curve.node));
    this.words = null;
    this.wordPlace.replaceChildren();
    const { says, title, query } = value.offer ?? {};
    this.offer.replaceChildren(...(query ? [says, " ", make("a", { href: query }, title)] : []));
    this.laneRow.classList.toggle("timeline-machine", Boolean(value.parts?.length));
    if (value.parts?.length) drawParts(this.laneRow, value.parts, this.lanes, null);
    else this.laneRow.replaceChildren(...this.lanes.map((lane) => lane.node));
    this.say("");
    this.index = window.noiseToDataAddress?.moment(this.root) ?? value.start;
  }

  buildWords(value, heat) {
    if (!heat) return;
    this.words = new WordRow(value.words, heat, () => this.show(this.index));
    this.wordPlace.replaceChildren(this.words.node);
    if (value.parts?.length) drawParts(this.laneRow, value.parts, this.lanes, this.words);
  }

  buildLane(lane) {
    const rows = Math.ceil(lane.samples / lane.columns);
    const width = lane.columns * (lane.width + 1) - 1;
    const scale = Math.max(1, Math.ceil(CANVAS_WIDTH / width));
    const canvas = make("canvas", { role: "img" });
    canvas.width = width * scale;
    canvas.height = (rows * (lane.height + 1) - 1) * scale;
    const node = make("figure", { class: "timeline-lane" });
    node.append(make("figcaption", {}, lane.title), canvas);
    const bars = this.value.bars.filter((bar) => bar.lane === lane.title).map((bar) => new Bars(bar));
    node.append(...bars.map((bar) => bar.node));
    return { ...lane, pictures: {}, rows, scale, canvas, node, bars };
  }

  // --- drawing ------------------------------------------------------------------------------

  get last() {
    return this.value.levels.length - 1;
  }

  show(index) {
    this.index = Math.min(this.last, Math.max(0, index));
    const { value, index: k } = this;
    const step = `${value.step_word} ${value.steps[k].toLocaleString("en")} / ${value.total.toLocaleString("en")}`;
    for (const lane of this.lanes) {
      drawFrame(lane, k, lane.canvas);
      this.words?.paint(lane, k);
      const what = value.alt ? `${lane.title}: ${value.alt}` : lane.title;
      lane.canvas.setAttribute("aria-label", `${what}, ${step}, ${value.levels[k]}`);
      lane.bars.forEach((bar) => bar.show(k));
    }
    this.curves.forEach((curve) => curve.show(k));
    this.stepText.textContent = step;
    this.levelText.textContent = value.levels[k];
    this.costText.textContent = value.ms_per_step ? `${tidy(value.ms_per_step)} ms per step` : "";
    this.noteText.textContent = value.notes[k] ?? "";
    this.moveHead([step, value.levels[k], value.notes[k]].filter(Boolean).join(", "));
    if (k === value.start) delete this.root.dataset.at; // else it stands in a copied link
    else this.root.dataset.at = k;
  }

  layout() {
    const width = this.track.clientWidth;
    if (!this.value || !width) return;
    const moving = this.lanes.find((lane) => !lane.still) ?? this.lanes[0];
    if (moving.pictures.sheet) drawStrip(moving, this.last, this.strip, width, CELL);
    this.curves.forEach((curve) => curve.layout());
  }

  // --- time ---------------------------------------------------------------------------------

  frameMs() {
    const [least, most] = FRAME_MS;
    return Math.min(most, Math.max(least, PLAY_MS / (this.last + 1))) / this.speed;
  }

  setSpeed(speed) {
    this.speed = speed;
    this.speedButtons.forEach((button, i) => button.setAttribute("aria-pressed", SPEEDS[i] === speed));
  }

  setLoop(looping) {
    this.looping = looping;
    this.loop.setAttribute("aria-pressed", looping);
  }

  // For all timelines, and for the next visit.
  setReplay(on) {
    try {
      localStorage.setItem(REPLAYS, on ? "yes" : "");
    } catch {
      this.say("This browser window will not remember your choice");
    }
    document.querySelectorAll(".timeline-replay").forEach((button) => button.setAttribute("aria-pressed", replays()));
    if (on) this.play(0);
  }
}

const view = new TimelineView(element.querySelector(".timeline"));
showValue(view);
