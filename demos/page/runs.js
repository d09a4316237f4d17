const SHORT_SECONDS = 5; // a run that a link starts by itself takes at most so long

// What a panel says of its run: that one waits, where it is, that it is done, and whether the result
// still belongs to the controls. Python calls these by the id of the panel's state line (runs.py).
window.noiseToDataRuns = {
  known: new Map(),

  // A run's record: `shown` are the values of the controls that the result on the screen belongs
  // to, the example's at first.
  of(id) {
    if (!this.known.has(id)) this.known.set(id, { example: true, shown: null, running: false });
    const run = this.known.get(id);
    run.about ??= this.told(id);
    return run;
  },

  // What the line was told of the panel's controls: their `names` in links, the `first` values, which
  // of them `counts` for the result, the `seconds` of a run with the first ones, those it is in proportion to (`work`),
  // the choices of a picture of one's `own`, and the seed that may be a `fresh` one.
  told(id) {
    const about = JSON.parse(this.line(id)?.dataset.about ?? "{}");
    return about.first ? about : null;
  },

  line: (id) => document.querySelector(`#${id} .run-said`),
  button: (id, name) => document.getElementById(`${id}-${name}`),

  say(id, text, spoken = false) {
    const line = this.line(id);
    if (!line || line.textContent === text) return;
    line.setAttribute("aria-live", spoken ? "polite" : "off"); // nobody wants each step read aloud
    line.textContent = text;
  },

  // Before a run's values go to the server, which get them from here. button: the id of the one that
  // starts the same run.
  pressed(id, button, values) {
    const run = this.of(id);
    values = this.refreshed(run, values);
    if (!run.linked) noiseToDataAddress.forgetMoment();
    run.linked = false;
    run.before = { example: run.example, shown: run.shown };
    Object.assign(run, { button, example: false, shown: values, began: performance.now(), running: true });
    noiseToDataRejoin.began(id, button, run.about, values);
    this.watch(id, run);
    this.say(id, "Starting", true);
    this.mark(id, run);
    this.compare(id, values);
    return values;
  },

  // The values with a new seed, where the same ones would only show the same again.
  refreshed(run, values) {
    const fresh = run.about?.fresh;
    if (!fresh || run.linked || this.differ(run, values) || noiseToDataSeeds.pinned(fresh.field)) return values;
    return values.with(fresh.place, noiseToDataSeeds.draw(fresh.field));
  },

  // Gradio shows the status of a run in an element of its own, which the style sheet hides: its text
  // while it goes on, "error", and at the end nothing.
  watch(id, run) {
    run.observer?.disconnect();
    const status = document.querySelector(`#${id} [data-testid=status-tracker]`);
    if (!status) return;
    run.observer = new MutationObserver((changes) => {
      const text = status.querySelector(".progress-level-inner")?.textContent;
      if (text) this.say(id, text.replace(/ - [\d.]+%\s*$/, "").trim());
      const hidden = changes.some((change) => change.attributeName) && status.classList.contains("hide");
      if (status.querySelector(".error")) this.over(id, run, "failed");
      else if (hidden) this.over(id, run, "done");
    });
    run.observer.observe(status, { childList: true, characterData: true, subtree: true, attributeFilter: ["class"] });
  },

  // Gradio shows the end of a run also where it has only lost the connection: then the run is asked
  // for again once the server answers, unless Gradio has loaded the page again before.
  async over(id, run, how) {
    run.observer?.disconnect();
    const { began } = run;
    const another = () => !run.running || run.began !== began; // it was stopped, or begun anew
    const answers = await noiseToDataRejoin.reachable();
    if (another()) return;
    if (answers || !document.getElementById(run.button)) return this.ended(id, how);
    this.say(id, "No connection. The run goes on and is shown here as soon as it is back", true);
    await noiseToDataRejoin.back(another);
    if (another()) return;
    this.end(id, run);
    this.again(run, run.button);
  },

  // Presses the button for the same run, not for one with a new seed.
  again(run, button) {
    run.linked = true;
    document.getElementById(button).click();
  },

  ended(id, how) {
    const run = this.of(id);
    if (!run.running) return;
    noiseToDataRejoin.ended(id);
    const step = /^Step \d+/.exec(this.line(id)?.textContent ?? "");
    this.end(id, run);
    if (how === "failed") Object.assign(run, run.before);
    const said = {
      done: `Done in ${this.seconds(performance.now() - run.began)}`,
      stopped: step ? `Stopped at ${step[0].toLowerCase()}` : "Stopped",
      failed: "",
    };
    this.say(id, said[how], true);
    if (run.values) this.compare(id, run.values);
  },

  end(id, run) {
    run.running = false;
    run.observer?.disconnect();
    this.mark(id, run);
  },

  mark(id, run) {
    const [go, stop] = ["go", "stop"].map((name) => this.button(id, name));
    if (stop) stop.disabled = !run.running;
    go?.classList.toggle("runs", run.running);
    go?.setAttribute("aria-busy", run.running);
  },

  // Another value of the control at `place` has brought an example of its own, in place of what was
  // shown, and of a run.
  exampleOf(id, place, value) {
    const run = this.of(id);
    if (run.running) {
      noiseToDataRejoin.ended(id);
      this.end(id, run);
    }
    Object.assign(run, { example: true, shown: null, instead: [place, value] });
    this.say(id, "");
    if (run.values) this.compare(id, run.values.with(place, value));
    return value;
  },

  // The controls have these values now: dims a result that others made, and says how to get one for
  // these.
  compare(id, values) {
    const run = this.of(id);
    run.values = values;
    const press = this.button(id, "go")?.textContent.trim();
    if (!press || !run.about) return;
    run.shown ??= run.instead ? run.about.first.with(...run.instead) : run.about.first;
    run.stale = this.differ(run, values) && !run.running;
    document.getElementById(id)?.closest(".column").classList.toggle("stale", run.stale);
    if (run.running) return;
    if (run.stale) this.say(id, `${run.example ? "Example. " : ""}Press ${press} to apply your settings`, true);
    else if (this.line(id)?.textContent.endsWith("your settings")) this.say(id, "");
  },

  // Whether the result on the screen belongs to other values.
  differ({ about, shown }, values) {
    const plain = (value) => JSON.stringify(value ?? "");
    return values.some((value, i) => about.counts[i] && plain(value) !== plain((shown ?? about.first)[i]));
  },

  // Whether a panel is the one in sight, and the address sets a knob of it.
  linked(id) {
    const { panel } = noiseToDataAddress.asked();
    return noiseToDataAddress.settings().length > 0 && this.button(id, "go")?.offsetParent && (!panel || id.endsWith(`-${panel}-run`));
  },

  // Whether a picture is to be uploaded or drawn first: no link brings one.
  asksForOwn: ({ values, about }) => about.own.some(([place, choices]) => choices.includes(values[place])),

  // The controls are as the link says: a short run begins by itself, for a longer one the line asks,
  // and also where somebody was quick and has moved a control already. A run that this tab began
  // before it was loaded again goes on.
  restored() {
    setTimeout(() => {
      const { touched } = this; // before a pin is
      if (!noiseToDataRejoin.ownAddress()) noiseToDataSeeds.pinLinked();
      const left = noiseToDataRejoin.open();
      const run = left && this.of(left.id);
      if (run && !run.running && document.getElementById(left.button)?.offsetParent) return this.again(run, left.button);
      if (touched) return;
      for (const [id, run] of this.known) {
        if (!run.stale || !run.example || document.hidden || !this.linked(id) || this.asksForOwn(run)) continue;
        if (this.needed(run) <= SHORT_SECONDS) this.again(run, `${id}-go`);
      }
    }, 200); // the values arrive one after the other
  },

  needed({ values, about: { first, seconds, work } }) {
    return work.reduce((took, i) => (took * values[i]) / first[i], seconds ?? Infinity);
  },

  seconds: (ms) => (ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`),
};
document.addEventListener("input", () => (noiseToDataRuns.touched = true), { capture: true, once: true });
