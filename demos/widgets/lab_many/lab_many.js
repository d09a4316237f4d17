// Many trainings of the lab as small pictures, in a card.

const ENDS = {
  all: ["✓", "covers every mode"],
  part: ["◐", "covers a part"],
  collapsed: ["✕", "collapsed"],
  stray: ["∿", "not converged"],
};
const SHEET = { tile: 132, gap: 12, margin: 28, foot: 22, line: 26 }; // of the file, in pixels
const ACROSS = 5;

class LabManyView extends FilmPlayer {
  constructor(root) {
    super(root);
    this.strip = make("canvas", { height: 36 });
    this.verdict = make("p", { class: "lab-verdict", role: "status" });
    this.look = make("p", { class: "many-look" });
    this.readout = make("p", { class: "many-readout" });
    this.blocks = make("div", { class: "many-blocks" });
    const key = (name) => make("span", { class: `many-end many-${name}` }, make("b", {}, ENDS[name][0]), ` ${ENDS[name][1]}`);
    this.legend = make("p", { class: "many-key" }, ...Object.keys(ENDS).map(key));
    this.full.append(
      this.verdict,
      this.look,
      this.blocks,
      this.legend,
      this.readout,
      this.transport("frame", "Steps of the trainings", this.strip),
      this.foot("Download this moment as PNG", () => this.drawn()),
    );
    this.listen();
  }

  // --- values -------------------------------------------------------------------------------

  take(value, anew) {
    this.centres = [...value.centres].map((text) => numbersOf(text));
    if (anew || this.tiles.length !== value.titles.length * value.seeds.length) this.build(value);
    const own = value.live ? value.foretold : ""; // of an example nobody has said anything
    this.verdict.textContent = [value.verdict, own].filter(Boolean).join(" ");
    this.verdict.hidden = !value.verdict;
    this.look.textContent = value.look;
    this.look.hidden = !value.look;
    this.legend.hidden = !value.outcomes.length || !value.modes.some(Boolean);
    this.heads.forEach((head, i) => (head.textContent = value.counts[i] ?? ""));
    this.drawStrip();
  }

  build(value) {
    this.heads = [...value.titles].map(() => make("p", { class: "many-count" }));
    const tile = (seed) => {
      const canvas = make("canvas", { role: "img" });
      const said = make("span", {});
      const node = make("figure", { class: "many-tile" }, canvas, make("figcaption", {}, said));
      return { node, canvas, said, seed };
    };
    const blocks = [...value.titles].map((title, i) => {
      const tiles = [...value.seeds].map(tile);
      const grid = make("div", { class: "many-grid" }, ...tiles.map(({ node }) => node));
      return { tiles, node: make("section", { class: "many-block", "aria-label": title }, make("h3", {}, title), this.heads[i], grid) };
    });
    this.tiles = blocks.flatMap(({ tiles }) => tiles);
    this.blocks.replaceChildren(...blocks.map(({ node }) => node));
    this.blocks.classList.toggle("many-two", blocks.length > 1);
  }

  tiles = [];

  show(index) {
    this.index = Math.max(0, Math.min(this.last, index));
    const frame = this.frames[this.index];
    const { modes, total, seeds, titles } = this.value;
    this.tiles.forEach((tile, run) => this.showTile(tile, frame, run));
    const number = (value) => value.toLocaleString("en");
    const whole = [...titles].map((title, i) => {
      const covered = [...frame.covered.slice(i * seeds.length, (i + 1) * seeds.length)];
      return modes[i] ? `${titles.length > 1 ? `${title}: ` : ""}${covered.filter((count) => count === modes[i]).length} of ${seeds.length} touch every mode` : "";
    });
    this.readout.textContent = [`Step ${number(frame.step[0])} of ${number(total)}`, ...whole].filter(Boolean).join(" · ");
    this.moveHead(this.readout.textContent);
    this.tellMoment();
  }

  // What is said of a run at a frame: for the picture's caption, and in words.
  told(frame, run) {
    const modes = this.modesOf(run);
    if (!modes) return [`${(frame.divergence[run] / 100).toFixed(2)}`, `${frame.divergence[run] / 100} bits from the data`];
    return [`${frame.covered[run]} of ${modes}`, `covers ${frame.covered[run]} of ${modes} modes, ${frame.on_modes[run]}% of samples on modes`];
  }

  modesOf(run) {
    return this.value.modes[Math.floor(run / this.value.seeds.length)];
  }

  // How a run has ended, at the last frame.
  end(run) {
    const { outcomes, seeds } = this.value;
    const count = seeds.length;
    return this.index === this.last ? (outcomes[Math.floor(run / count)]?.[run % count] ?? "") : "";
  }

  showTile({ node, canvas, said, seed }, frame, run) {
    const end = this.end(run);
    const [short, long] = this.told(frame, run);
    node.className = `many-tile ${end ? `many-${end}` : ""}`;
    said.textContent = end ? `${ENDS[end][0]} ${short}` : short;
    canvas.setAttribute("aria-label", `Seed ${seed}: ${end ? `${ENDS[end][1]}, ` : ""}${long}`);
    node.title = `Seed ${seed}`;
    const each = frame.samples.length / this.tiles.length;
    this.paint(canvas, frame.samples.subarray(each * run, each * (run + 1)), run);
  }

  paint(canvas, places, run) {
    const side = Math.round((canvas.clientWidth || 80) * (window.devicePixelRatio || 1));
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    context.clearRect(0, 0, side, side);
    const at = (sent) => (((sent / 255 - 0.5) * 2 * SENT_TO) / (2 * SHOWN_TO)) * side;
    const dots = (all, colour, radius) => {
      context.fillStyle = style.getPropertyValue(colour);
      for (let k = 0; k < all.length; k += 2) {
        context.beginPath();
        context.arc(side / 2 + at(all[k]), side / 2 - at(all[k + 1]), radius, 0, 2 * Math.PI);
        context.fill();
      }
    };
    context.globalAlpha = 0.35;
    const game = Math.floor(run / this.value.seeds.length);
    dots(this.centres[game], "--quiet", side / (this.value.modes[game] ? 22 : 60));
    context.globalAlpha = 0.85;
    dots(places, "--violet", Math.max(1, side / 60));
    context.globalAlpha = 1;
  }

  // How much all runs together have found, along the track.
  drawStrip() {
    const { strip, frames } = this;
    strip.width = frames.length;
    const context = strip.getContext("2d");
    context.fillStyle = getComputedStyle(strip).getPropertyValue("--green");
    const found = (frame, run) => (this.modesOf(run) ? frame.covered[run] / this.modesOf(run) : 1 - frame.divergence[run] / 100);
    frames.forEach((frame, i) => {
      const share = this.tiles.reduce((sum, _, run) => sum + found(frame, run), 0) / this.tiles.length;
      context.fillRect(i, strip.height * (1 - share), 1, strip.height * share);
    });
  }

  layout() {
    if (this.value && this.frames.length && this.root.offsetParent) this.show(this.index);
  }

  // --- a file -------------------------------------------------------------------------------

  async drawn() {
    const { tile, gap, margin, foot, line } = SHEET;
    const { titles, seeds, counts, provenance } = this.value;
    const verdict = this.verdict.textContent;
    const rows = Math.ceil(seeds.length / ACROSS);
    const width = ACROSS * (tile + gap) - gap;
    const block = 2 * line + rows * (tile + foot);
    const { canvas, context, write } = whitePaper(2 * margin + width, 2 * margin + 2 * line + titles.length * block);
    context.imageSmoothingEnabled = true;
    if (verdict) write(verdict, margin, margin, { colour: "#1f2937", font: "600 15px", width });
    [...titles].forEach((title, b) => {
      const top = margin + line + b * block;
      write(counts[b] ? `${title}: ${counts[b]}` : title, margin, top, { width });
      seeds.forEach((_, i) => {
        const { canvas: picture, said } = this.tiles[b * seeds.length + i];
        const [x, y] = [margin + (i % ACROSS) * (tile + gap), top + line / 2 + Math.floor(i / ACROSS) * (tile + foot)];
        context.drawImage(picture, x, y, tile, tile);
        write(said.textContent, x + tile / 2, y + tile + 14, { align: "center" });
      });
    });
    write(provenance, margin, canvas.height - margin / 2, { width });
    return canvas;
  }
}

const view = new LabManyView(element.querySelector(".lab-many"));
showValue(view);
