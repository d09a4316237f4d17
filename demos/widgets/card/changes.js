// What a visitor took in place of what was drawn: the text of the panel's knob "changes", with which
// the same button draws again.

class Changes {
  // view: the card, a Player; asked: the knobs of another sample, by name.
  constructor(view, asked) {
    Object.assign(this, { view, asked });
    this.forgetWithOthers();
  }

  // Of the panel, to which knobs and button belong.
  get name() {
    return this.view.root.closest(".block").id;
  }

  get box() {
    return document.querySelector(`#${this.name}-changes textarea`);
  }

  get all() {
    return this.box.value.split(/\s+/).filter(Boolean);
  }

  // Draws again with these.
  async take(changes) {
    const text = changes.join(" ");
    this.write(text);
    const run = noiseToDataRuns.of(`${this.name}-run`);
    for (let tries = 100; tries > 0 && !run.values?.includes(text); tries--) {
      await new Promise((done) => setTimeout(done, 20)); // until Gradio has it
    }
    noiseToDataRuns.again(run, `${this.name}-run-go`);
  }

  // Gradio's text box listens to input events, as for somebody who types.
  write(text) {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(this.box, text);
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // They belong to one sample: whoever asks for another one takes them back.
  forgetWithOthers() {
    const heard = (event) => {
      const { root } = this.view;
      if (this.view.gone() || !event.isTrusted || !root.offsetParent || !this.box?.value) return;
      const knobs = this.asked.map((knob) => `#${this.name}-${knob}`);
      const within = (what) => knobs.map((knob) => `${knob} ${what}`);
      const asked = {
        input: knobs,
        pointerdown: within('[role="option"]'), // which is gone before the click
        keydown: event.key === "Enter" ? within("input[role]") : ["never"], // a class, by keyboard
        click: [".new-seed", ".prompt-examples button", ...within("button")],
      };
      if (event.target.closest?.(asked[event.type].join())) this.write("");
    };
    const { signal } = this.view.listeners;
    for (const kind of ["input", "pointerdown", "keydown", "click"]) document.addEventListener(kind, heard, { signal });
  }
}
