// Chooses what a person should look like (see live.js for the picture that follows). The value is
// text, "hat:cap;smile:0.8": attributes and values; what is left out stays open.

const TELL_MS = 250; // the page (link, code lines) hears of a slider once it rests this long
const ANY = "any";

const understood = (text) => Object.fromEntries(String(text ?? "").split(";").filter(Boolean).map((asked) => asked.split(":")));

// The picture comes from a program, no network has a part in it.
class LiveDrawing extends Live {
  tell(request, took, drawing) {
    super.tell(request, took, drawing);
    this.find("cost").textContent = `live · drawn by a program in ${drawing} ms, shown ${Math.round(took)} ms after the choice`;
  }
}

class WishesView {
  constructor(root) {
    this.root = root;
    this.find = (name) => root.querySelector(`.wishes-${name}`);
    this.prefix = `wishes-${Math.random().toString(36).slice(2)}`; // two choosers, two sets of radios
    this.wish = {};
    this.live = new LiveDrawing(root, this.find, (answer) => this.show(answer));
    // Nothing to press before the fields are there.
    this.actions = ["somebody", "unseen", "anybody"].map((name) => this.find(name));
    this.actions.forEach((button) => (button.disabled = true));
    for (const name of ["somebody", "unseen"]) this.find(name).addEventListener("click", () => this.pick(name));
    this.find("anybody").addEventListener("click", () => this.choose({}));
    this.begin();
  }

  async begin() {
    const about = await this.live.ask("describe", null);
    if (!about) return;
    this.numbers = about.numbers;
    const builders = { select: this.buildSelect, colour: this.buildColour, measure: this.buildMeasure };
    this.fields = [];
    const groups = about.groups.map(({ title, fields }) => {
      const built = fields.map((field) => builders[field.kind].call(this, field));
      this.fields.push(...built);
      const row = make("div", { class: "wishes-fields" }, ...built.map((field) => field.node));
      return make("fieldset", {}, make("legend", {}, title), row);
    });
    this.find("groups").replaceChildren(...groups);
    this.actions.forEach((button) => (button.disabled = false));
    this.choose(understood(props.value));
  }

  // --- from a choice to its picture -------------------------------------------------------------

  choose(wish, later = false) {
    this.wish = wish;
    this.fields.forEach((field) => {
      field.place(wish[field.name]);
      field.node.classList.toggle("wishes-told", field.name in wish);
    });
    this.text = Object.entries(wish).map(([name, value]) => `${name}:${value}`).join(";");
    this.live.want("draw", this.text);
    clearTimeout(this.teller);
    if (later) this.teller = setTimeout(() => this.tell(), TELL_MS);
    else this.tell();
  }

  // Only what was changed: a value that comes from a link is not told back.
  tell() {
    clearTimeout(this.teller);
    if (props.value === this.text) return;
    props.value = this.text;
    trigger("input");
  }

  set(name, value, later = false) {
    const { [name]: _, ...rest } = this.wish;
    this.choose(value === ANY ? rest : { ...this.wish, [name]: value }, later);
  }

  async pick(what) {
    const answer = await this.live.ask(what, Math.floor(Math.random() * this.numbers));
    if (answer) this.choose(understood(answer.wish));
  }

  async show({ picture, never, asked, all }) {
    const image = this.find("picture");
    image.src = picture;
    const words = Object.entries(this.wish).map(([name, value]) => `${name.replace("_", " ")}: ${value}`);
    image.alt = `The person asked for, drawn by a program: ${words.join(", ") || "anybody"}`;
    const warning = this.find("never");
    warning.hidden = !never.length;
    warning.replaceChildren(make("b", {}, "Never seen in training"), ` ${never.join("; ")}`);
    this.find("count").textContent = asked ? `${asked} of ${all} attributes chosen; the rest is left to chance` : "Nothing chosen: the model draws anybody";
    await image.decode();
  }

  // --- fields: {name, node, place(value or undefined)} ------------------------------------------

  buildSelect({ name, title, options }) {
    const select = make("select", { "aria-label": title }, ...[ANY, ...options].map((value) => make("option", { value }, value)));
    select.addEventListener("change", () => this.set(name, select.value));
    const node = make("label", { class: "wishes-field" }, make("span", { class: "wishes-name" }, title), select);
    return { name, node, place: (value = ANY) => (select.value = value) };
  }

  buildColour({ name, title, options, colours }) {
    const chosen = make("output", {}, ANY);
    const inputs = [ANY, ...options].map((value) => make("input", { type: "radio", name: `${this.prefix}-${name}`, value, "aria-label": value, title: value }));
    colours.forEach(([r, g, b], i) => inputs[i + 1].style.setProperty("--swatch", `rgb(${r} ${g} ${b})`));
    inputs.forEach((input) => input.addEventListener("change", () => this.set(name, input.value)));
    const head = make("span", { class: "wishes-name" }, title, " ", chosen);
    const swatches = make("div", { class: "wishes-swatches", role: "radiogroup", "aria-label": title }, ...inputs);
    const place = (value = ANY) => {
      inputs.forEach((input) => (input.checked = input.value === value));
      chosen.textContent = value;
    };
    return { name, node: make("div", { class: "wishes-field wishes-colour" }, head, swatches), place };
  }

  buildMeasure({ name, title, low, high, step, start, ends }) {
    const slider = make("input", { type: "range", min: low, max: high, step, "aria-label": `${title}, ${ends}` });
    const chosen = make("output", {}, ANY);
    const open = make("button", { type: "button", class: "wishes-open", "aria-label": `${title}: leave it open`, title: "Leave it open" }, "×");
    slider.addEventListener("input", () => this.set(name, slider.value, true));
    slider.addEventListener("blur", () => this.tell()); // whoever leaves it for the button asks for this
    open.addEventListener("click", () => {
      slider.focus(); // before the button is gone
      this.set(name, ANY);
    });
    const head = make("span", { class: "wishes-name" }, title, " ", chosen, open);
    const node = make("div", { class: "wishes-field wishes-measure", title: ends }, head, slider);
    const place = (value) => {
      const shown = value ?? start;
      if (slider.valueAsNumber !== Number(shown)) slider.value = shown;
      slider.setAttribute("aria-valuetext", value ?? ANY);
      chosen.textContent = value ?? ANY;
      open.hidden = value === undefined;
    };
    return { name, node, place };
  }
}

const view = new WishesView(element.querySelector(".wishes"));
watch("value", () => {
  if (view.fields && props.value !== view.text) view.choose(understood(props.value));
});
