// The latent sliders in the browser: gr.HTML runs this once, with element, props, server, watch.
// A picture is asked for as soon as a slider moves (see live.js).

const TELL_MS = 250; // the page (link, code lines) hears of a code once it rests this long
const DOWNLOAD_SIDE = 560;
const MOST_SEED = 100000;
const KEY_STEP = 0.1;

const tidy = (value) => Math.round(value * 100) / 100 + 0; // never -0
const written = (model, z) => `${model}:${z.map(tidy).join(",")}`;

function understood(text) {
  const [model, numbers] = String(text).split(":");
  return { model, z: (numbers ?? "").split(",").map(Number) };
}

class LatentSlidersView {
  constructor(root) {
    this.find = (name) => root.querySelector(`.latent-${name}`);
    this.root = root;
    this.rows = [];
    this.about = null; // what the server said of the model on screen
    this.live = new Live(root, this.find, (answer) => this.showPicture(answer));
    this.teller = null;
    this.turn = 0; // of what was wanted: an answer to something older is dropped
    // Nothing to press before the sliders are there, which may wait for a model to load.
    this.actions = ["random", "again", "mean"].map((name) => this.find(name));
    this.actions.forEach((button) => (button.disabled = true));
    this.buildModels();
    this.listen();
    this.go(props.value);
  }

  buildModels() {
    this.modelButtons = this.root.dataset.models.split(" ").map((entry) => {
      const [name, size] = entry.split(":");
      const button = make("button", { type: "button", "data-model": name, "aria-pressed": false }, `${size} numbers`);
      button.addEventListener("click", () => this.random(name, this.seed()));
      return button;
    });
    this.find("models").append(...this.modelButtons);
  }

  listen() {
    this.find("random").addEventListener("click", () => {
      this.find("seed").querySelector("input").value = Math.floor(Math.random() * MOST_SEED);
      this.random(this.model, this.seed());
    });
    this.find("again").addEventListener("click", () => this.random(this.model, this.seed()));
    this.find("mean").addEventListener("click", () => this.move(this.z.map(() => 0)));
    this.find("png").addEventListener("click", () => this.download());
    const pad = this.find("pad");
    pad.addEventListener("pointerdown", (event) => pad.setPointerCapture(event.pointerId));
    pad.addEventListener("pointermove", (event) => this.point(event));
    pad.addEventListener("click", (event) => this.point(event));
    pad.addEventListener("keydown", (event) => this.key(event));
  }

  seed() {
    const typed = this.find("seed").querySelector("input").value;
    return typed === "" ? null : Number(typed);
  }

  // --- from a code to its picture -------------------------------------------------------------

  // Shows the code that a text stands for: from a link, from the server, from the page.
  async go(text) {
    const turn = ++this.turn;
    const { model, z } = understood(text);
    if (model !== this.about?.model) {
      const about = await this.live.ask("describe", model);
      if (!about || turn !== this.turn) return;
      this.about = about;
      this.actions.forEach((button) => (button.disabled = false));
      this.model = model;
      this.z = z;
      this.buildRows();
    }
    this.move(z);
  }

  async random(model, seed) {
    const turn = ++this.turn;
    const answer = await this.live.ask("draw_code", { model, seed });
    if (answer && turn === this.turn) await this.go(answer.code);
  }

  move(z) {
    this.turn++;
    this.z = z;
    this.rows.forEach((row) => row.show());
    this.showDot();
    const code = written(this.model, z);
    this.live.want("decode", code);
    clearTimeout(this.teller);
    this.teller = setTimeout(() => (props.value = code), TELL_MS);
  }

  async showPicture(answer) {
    const image = this.find("picture");
    image.src = answer.picture;
    await image.decode();
  }

  // --- sliders ----------------------------------------------------------------------------------

  buildRows() {
    const { order, influence } = this.about;
    this.modelButtons.forEach((b) => b.setAttribute("aria-pressed", b.dataset.model === this.model));
    this.rows = order.map((dimension) => this.buildRow(dimension, influence[dimension]));
    this.find("rows").replaceChildren(...this.rows.map((row) => row.node));
    this.find("plane").hidden = !this.about.map;
    this.find("pad").style.backgroundImage = this.about.map ? `url("${this.about.map}")` : "";
    this.root.dataset.model = this.model;
  }

  buildRow(dimension, share) {
    const { reach } = this.about;
    const name = `z${dimension + 1}`;
    const percent = Math.round(100 * share);
    const bar = make("span", { class: "latent-influence", title: `Changes the picture ${percent}% as much as the strongest` });
    bar.append(make("span", { style: `width: ${percent}%` }));
    const slider = make("input", { type: "range", class: "latent-signed", min: -reach, max: reach, step: 0.05, "aria-label": `Latent number ${dimension + 1}, influence ${percent}%` });
    const value = make("output", { class: "latent-value" });
    const reset = make("button", { type: "button", class: "latent-reset", "aria-label": `Reset latent number ${dimension + 1} to 0`, title: "Reset to 0" }, "↺");
    const set = (number) => this.move(this.z.map((old, i) => (i === dimension ? number : old)));
    slider.addEventListener("input", () => set(slider.valueAsNumber));
    reset.addEventListener("click", () => set(0));
    const show = () => {
      const z = tidy(this.z[dimension]);
      if (slider !== document.activeElement || slider.valueAsNumber !== z) slider.value = z;
      slider.style.setProperty("--at", z / reach);
      value.textContent = z.toFixed(2).replace("-", "−");
      reset.disabled = z === 0;
    };
    return { node: make("div", { class: "latent-row" }, make("span", { class: "latent-name" }, name), bar, slider, value, reset), show };
  }

  // --- the pad ----------------------------------------------------------------------------------

  // Both axes of the pad, the stronger number across, the other one up.
  point(event) {
    const pad = this.find("pad");
    if (event.pointerType !== "mouse" && event.type === "pointermove" && !pad.hasPointerCapture(event.pointerId)) return;
    const box = pad.getBoundingClientRect();
    const share = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height];
    this.place(share.map((s) => (2 * s - 1) * this.about.reach));
  }

  place(values) {
    const { order, reach } = this.about;
    const z = [...this.z];
    order.forEach((dimension, axis) => (z[dimension] = tidy(Math.min(reach, Math.max(-reach, values[axis])))));
    this.move(z);
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const by = moves[event.key];
    if (!by) return;
    event.preventDefault();
    this.place(this.about.order.map((dimension, axis) => this.z[dimension] + KEY_STEP * by[axis]));
  }

  showDot() {
    if (!this.about.map) return;
    const [across, up] = this.about.order.map((d) => Math.min(1, Math.max(0, (this.z[d] / this.about.reach + 1) / 2)));
    const dot = this.find("dot");
    dot.style.left = `${100 * across}%`;
    dot.style.bottom = `${100 * up}%`;
  }

  download() {
    const image = this.find("picture");
    const canvas = make("canvas", { width: DOWNLOAD_SIDE, height: DOWNLOAD_SIDE });
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(image, 0, 0, DOWNLOAD_SIDE, DOWNLOAD_SIDE);
    this.live.save(canvas, `${this.model}.png`);
  }
}

const view = new LatentSlidersView(element.querySelector(".latent"));
watch("value", () => view.go(props.value));
