// A card that is gone through in time: play, pause, one step, drag, and the arrow keys. A subclass says
// where the `last` moment is, shows one by its index (`show`, which calls `moveHead`), how long each
// stays (`frameMs`), and what it lays out anew when the page's width changes (`layout`).

class Player extends Card {
  constructor(root) {
    super(root);
    this.index = 0;
    this.timer = null;
    this.looping = false;
    this.listeners = new AbortController();
    this.resized = new ResizeObserver(() => this.layout());
  }

  // The line of buttons, and the track, with `strip` on it; word: what one step is.
  transport(word, label, strip) {
    this.ahead = make("div", { class: "timeline-ahead" });
    this.head = make("div", { class: "timeline-head" });
    const role = { class: "timeline-track", role: "slider", tabindex: 0, "aria-label": label };
    this.track = make("div", role, strip, this.ahead, this.head);
    this.back = iconButton("back", `One ${word} back`);
    this.playButton = iconButton("play", "Play", "timeline-play");
    this.forward = iconButton("forward", `One ${word} forward`);
    const buttons = make("div", { class: "timeline-steps" }, this.back, this.playButton, this.forward);
    return make("div", { class: "timeline-transport" }, buttons, this.track);
  }

  listen() {
    const options = { signal: this.listeners.signal };
    this.back.addEventListener("click", () => this.scrub(this.index - 1));
    this.forward.addEventListener("click", () => this.scrub(this.index + 1));
    this.playButton.addEventListener("click", () => this.toggle());
    this.track.addEventListener("pointerdown", (event) => {
      this.track.setPointerCapture(event.pointerId);
      this.track.focus({ preventScroll: true });
      this.scrubTo(event.clientX);
      event.preventDefault();
    });
    this.track.addEventListener("pointermove", (event) => {
      if (this.track.hasPointerCapture(event.pointerId)) this.scrubTo(event.clientX);
    });
    for (const kind of ["pointerdown", "focusin"]) {
      this.root.addEventListener(kind, () => this.becomeCurrent());
    }
    document.addEventListener("keydown", (event) => this.key(event), options);
    this.resized.observe(this.root);
  }

  // The head stands at the index; said: what is there, for screen readers.
  moveHead(said) {
    const { index, last } = this;
    this.head.style.left = this.ahead.style.left = `${last ? (100 * index) / last : 100}%`;
    const values = { valuemin: 0, valuemax: last, valuenow: index, valuetext: said };
    for (const [name, value] of Object.entries(values)) this.track.setAttribute(`aria-${name}`, value);
    this.back.disabled = index === 0;
    this.forward.disabled = index === last;
  }

  // --- time ---------------------------------------------------------------------------------

  scrub(index) {
    this.pause();
    this.show(index);
  }

  scrubTo(x) {
    const box = this.track.getBoundingClientRect();
    this.scrub(Math.round(((x - box.left) / box.width) * this.last));
  }

  toggle() {
    if (this.timer) this.pause();
    else this.play(this.index === this.last ? 0 : this.index);
  }

  play(from) {
    this.pause();
    this.show(from);
    this.setPlaying(true);
    this.later();
  }

  later() {
    this.timer = setTimeout(() => {
      const ended = this.index === this.last;
      if (this.gone() || !this.root.offsetParent || (ended && !this.looping)) return this.pause();
      this.show(ended ? 0 : this.index + 1);
      if (this.index === this.last && !this.looping) return this.pause();
      this.later();
    }, this.frameMs());
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.setPlaying(false);
  }

  setPlaying(playing) {
    const label = playing ? "Pause" : "Play";
    if (this.playButton.title === label) return;
    this.playButton.title = label;
    this.playButton.setAttribute("aria-label", label);
    setIcon(this.playButton, playing ? "pause" : "play");
  }

  // --- keyboard -----------------------------------------------------------------------------

  key(event) {
    if (this.gone() || !this.value || !this.listensTo(event)) return;
    const jumps = { ArrowLeft: this.index - 1, ArrowRight: this.index + 1, Home: 0, End: this.last };
    if (event.key in jumps) this.scrub(jumps[event.key]);
    else if (event.key === " ") this.toggle();
    else return;
    event.preventDefault();
  }

  // Keys count when the focus is in here, or nowhere that needs them and this one was used last.
  listensTo(event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return false;
    const typing = "input, textarea, select, [contenteditable='true'], [role='tab'], [role='listbox'], [role='slider']";
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === " " && target.closest("button, a, summary, label")) return false;
    if (this.root.contains(target)) return true;
    return !target.closest(typing) && this.onScreen() && this.isCurrent();
  }

  onScreen() {
    const box = this.root.getBoundingClientRect();
    return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  }

  isCurrent() {
    const shown = [...document.querySelectorAll(".card[data-filled]")].filter((node) => node.offsetParent);
    return this.root === (shown.find((node) => node.dataset.current) ?? shown[0]);
  }

  becomeCurrent() {
    document.querySelectorAll(".card[data-current]").forEach((node) => delete node.dataset.current);
    this.root.dataset.current = "yes";
  }

  // --- the end ------------------------------------------------------------------------------

  // True once Gradio has taken the widget off the page; then nothing stays behind.
  gone() {
    if (this.root.isConnected) return false;
    this.pause();
    this.listeners.abort();
    this.resized.disconnect();
    return true;
  }
}
