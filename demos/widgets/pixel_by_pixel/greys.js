// What the chosen pixel was drawn from: a bar for each grey, from black to white; and a grey to take
// in its place.

const BARS = { width: 512, height: 132 }; // pixels of the canvas

class Greys {
  // take(grey) draws on with another one.
  constructor(take) {
    this.canvas = make("canvas", { ...BARS, role: "img" });
    this.here = make("i", { class: "greys-own" });
    const bars = make("div", { class: "greys-bars" }, this.canvas, this.here);
    this.range = make("input", { type: "range", min: 0, "aria-label": "Another grey for this pixel" });
    this.told = make("span", { class: "greys-told" });
    this.button = make("button", { type: "button", class: "card-button" }, "Take it, and draw on");
    this.button.addEventListener("click", () => take(Number(this.range.value)));
    this.range.addEventListener("input", () => this.tell());
    this.range.addEventListener("keydown", (event) => event.stopPropagation()); // its arrow keys move nothing else
    this.canvas.addEventListener("click", (event) => this.pick(event));
    const key = (kind, text) => make("span", { class: `greys-key greys-${kind}` }, text);
    this.keys = make("p", { class: "greys-keys" }, key("said", "the network says"), key("drawn", "what it is drawn from"));
    const other = make("p", { class: "greys-other" }, this.told, this.button);
    this.node = make("section", { class: "greys", "aria-label": "The greys this pixel could have" }, this.keys, bars, this.range, other);
  }

  // said, drawn: probabilities by grey, `drawn` null where that is the same; own: the pixel's grey.
  show({ said, drawn, own }) {
    Object.assign(this, { said, own });
    this.range.max = said.length - 1;
    this.range.value = own;
    this.keys.classList.toggle("greys-alike", !drawn);
    this.here.style.left = `${(100 * (own + 0.5)) / said.length}%`;
    const likeliest = said.indexOf(Math.max(...said));
    this.canvas.setAttribute("aria-label", `Likeliest grey: ${likeliest}, ${chance(said[likeliest])}`);
    this.draw(said, drawn);
    this.tell();
  }

  draw(said, drawn) {
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    const [width, most] = [BARS.width / said.length, Math.max(...said, ...(drawn ?? []))];
    context.clearRect(0, 0, BARS.width, BARS.height);
    const bars = (shares, colour, share) => {
      context.fillStyle = style.getPropertyValue(colour);
      shares.forEach((p, grey) => {
        const height = p > 0 ? Math.max(1, (BARS.height * p) / most) : 0;
        context.fillRect(grey * width, BARS.height - height, width * share, height);
      });
    };
    bars(said, "--blue", 1);
    if (drawn) bars(drawn, "--amber", 0.5);
  }

  pick({ clientX }) {
    const box = this.canvas.getBoundingClientRect();
    const grey = Math.floor(((clientX - box.left) / box.width) * this.said.length);
    this.range.value = Math.min(Math.max(grey, 0), this.said.length - 1);
    this.tell();
  }

  // Of the least, the picture that they come in knows no more.
  chanceOf(grey) {
    return this.said[grey] > 0 ? chance(this.said[grey]) : "less than 1 in 200,000";
  }

  // What is to be taken.
  tell() {
    const grey = Number(this.range.value);
    const same = grey === this.own;
    const said = `Grey ${grey}: ${this.chanceOf(grey)}`;
    this.range.setAttribute("aria-valuetext", said);
    this.told.textContent = same ? "Move the slider to another grey." : said;
    this.button.disabled = same;
  }
}
