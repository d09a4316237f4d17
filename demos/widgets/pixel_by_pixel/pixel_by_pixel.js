// Pictures that one goes through pixel by pixel, in a card.

const FRAME_MS = 16;
const MOST_BITS = 8; // from which on a pixel is tinted no darker: as many as it has
const ASKED = ["label", "count", "temperature", "seed", "top_k", "top_p"]; // knobs of other pictures

class PixelsView extends RasterView {
  constructor(root) {
    super(root, { word: "pixel", asked: ASKED, mostBits: MOST_BITS });
    Object.assign(this, this.buildPaper());
    this.greys = new Greys((grey) => this.take(this.chosen, grey));
    this.waiting = make("p", { class: "raster-note" }, "What each pixel was drawn from comes when the pictures are whole.");
    const left = make("div", {}, this.paper, this.buildTint());
    const right = make("div", { class: "raster-side" }, this.readout, this.greys.node, this.waiting, this.note);
    this.full.append(
      this.choices,
      make("div", { class: "raster-body pixels-body" }, left, right),
      this.transport("pixel", "Pixels that are drawn", this.strip),
      this.foot("Download these pictures as PNG", () => this.drawn()),
    );
    this.listen();
  }

  buildTint() {
    this.tint = make("input", { type: "checkbox" });
    this.tint.addEventListener("change", () => this.draw());
    const scale = make("span", { class: "raster-scale" }, `0 to ${MOST_BITS} bits`);
    this.tintLabel = make("label", { class: "pixels-tint" }, this.tint, " Show surprise ", scale);
    return this.tintLabel;
  }

  async load(value) {
    this.pause();
    this.newest = value;
    if (!value?.pictures) return this.fill(value, false);
    const grey = await Promise.all(value.pictures.map((picture) => pixelsOf(picture)));
    if (this.newest !== value) return;
    const [{ width, height }] = grey;
    Object.assign(this.canvas, { width, height });
    Object.assign(this, { grey, sheets: new Map(), columns: width });
    this.waiting.hidden = value.standing === width * height;
    this.tintLabel.hidden = !this.waiting.hidden;
    this.shown(value, width * height);
  }

  draw() {
    const { pixels, width, height } = this.grey[this.picked];
    const shown = new ImageData(new Uint8ClampedArray(pixels), width, height);
    const tinted = this.tint.checked && this.whole;
    for (let i = 0; i < width * height; i += 1) {
      const share = tinted ? Math.min(this.bits[this.picked][i] / MOST_BITS, 1) : 1;
      if (tinted) shown.data.set(tint(), 4 * i);
      shown.data[4 * i + 3] = i < this.index ? 255 * share : 0;
    }
    this.paper.classList.toggle("raster-tinted", tinted);
    this.canvas.getContext("2d").putImageData(shown, 0, 0);
  }

  // --- one pixel ----------------------------------------------------------------------------

  greyAt(i) {
    return this.grey[this.picked].pixels[4 * i];
  }

  about(i) {
    return super.about(i, `grey ${this.greyAt(i)}`);
  }

  async tell(i) {
    this.greys.node.hidden = i < 0;
    if (i < 0) return;
    try {
      const { picked, value } = this;
      const [said, drawn] = await this.shares(picked);
      if (i === this.chosen && picked === this.picked && value === this.value) this.greys.show({ said: said(i), drawn: drawn?.(i), own: this.greyAt(i) });
    } catch (error) {
      this.say(`No probabilities: ${error.message}`);
    }
  }

  // Of a picture, what gives the probabilities of a pixel; fetched once somebody asks.
  shares(picked) {
    const { said, drawn } = this.value;
    const of = async (sheet) => {
      if (!sheet) return null;
      const { pixels, width } = await pixelsOf(sheet);
      return (i) => Array.from({ length: width }, (_, grey) => (pixels[4 * (i * width + grey)] / 255) ** 2);
    };
    if (!this.sheets.has(picked)) this.sheets.set(picked, Promise.all([of(said[picked]), of(drawn[picked])]));
    return this.sheets.get(picked);
  }

  frameMs() {
    return FRAME_MS;
  }
}

const view = new PixelsView(element.querySelector(".pixel-by-pixel"));
showValue(view);
