const SEEDS = 10_000; // new ones are below: short enough to be read aloud, and to stand under a small picture

// Seeds that the browser draws: for the button "New seed", and for a press that would only show the
// same pictures again.
window.noiseToDataSeeds = {
  row: (field) => document.getElementById(field)?.closest(".seed-row"),

  pinned(field) {
    return this.row(field)?.querySelector(".pin-seed input")?.checked;
  },

  // Seeds that the address names stay.
  pinLinked() {
    const named = noiseToDataAddress.settings().map((name) => `-${name.replace(".", "-")}`);
    for (const pin of document.querySelectorAll(".pin-seed input:not(:checked)")) {
      const field = pin.closest(".seed-row").querySelector(".block[id]").id;
      if (named.some((name) => field.endsWith(name))) pin.click();
    }
  },

  // Writes a new seed into Gradio's field, as a hand would, and returns it.
  draw(field) {
    const seed = Math.floor(Math.random() * SEEDS);
    const input = this.row(field)?.querySelector("input[type=number]");
    if (!input) return seed;
    input.value = seed;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    return seed;
  },
};
document.addEventListener("click", ({ target }) => {
  const row = target.closest?.(".new-seed")?.closest(".seed-row");
  if (row) noiseToDataSeeds.draw(row.querySelector(".block[id]").id);
});
