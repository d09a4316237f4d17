const RUN = "noise-to-data-run", ADDRESS = "noise-to-data-address"; // in sessionStorage: of this tab
const GONE_MS = 600_000; // so long the server keeps a result (KEPT_SECONDS of the engine)
const RETRY_MS = 2_000;

// Stands in the page's head, to hear of the end of a page before Gradio does.
//
// A run outlives a reload and a network that fails for a while: the server goes on with it, and the
// page asks for the same again. So a run's settings stand in the address, as in a link.
window.noiseToDataRejoin = {
  keep(key, value) {
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify(value));
    } catch {
      // a window that keeps nothing: a reload begins from the start
    }
  },

  kept(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return null;
    }
  },

  // A run has begun. button: the id of the one that starts it; about: what its line was told of the
  // controls, see runs.js.
  began(id, button, about, values) {
    const whole = values.length === about?.names.length; // no drawing, no upload, which nobody keeps
    this.keep(RUN, whole ? { id, button, at: Date.now() } : null);
    if (!about || !document.getElementById(id)?.offsetParent) return;
    const { at, view } = noiseToDataAddress.asked();
    const moved = about.names.map((name, i) => [name, values[i]]).filter(([, value], i) => value !== about.first[i]);
    history.replaceState(null, "", noiseToDataAddress.kept(noiseToDataAddress.query({ ...Object.fromEntries(moved), at, view })));
    this.keep(ADDRESS, location.search);
  },

  // A page that is being left sees no end: its connection breaks off.
  leaving: false,

  ended(id) {
    if (!this.leaving && this.kept(RUN)?.id === id) this.keep(RUN, null);
  },

  // The run, by its id and its button's, that this tab began before the page was loaded again, and
  // of which it has not seen the end.
  open() {
    return this.left && Date.now() - this.left.at < GONE_MS ? this.left : null;
  },

  // Whether this page wrote its address by itself, and nobody made it a link.
  ownAddress() {
    return this.kept(ADDRESS) === location.search;
  },

  async reachable() {
    try {
      return (await fetch("here", { cache: "no-store" })).ok;
    } catch {
      return false;
    }
  },

  // Waits until the server answers again, or `over` says that nobody cares.
  async back(over) {
    while (!over() && !(await this.reachable())) await new Promise((next) => setTimeout(next, RETRY_MS));
  },
};
window.noiseToDataRejoin.left = window.noiseToDataRejoin.kept(RUN);
window.addEventListener("beforeunload", () => (noiseToDataRejoin.leaving = true)); // before Gradio's
window.addEventListener("pageshow", () => (noiseToDataRejoin.leaving = false));
