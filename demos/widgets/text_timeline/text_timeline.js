// Texts side by side that are written as one moves along the track, in a card.
// All of it is here already; scrubbing and playing ask nothing of the server.

const PLAY_MS = 6000; // a whole run, within the limits of one moment below
const MOMENT_MS = [20, 300];
const [FIRST, LAST] = ["#1d4ed8", "#b45309"]; // the colours of what appeared first and last, in a PNG
const PAPER = { width: 470, gap: 36, margin: 28, head: 64, foot: 36, line: 26, font: "16px system-ui, sans-serif" }; // PNG, pixels

class TextTimelineView extends Player {
  constructor(root) {
    super(root);
    this.value = null; // what is on screen
    this.row = make("div", { class: "text-lanes" });
    this.told = make("p", { class: "text-told", role: "status" });
    const foot = this.foot("Download these texts as PNG", () => this.drawn());
    const strip = make("div", { class: "text-strip", "aria-hidden": "true" });
    this.full.append(this.transport("moment", "Position in time", strip), this.legend(), this.row, this.told, foot);
    this.listen();
  }

  legend() {
    const key = (kind, text) => make("span", {}, make("i", { class: kind }), ` ${text}`);
    const ramp = make("span", {}, "appeared first ", make("i", { class: "text-ramp" }), " appeared last");
    return make("p", { class: "text-legend" }, ramp, key("text-new", "new at this moment"), key("text-mask", "masked"));
  }

  load(value) {
    this.pause();
    this.fill(value, Boolean(value?.lanes));
    this.root.toggleAttribute("data-filled", !this.full.hidden);
    if (this.full.hidden) return;
    this.lanes = value.lanes.map((lane) => this.buildLane(lane));
    this.row.replaceChildren(...this.lanes.map((lane) => lane.node));
    this.tell(this.lanes[0], -1);
    this.show(this.last);
  }

  buildLane(lane) {
    const text = new PointedText(`${lane.title}; arrow keys go from token to token`, (place) => this.tell(lane, place));
    text.fill({ tokens: lane.tokens, begun: lane.appeared.filter((step) => !step).length, bits: lane.appeared.map(() => 0) });
    const usual = lane.tokens.reduce((sum, token) => sum + token.length, 0) / lane.tokens.length;
    text.node.style.setProperty("--mask", `${usual.toFixed(2)}ch`);
    text.spans.forEach((span, i) => span.style.setProperty("--when", (lane.appeared[i] / lane.total).toFixed(3)));
    const step = make("span", { class: "text-step" });
    const head = make("figcaption", {}, make("strong", {}, lane.title), step);
    const cost = make("p", { class: "text-cost" }, lane.cost);
    return { ...lane, text, step, node: make("figure", {}, head, text.node, cost) };
  }

  get last() {
    return Math.max(1, ...this.value.lanes.map((lane) => lane.total));
  }

  // The steps that a lane has done by now: all end together.
  done(lane) {
    return Math.round((this.index / this.last) * lane.total);
  }

  show(index) {
    this.index = Math.min(this.last, Math.max(0, index));
    const said = this.lanes.map((lane) => {
      this.write(lane, this.done(lane));
      lane.step.textContent = `${lane.step_word} ${this.done(lane)} of ${lane.total}`;
      return `${lane.title}: ${lane.step.textContent}`;
    });
    this.moveHead(said.join(", "));
  }

  write(lane, done) {
    const ended = done === lane.total;
    lane.text.spans.forEach((span, i) => {
      const missing = lane.appeared[i] > done;
      span.classList.toggle("text-new", lane.appeared[i] === done && done > 0 && !ended);
      if (missing === span.missing) return;
      span.missing = missing;
      span.classList.toggle(lane.masks ? "text-mask" : "text-later", missing);
      if (lane.masks) span.textContent = missing ? "" : lane.tokens[i];
    });
  }

  tell(lane, place) {
    if (place < 0) return this.told.replaceChildren("Point at a token to see when it appeared.");
    const { tokens, appeared, step_word, total, title } = lane;
    const hidden = appeared[place] > this.done(lane);
    const when = appeared[place] ? `${step_word} ${appeared[place]} of ${total}` : "given";
    const what = hidden ? "not there yet" : make("b", { class: "token-chip" }, inSight(tokens[place]));
    this.told.replaceChildren(`${title}, place ${place + 1}: `, what, ` ${when}`);
  }

  frameMs() {
    const [least, most] = MOMENT_MS;
    return Math.min(most, Math.max(least, PLAY_MS / (this.last + 1)));
  }

  layout() {}

  // The whole texts, side by side.
  drawn() {
    const { margin, head, width, gap, foot } = PAPER;
    const texts = this.lanes.map(({ tokens, appeared, total }) =>
      tokens.map((text, i) => ({ text, colour: "#1f2937", shade: ink(appeared[i], total) })),
    );
    const place = (k) => ({ ...PAPER, left: margin + k * (width + gap), top: margin + head });
    const measured = whitePaper(1, 1).context;
    const height = Math.max(...texts.map((spans, k) => writeTokens(measured, spans, place(k)))) + foot;
    const across = this.lanes.length * (width + gap) - gap;
    const { canvas, context, write } = whitePaper(2 * margin + across, height);
    this.lanes.forEach(({ title, cost }, k) => {
      const { left } = place(k);
      write(title, left, margin + 12, { colour: "#1f2937", font: "600 17px", width });
      write(cost, left, margin + 34, { width });
      writeTokens(context, texts[k], place(k));
    });
    write(this.value.provenance, margin, height - 20, { width: across });
    return canvas;
  }
}

function ink(step, total) {
  if (!step) return "transparent";
  const mixed = `color-mix(in oklch, ${LAST} ${(100 * step) / total}%, ${FIRST})`;
  return `color-mix(in srgb, ${mixed} 26%, transparent)`;
}

const view = new TextTimelineView(element.querySelector(".text-timeline"));
showValue(view);
