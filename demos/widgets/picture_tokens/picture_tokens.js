// Pictures that one goes through token by token, in a card: the picture that the tokens so far decode
// to, and beside it the tokens themselves.

const FRAME_MS = 40;
const FRAMES_ACROSS = 16; // of a film
const SQUARE = 44; // pixels of a token on its canvas
const NOTICED = 16; // of 255: from which on a pixel counts as changed
const ASKED = ["count", "temperature", "seed", "guidance_scale", "top_k", "top_p", "wish"]; // knobs of other pictures
const LOOKS = { entries: "Entries", numbers: "Numbers", surprise: "Surprise" }; // of the tokens

class TokensView extends RasterView {
  constructor(root) {
    super(root, { word: "token", asked: ASKED, mostBits: 9 });
    const { paper, canvas } = this.buildPaper();
    const tokens = this.buildPaper();
    Object.assign(this, { canvas, tokensPaper: tokens.paper, tokensCanvas: tokens.canvas });
    this.codebook = new Codebook((kind) => this.put(kind));
    this.candidates = new Candidates((kind) => this.put(kind), {
      face: (kind) => this.codebook.face(kind),
      name: (kind) => `Code ${kind}`,
      waiting: "The candidates of every token come when the pictures are whole.",
      free: "Press another one to put it in.",
    });
    this.told = make("p", { class: "raster-readout", role: "status" });
    this.on = make("button", { type: "button", class: "card-button" }, "Draw on from here");
    this.back = make("button", { type: "button", class: "card-button" }, "Put it back");
    this.on.addEventListener("click", () => this.take(...this.swapped));
    this.back.addEventListener("click", () => this.putBack());
    this.swap = make("div", { class: "tokens-swap" }, this.told, this.on, this.back);
    this.below = make("div", { class: "raster-side" }, this.readout, this.swap, this.candidates.node, this.codebook.node, this.note);
    this.full.append(
      this.choices,
      make("div", { class: "raster-body" }, make("div", {}, this.heading("What they decode to"), paper), make("div", {}, this.buildLooks(), this.tokensPaper)),
      this.transport("token", "Tokens that are drawn", this.strip),
      this.below,
      this.foot("Download these pictures as PNG", () => this.drawn()),
    );
    this.listen();
  }

  heading(text) {
    return make("p", { class: "tokens-heading" }, text);
  }

  // Which of its looks the grid of tokens has.
  buildLooks() {
    const group = `${this.changes.name}-look`;
    this.look = "entries";
    const choices = Object.entries(LOOKS).map(([look, words]) => {
      const input = make("input", { type: "radio", name: group, ...(look === this.look ? { checked: "" } : {}) });
      input.addEventListener("change", () => {
        this.look = look;
        this.draw();
      });
      return make("label", {}, input, ` ${words}`);
    });
    return make("div", { class: "tokens-heading tokens-looks", role: "radiogroup", "aria-label": "What is shown of the tokens" }, ...choices);
  }

  async load(value) {
    this.pause();
    this.newest = value;
    if (!value?.pictures) return this.fill(value, false);
    const [whole] = await Promise.all([Promise.all(value.pictures.map(decoded)), this.codebook.load(value.codebook)]);
    if (this.newest !== value) return;
    const numbers = (text) => text.split(" ").filter(Boolean).map(Number);
    this.tokens = value.tokens.map(numbers);
    this.rows = value.candidates.map((text) => text.split(";").map((place) => place.split(",").map(numbers)));
    this.swapped = null;
    const [{ naturalWidth: width, naturalHeight: height }] = whole;
    const places = (value.columns * value.columns * height) / width;
    Object.assign(this.canvas, { width, height });
    Object.assign(this.tokensCanvas, { width: value.columns * SQUARE, height: (places / value.columns) * SQUARE });
    Object.assign(this, { decodedPictures: whole, films: new Map(), columns: value.columns });
    this.shown(value, places);
  }

  open(i, index) {
    if (i !== this.picked) this.swapped = null;
    super.open(i, index);
  }

  // --- what is seen -------------------------------------------------------------------------

  draw() {
    this.drawPicture();
    this.drawTokens();
  }

  // The squares of the first tokens, of the picture they decode to.
  drawPicture() {
    const { canvas, columns, index } = this;
    const context = canvas.getContext("2d");
    const side = canvas.width / columns;
    const clear = () => context.clearRect(0, 0, canvas.width, canvas.height);
    const paint = (picture, ...part) => {
      clear();
      context.drawImage(picture, ...part, 0, 0, canvas.width, canvas.height);
      const [row, column] = [Math.floor(index / columns), index % columns];
      context.clearRect(column * side, row * side, canvas.width, side);
      context.clearRect(0, (row + 1) * side, canvas.width, canvas.height);
    };
    const whole = this.swapped?.picture ?? this.decodedPictures[this.picked];
    if (index === this.last || !this.value.films.length) return paint(whole, 0, 0, canvas.width, canvas.height);
    const frame = Math.floor(index / this.value.every) - 1;
    if (frame < 0) return clear();
    this.film().then((film) => {
      if (index === this.index) paint(film, (frame % FRAMES_ACROSS) * canvas.width, Math.floor(frame / FRAMES_ACROSS) * canvas.height, canvas.width, canvas.height);
    }, (error) => this.say(`No pictures of the way: ${error.message}`));
  }

  // Fetched once somebody goes through the picture.
  film() {
    const { picked, films } = this;
    if (!films.has(picked)) films.set(picked, decoded(this.value.films[picked]));
    return films.get(picked);
  }

  drawTokens() {
    const { tokensCanvas: canvas, columns } = this;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    this.tokensPaper.classList.toggle("raster-tinted", this.look !== "entries" && this.whole);
    Object.assign(context, { font: "17px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
    const text = getComputedStyle(canvas).color;
    const bits = this.bits[this.picked];
    this.tokens[this.picked].slice(0, this.index).forEach((kind, i) => {
      const [left, top] = [(i % columns) * SQUARE, Math.floor(i / columns) * SQUARE];
      if (this.look === "entries" || !bits) return this.codebook.paint(context, this.kindAt(i), left, top, SQUARE);
      if (this.look === "surprise") {
        context.fillStyle = `rgb(${tint().join(" ")} / ${Math.min(bits[i] / this.mostBits, 1)})`;
        return context.fillRect(left, top, SQUARE, SQUARE);
      }
      context.fillStyle = text;
      context.fillText(this.kindAt(i), left + SQUARE / 2, top + SQUARE / 2);
    });
  }

  // --- one token ----------------------------------------------------------------------------

  // The token that stands at the i-th place, put in by hand or drawn.
  kindAt(i) {
    return this.swapped?.[0] === i ? this.swapped[1] : this.tokens[this.picked][i];
  }

  about(i) {
    return super.about(i, `code ${this.tokens[this.picked][i]}`);
  }

  tell(i) {
    const none = i < 0;
    for (const node of [this.candidates.node, this.codebook.node]) node.hidden = none;
    this.swap.hidden = !this.swapped;
    if (!none) this.candidates.show(this.rows[this.picked]?.[i] ?? [], this.kindAt(i), { given: false, whole: this.whole });
  }

  // Puts another code in the chosen token's place, and leaves all others as they are.
  async put(kind) {
    const place = this.pinned >= 0 ? this.pinned : this.chosen;
    const own = this.tokens[this.picked];
    this.pause();
    if (kind === own[place]) return this.putBack();
    const swapped = Object.assign([place, kind], { of: this.picked });
    this.swapped = swapped;
    this.told.textContent = "";
    const row = own.map((code, i) => (i === place ? kind : code)).join(" ");
    const answer = await server.decode(row).catch((error) => ({ error: error.message }));
    if (this.swapped !== swapped) return;
    if (!answer || answer.error) return this.failed(answer?.error ?? "the server gave no answer");
    const before = await pixelsOf(this.value.pictures[this.picked]);
    const after = await pixelsOf(answer.picture);
    swapped.picture = await decoded(answer.picture);
    if (this.swapped !== swapped) return;
    const count = after.width * after.height;
    this.told.textContent = `Code ${kind} in place of ${own[place]}: ${this.changed(before, after)} of ${count.toLocaleString("en")} pixels changed.`;
    this.show(this.last);
  }

  changed(before, after) {
    let count = 0;
    for (let i = 0; i < after.pixels.length; i += 4) {
      const most = Math.max(...[0, 1, 2].map((k) => Math.abs(after.pixels[i + k] - before.pixels[i + k])));
      if (most >= NOTICED) count += 1;
    }
    return count.toLocaleString("en");
  }

  putBack() {
    this.swapped = null;
    this.show(this.index);
  }

  failed(message) {
    this.swapped = null;
    this.say(`Not put in: ${message}`);
    this.show(this.index);
  }

  frameMs() {
    return FRAME_MS;
  }
}

const view = new TokensView(element.querySelector(".picture-tokens"));
showValue(view);
