// Sliders along directions of latent space in the browser (see live.js for the picture that
// follows). The value is text, "12;smile:1.5;pc2:-0.8": a face, and how far it is moved along what.

const TELL_MS = 250; // the page (link, code lines) hears of a move once it rests this long
const DOWNLOAD_SIDE = 512;
const NOTEWORTHY = 0.2; // standard deviations from which on "what else" is told
const MOST_TOLD = 3;

const signed = (value, digits = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

function understood(text) {
  const [face, ...moves] = String(text).split(";");
  const by = moves.map((move) => move.split(":"));
  return { face: Number(face), by: Object.fromEntries(by.map(([name, far]) => [name, Number(far)])) };
}

class MeaningSlidersView {
  constructor(root) {
    this.find = (name) => root.querySelector(`.latent-${name}`) ?? root.querySelector(`.meaning-${name}`);
    this.root = root;
    this.rows = [];
    this.teller = null;
    this.live = new Live(root, this.find, (answer) => this.show(answer));
    // Nothing to press before the sliders are there, which may wait for a model to load.
    this.actions = ["random", "mean"].map((name) => this.find(name));
    this.actions.forEach((button) => (button.disabled = true));
    this.listen();
    this.begin();
  }

  async begin() {
    const about = await this.live.ask("describe", null);
    if (!about) return;
    const { face, by } = understood(props.value); // now, for a link may have been read meanwhile
    this.about = about;
    const axes = about.axes.map((share, i) => this.buildAxis(`pc${i + 1}`, share));
    const named = about.traits.map((trait) => this.buildTrait(trait));
    this.rows = [...named, ...axes];
    this.find("named").replaceChildren(...named.map((row) => row.node));
    this.find("axes").replaceChildren(...axes.map((row) => row.node));
    this.actions.forEach((button) => (button.disabled = false));
    this.move(face, by);
  }

  listen() {
    const face = this.root.querySelector(".latent-seed input");
    this.find("random").addEventListener("click", () => this.move(Math.floor(Math.random() * this.about.faces), this.by));
    face.addEventListener("change", () => this.move(face.valueAsNumber, this.by));
    this.find("mean").addEventListener("click", () => this.move(this.face, {}));
    this.find("png").addEventListener("click", () => this.download());
  }

  // --- from a move to its picture ---------------------------------------------------------------

  move(face, by) {
    this.face = face;
    this.by = Object.fromEntries(Object.entries(by).filter(([, far]) => far));
    this.root.querySelector(".latent-seed input").value = face;
    this.rows.forEach((row) => row.place());
    const text = [face, ...Object.entries(this.by).map(([name, far]) => `${name}:${far}`)].join(";");
    this.live.want("move", text);
    clearTimeout(this.teller);
    this.teller = setTimeout(() => (props.value = text), TELL_MS);
  }

  async show(answer) {
    const image = this.find("picture");
    image.src = answer.picture;
    this.find("start").src = answer.start;
    this.rows.forEach((row) => row.seen?.(answer.changes[row.name]));
    this.find("also").textContent = this.told(answer.changes);
    await image.decode();
  }

  // "Moving glasses also changed age by +0.3 (older)": what was not asked for.
  told(changes) {
    const asked = Object.keys(this.by);
    if (!asked.length) return "Move a slider: the face follows.";
    const rest = Object.entries(changes).filter(([name, by]) => !asked.includes(name) && Math.abs(by) >= NOTEWORTHY);
    rest.sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
    if (!rest.length) return `Nothing else that the classifier knows changed by ${NOTEWORTHY} or more.`;
    const words = rest.slice(0, MOST_TOLD).map(([name, by]) => {
      const { low, high } = this.about.traits.find((trait) => trait.name === name);
      return `${name} by ${signed(by, 1)} (${by < 0 ? low : high})`;
    });
    return `Also changed: ${words.join(", ")}.`;
  }

  // --- sliders ----------------------------------------------------------------------------------

  buildTrait({ name, low, high }) {
    const bar = make("span", { class: "meaning-seen", "aria-hidden": "true" }, make("i"));
    const by = make("output", { class: "meaning-by", "aria-label": `${name}: change that is seen` });
    const row = this.buildRow(name, name, `${low} to ${high}`);
    row.node.append(bar, by);
    row.seen = (change) => {
      const share = Math.min(50, (50 * Math.abs(change)) / this.about.reach);
      bar.firstChild.style.cssText = `width: ${share}%; ${change < 0 ? "right" : "left"}: 50%`;
      by.textContent = signed(change, 1);
    };
    row.node.title = `${low} to ${high}`;
    return row;
  }

  buildAxis(name, share) {
    const bar = make("span", { class: "latent-influence" }, make("span", { style: `width: ${Math.min(100, 400 * share)}%` }));
    const row = this.buildRow(name, name.slice(2), `${Math.round(100 * share)}% of the variance`);
    row.node.firstChild.after(bar);
    row.node.title = `${(100 * share).toFixed(1)}% of the variance`;
    return row;
  }

  buildRow(name, title, range) {
    const { reach } = this.about;
    const slider = make("input", { type: "range", class: "latent-signed", min: -reach, max: reach, step: 0.05, "aria-label": `${name}, ${range}` });
    const value = make("output");
    const node = make("div", { class: "meaning-row" }, make("span", { class: "latent-name" }, title), slider, value);
    slider.addEventListener("input", () => this.move(this.face, { ...this.by, [name]: slider.valueAsNumber }));
    slider.addEventListener("dblclick", () => this.move(this.face, { ...this.by, [name]: 0 }));
    const place = () => {
      const far = this.by[name] ?? 0;
      if (slider.valueAsNumber !== far) slider.value = far;
      slider.style.setProperty("--at", far / reach);
      value.textContent = far ? signed(far) : "0";
      node.classList.toggle("meaning-moved", far !== 0);
    };
    return { name, node, place };
  }

  download() {
    const canvas = make("canvas", { width: DOWNLOAD_SIDE, height: DOWNLOAD_SIDE });
    canvas.getContext("2d").drawImage(this.find("picture"), 0, 0, DOWNLOAD_SIDE, DOWNLOAD_SIDE);
    this.live.save(canvas, `face-${this.face}.png`);
  }
}

const view = new MeaningSlidersView(element.querySelector(".meaning"));
watch("value", () => {
  if (!view.about) return;
  const { face, by } = understood(props.value);
  view.move(face, by);
});
