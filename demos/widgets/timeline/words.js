// The prompt's words under the lanes: pointing at one lays over the pictures where it was looked for.
// The sheet holds, in grey, frame k of sample b of word w at (w * side, (k * samples + b) * side).

class WordRow {
  constructor(words, sheet, redraw) {
    Object.assign(this, words, { sheet, redraw, active: -1, pinned: -1 });
    this.node = make("p", { class: "timeline-words" }, make("span", {}, "Cross-attention: point at a word to see where it was looked for"));
    this.buttons = words.words.map((word, i) => {
      const button = make("button", { type: "button", "aria-pressed": "false", "aria-label": `${word}, word ${i + 1}` }, word);
      for (const [event, to] of [["pointerenter", i], ["focus", i], ["pointerleave", -1], ["blur", -1]]) {
        button.addEventListener(event, () => this.light(to < 0 ? this.pinned : to));
      }
      button.addEventListener("click", () => {
        this.pinned = this.pinned === i ? -1 : i;
        this.light(this.pinned);
      });
      return button;
    });
    this.node.append(...this.buttons);
    this.stain = make("canvas", { width: words.side, height: words.side });
  }

  light(index) {
    if (index === this.active) return;
    this.active = index;
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === this.pinned));
    this.redraw();
  }

  // Over frame `k` of the lanes that show pictures: bright where the word was looked for, else dim.
  paint(lane, k) {
    if (this.active < 0 || !this.lanes.includes(lane.title)) return;
    const { width, height, samples, columns, scale, canvas } = lane;
    const context = canvas.getContext("2d");
    for (let i = 0; i < samples; i++) {
      const x = (i % columns) * (width + 1) * scale;
      const y = Math.floor(i / columns) * (height + 1) * scale;
      context.save();
      context.imageSmoothingEnabled = true;
      context.drawImage(this.stained(k * samples + i), x, y, width * scale, height * scale);
      context.restore();
    }
  }

  // Heat as darkness: the word's places stay clear, the rest sinks into shadow.
  stained(row) {
    const { side, sheet, stain, active } = this;
    const context = stain.getContext("2d", { willReadFrequently: true });
    context.clearRect(0, 0, side, side);
    context.drawImage(sheet, active * side, row * side, side, side, 0, 0, side, side);
    const pixels = context.getImageData(0, 0, side, side);
    for (let p = 0; p < pixels.data.length; p += 4) {
      pixels.data[p + 3] = Math.round(0.86 * (255 - pixels.data[p]));
      pixels.data[p] = pixels.data[p + 1] = pixels.data[p + 2] = 8;
    }
    context.putImageData(pixels, 0, 0);
    return stain;
  }
}
