// Trainings as films that grow while they are watched: records decoded from texts, and a player that
// follows a run.

const KINDS = { f4: Float32Array, u2: Uint16Array, u1: Uint8Array, i1: Int8Array };
const FILM_MS = 50; // of a frame
const HURRIED_MS = 20; // the same where the run is far ahead
const FAR_AHEAD = 30; // frames

class Film {
  constructor() {
    this.frames = [];
    this.texts = [];
  }

  // Reads what is new of a value; true where it is of another run.
  take({ chunks, layout }) {
    const texts = [...chunks];
    const anew = !this.texts.length || this.texts.some((text, i) => texts[i] !== text);
    if (anew) [this.frames, this.texts] = [[], []];
    const fields = [...layout].map((field) => [...field]);
    for (const text of texts.slice(this.texts.length)) this.frames.push(...Film.read(text, fields));
    this.texts = texts;
    return anew;
  }

  static read(text, fields) {
    const bytes = numbersOf(text);
    const size = fields.at(-1)[2];
    return Array.from({ length: bytes.length / size }, (_, k) => {
      const frame = {};
      for (const [name, kind, offset, count] of fields.slice(0, -1)) {
        const from = k * size + offset; // copied: a Float32Array begins at a multiple of four
        frame[name] = new KINDS[kind](bytes.buffer.slice(from, from + count * KINDS[kind].BYTES_PER_ELEMENT));
      }
      return frame;
    });
  }
}

// A subclass shows `value` (`take`, before any frame of it) and a frame (`show`).
class FilmPlayer extends Player {
  constructor(root) {
    super(root);
    this.film = new Film();
  }

  load(value) {
    if (!value?.chunks?.length) {
      this.pause();
      this.fill(value, false);
      this.root.removeAttribute("data-filled");
      return;
    }
    const atEnd = this.film.frames.length > 0 && this.index === this.last && !this.timer;
    const anew = this.film.take(value);
    this.fill(value, true);
    this.root.setAttribute("data-filled", "");
    this.take(value, anew);
    this.index = Math.min(this.index, this.last);
    this.layout();
    if (!anew) return this.show(atEnd ? this.last : this.index);
    this.pause();
    const moment = window.noiseToDataAddress?.moment(this.root) ?? null;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (this.grows && !still) this.play(0);
    else this.show(moment ?? this.last);
  }

  get frames() {
    return this.film.frames;
  }

  get last() {
    return this.frames.length - 1;
  }

  // Whether more frames will come.
  get grows() {
    return this.value.live && !this.value.verdict && noiseToDataRuns.of(`${this.root.closest(".block").id}-run`).running;
  }

  // Stands in a copied link, but for the end, which every run has.
  tellMoment() {
    if (this.index === this.last) delete this.root.dataset.at;
    else this.root.dataset.at = this.index;
  }

  frameMs() {
    return this.grows && this.last - this.index > FAR_AHEAD ? HURRIED_MS : FILM_MS;
  }

  // Keeps the time also where a browser is slow, and leaves out frames for that. At the end of a run
  // that goes on it waits for more.
  later(since = performance.now()) {
    this.timer = setTimeout(() => {
      if (this.gone() || !this.root.offsetParent) return this.pause();
      const now = performance.now();
      const frames = Math.max(1, Math.floor((now - since) / this.frameMs()));
      if (this.index < this.last) this.show(this.index + frames);
      if (this.index === this.last && !this.grows) return this.pause();
      this.later(now);
    }, this.frameMs());
  }
}
