// The map of latent space in the browser: gr.HTML runs this once, with element, props, server and
// watch, joined with card.js, live.js and latent_map_points.js. Places here are in the map's own
// unit, from -reach to reach.

const MOST_PLACES = 40;
const LEAST_STRIDE = 0.012; // of the reach: nearer to the last place of a path, a new one says nothing
const KEY_STEP = 0.04; // of the reach
const FINE_KEY_STEP = 0.01;
const HINT = "Point anywhere: the picture follows. Press and drag to draw a path; with keys, arrows move, Enter begins a path and ends it.";
const CLICKING = "Click on the map: each click adds a place to the path.";
const DRAWING = "Drawing a path. Let go to end it; with keys, Enter ends it and Escape drops it.";
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

const tidy = (value) => Math.round(value * 1000) / 1000 + 0; // never -0
const spoken = (value) => value.toFixed(2).replace("-", "−");
const written = (view, places) => `${view}:${places.map((place) => place.map(tidy).join(",")).join(";")}`;
const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

function understood(text) {
  const [view, places] = String(text).split(":");
  return { view, places: (places ?? "").split(";").map((place) => place.split(",").map(Number)) };
}

// At most as many places as a path may have, spread evenly over those that were drawn.
function thinned(places) {
  const count = Math.min(places.length, MOST_PLACES);
  return Array.from({ length: count }, (_, i) => places[Math.round((i * (places.length - 1)) / (count - 1))]);
}

class LatentMapView {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.latent-map-${name}`);
    this.sheet = this.find("sheet");
    this.live = new Live(root, this.find, (answer) => this.showPicture(answer));
    this.points = new Points(this.find("points"), this.find("legend"), Number(root.dataset.fine));
    this.viewButtons = [...root.querySelectorAll("[data-view]")];
    this.abouts = new Map(); // what the server said of each map
    this.paths = new Map(); // the last path on each map
    this.drawn = null; // the path that is being drawn
    this.told = null; // the value as this map knows it
    this.listen();
    this.go(props.value);
  }

  listen() {
    for (const button of this.viewButtons) {
      button.addEventListener("click", () => this.open(button.dataset.view));
    }
    this.find("colour").addEventListener("change", (event) => this.points.colour(event.target.selectedIndex));
    this.find("shown").addEventListener("change", (event) => this.points.show(event.target.checked));
    this.find("colour").addEventListener("change", () => this.showWhere());
    const on = (kind, act) => this.sheet.addEventListener(kind, (event) => this.about && act(event));
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.point(event));
    on("pointerup", () => this.clicking || this.finish());
    for (const kind of ["pointercancel", "blur"]) on(kind, () => this.clicking || this.drop());
    this.find("clicks").addEventListener("click", () => this.about && this.click());
    on("keydown", (event) => this.key(event));
  }

  // --- maps -------------------------------------------------------------------------------------

  // Shows the map and the path that a text stands for: from a link or from the server.
  async go(text) {
    if (text === this.told) return;
    this.told = text;
    const { view, places } = understood(text);
    this.paths.set(view, places);
    await this.unfold(view);
  }

  // A map that the visitor chose: its last path becomes the widget's value.
  async open(view) {
    if (await this.unfold(view)) this.tell();
  }

  async unfold(view) {
    this.wanted = view;
    if (!this.abouts.has(view)) {
      const about = await this.live.ask("describe", view);
      if (!about) return false;
      this.abouts.set(view, about);
    }
    if (this.wanted !== view) return false; // another was chosen meanwhile
    this.view = view;
    this.about = this.abouts.get(view);
    this.drawn = null;
    this.clicking = false;
    if (!this.paths.has(view)) this.paths.set(view, understood(`${view}:${this.about.start}`).places);
    this.viewButtons.forEach((b) => b.setAttribute("aria-pressed", b.dataset.view === view));
    this.sheet.style.backgroundImage = this.about.ground ? `url("${this.about.ground}")` : "";
    this.find("switch").hidden = !this.about.ground;
    this.find("shown").checked = true;
    this.points.shown = true;
    this.fillChoices();
    this.showPath(this.paths.get(view));
    this.move(this.paths.get(view)[0]);
    this.root.dataset.view = view;
    return true;
  }

  // The colours to choose from; what was chosen on the map before stays where this one has it.
  fillChoices() {
    const choice = this.find("colour");
    const titles = this.about.columns.map((column) => column.title);
    const kept = Math.max(0, titles.indexOf(choice.value));
    choice.replaceChildren(...titles.map((title) => make("option", {}, title)));
    choice.selectedIndex = kept;
    this.points.load(this.about, kept);
  }

  // --- from a place to its picture --------------------------------------------------------------

  move(place) {
    const { reach } = this.about;
    this.at = place.map((value) => tidy(Math.min(reach, Math.max(-reach, value))));
    const [x, y] = this.shares(this.at);
    const dot = this.find("dot");
    dot.style.left = `${50 * (1 + x)}%`;
    dot.style.top = `${50 * (1 - y)}%`;
    dot.hidden = false;
    this.showWhere();
    this.live.want("decode", written(this.view, [this.at]));
    if (this.drawn) this.extend();
  }

  shares(place) {
    return place.map((value) => value / this.about.reach);
  }

  showWhere() {
    const { axes } = this.about;
    const shown = this.points.nearest(this.shares(this.at));
    const near = make("strong", {}, `Nearest dot: ${this.points.column.title.toLowerCase()} ${shown}`);
    const place = `${axes[0]} ${spoken(this.at[0])}, ${axes[1]} ${spoken(this.at[1])}`;
    this.find("where").replaceChildren(near, make("span", {}, place));
  }

  async showPicture(answer) {
    const image = this.find("picture");
    image.src = answer.picture;
    await image.decode();
  }

  // --- drawing a path ---------------------------------------------------------------------------

  placeOf(event) {
    const box = this.sheet.getBoundingClientRect();
    const across = (2 * (event.clientX - box.left)) / box.width - 1;
    const up = 1 - (2 * (event.clientY - box.top)) / box.height;
    return [across, up].map((share) => share * this.about.reach);
  }

  press(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    if (this.clicking) return this.move(this.placeOf(event));
    this.sheet.setPointerCapture(event.pointerId);
    this.drawn = [];
    this.move(this.placeOf(event));
  }

  point(event) {
    if (!event.isPrimary || this.clicking || (event.pointerType !== "mouse" && !this.drawn)) return;
    this.move(this.placeOf(event));
  }

  // Begins a path that grows by clicks, for hands that cannot drag, and ends it.
  click() {
    if (this.clicking) return this.finish();
    this.drawn = [];
    this.clicking = true;
    this.showPath(this.paths.get(this.view));
  }

  extend() {
    const last = this.drawn.at(-1);
    if (last && distance(last, this.at) < LEAST_STRIDE * this.about.reach) return;
    this.drawn.push(this.at);
    this.showPath(this.drawn);
  }

  // The path becomes the value; a press that went nowhere is none, and the old one stays.
  finish() {
    if (this.drawn?.length > 1) {
      this.paths.set(this.view, thinned(this.drawn));
      this.tell();
    }
    this.drop();
  }

  drop() {
    this.drawn = null;
    this.clicking = false;
    this.showPath(this.paths.get(this.view));
  }

  tell() {
    this.told = written(this.view, this.paths.get(this.view));
    props.value = this.told;
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const by = MOVES[event.key];
    if (by) {
      const step = (event.shiftKey ? FINE_KEY_STEP : KEY_STEP) * this.about.reach;
      this.move(this.at.map((value, axis) => value + step * by[axis]));
    } else if (event.key === "Enter") {
      if (this.drawn) return this.finish();
      this.drawn = [];
      this.move(this.at);
    } else if (event.key === "Escape") this.drop();
    else return;
    event.preventDefault();
  }

  // A line along the path, and a full dot where it ends.
  showPath(places) {
    const corners = places.map((place) => this.shares(place)).map(([x, y]) => `${x} ${-y}`);
    const line = `M${corners.join("L")}${corners.length < 2 ? "h0" : ""}`;
    this.find("halo").setAttribute("d", line);
    this.find("line").setAttribute("d", line);
    this.find("end").setAttribute("d", `M${corners.at(-1)}h0`);
    this.root.classList.toggle("latent-map-drawing", Boolean(this.drawn));
    this.find("hint").textContent = this.clicking ? CLICKING : this.drawn ? DRAWING : HINT;
    this.find("clicks").textContent = this.clicking ? "End the path" : "Draw with clicks";
  }
}

const view = new LatentMapView(element.querySelector(".latent-map"));
watch("value", () => view.go(props.value));
