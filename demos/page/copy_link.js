const SEED = /(^|[._])seed$/;

// The link to what is in sight, copied at once, on a card that makes it one for a class: without
// controls, with the seed in it.
window.noiseToDataLink = {
  // Called by a tab's button: `names` of its knobs as they stand in links, their `defaults`, and the
  // `values` they have now.
  async copy(tab, names, defaults, values) {
    const knobs = names.map((name, i) => ({ name, value: values[i], moved: values[i] !== defaults[i] }));
    const { view } = noiseToDataAddress.asked();
    history.replaceState(null, "", noiseToDataAddress.kept(this.query(tab, knobs, { view })));
    const card = this.card();
    const told = () => {
      const { pinned, lesson } = Object.fromEntries([...card.querySelectorAll("[name]")].map((box) => [box.name, box.checked]));
      const base = noiseToDataViews.base() ?? `${location.origin}${location.pathname}`;
      return this.tell(card, `${base}?${this.query(tab, knobs, { pinned, view: lesson ? "lesson" : null })}`);
    };
    card.addEventListener("change", told);
    await told();
  },

  // Only knobs that were moved stand in the link: it stays short, and defaults may improve later.
  query(tab, knobs, { pinned, view }) {
    const panel = noiseToDataAddress.inSight().panel?.dataset.tabId;
    const own = ({ name }) => SEED.test(name) && (!panel || name.startsWith(`${panel}.`));
    const named = knobs.filter((knob) => knob.moved || (pinned && own(knob))).map(({ name, value }) => [name, value]);
    const timelines = [...document.querySelectorAll(`#tab-${tab} .card[data-at]`)];
    const at = timelines.find((node) => node.offsetParent)?.dataset.at;
    return noiseToDataAddress.query({ ...Object.fromEntries(named), at, view });
  },

  async tell(card, link) {
    const field = card.querySelector("input[type=text]");
    const status = card.querySelector("[role=status]");
    field.value = link;
    field.select(); // to be copied by hand; a browser that asks its user first answers late
    status.textContent = "Copy this link";
    if (await this.copied(link, field)) status.textContent = "Link copied";
    else field.select();
  },

  // Without https, and in a frame, a browser may have no clipboard, or refuse it.
  async copied(text, field) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      field.select();
      return Boolean(document.execCommand?.("copy"));
    }
  },

  card() {
    document.querySelector(".link-card")?.remove();
    const card = document.createElement("section");
    card.className = "link-card";
    card.setAttribute("aria-label", "Link");
    card.innerHTML = `
      <p><span role="status"></span><button type="button" aria-label="Close">✕</button></p>
      <input type="text" readonly aria-label="The link">
      <label><input type="checkbox" name="pinned">Everybody gets the same pictures (pin the seed)</label>
      <label><input type="checkbox" name="lesson">Hide the controls, for a class</label>`;
    document.body.append(card);
    const elsewhere = ({ target }) => !card.contains(target) && close();
    const close = () => {
      card.remove();
      document.removeEventListener("pointerdown", elsewhere);
    };
    const back = () => {
      close();
      [...document.querySelectorAll(".copy-link")].find((button) => button.offsetParent)?.focus();
    };
    document.addEventListener("pointerdown", elsewhere);
    card.querySelector("button").addEventListener("click", back);
    card.addEventListener("keydown", (event) => event.key === "Escape" && back());
    card.querySelector("input[type=text]").focus();
    return card;
  },
};
