const FRAME_MS = 800;

// The film of the Overview's example: its pictures as they came out of noise, once. Joined with
// overview.js.
window.noiseToDataFilm = {
  // The example plays as soon as it is in sight.
  begin() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.watch = new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting) return;
      this.watch.disconnect();
      document.querySelectorAll(".ov-row[data-film]").forEach((row) => this.play(row));
    });
    this.watch.observe(document.querySelector(".ov-rows"));
  },

  // Earlier moments of a drawing, from noise on, over the pictures at its end. A run that begins
  // meanwhile replaces the row, and the film with it.
  async play(row) {
    const { film, moments, total } = row.dataset;
    const steps = moments.split(" ");
    const sprite = new Image();
    sprite.src = film;
    await sprite.decode();
    const tiles = [...row.querySelectorAll("img")];
    const cover = document.createElement("div");
    cover.className = "ov-film";
    cover.style.setProperty("--size", `${tiles.length * 100}% ${steps.length * 100}%`);
    cover.replaceChildren(...tiles.map(() => document.createElement("span")));
    cover.childNodes.forEach((tile) => (tile.style.backgroundImage = `url("${sprite.src}")`));
    const note = row.querySelector(".ov-note"), ended = note.textContent;
    row.querySelector(".ov-tiles").append(cover);
    const share = (i, n) => (n > 1 ? `${(100 * i) / (n - 1)}%` : "0");
    for (const [moment, step] of steps.entries()) {
      if (!row.isConnected) return;
      cover.childNodes.forEach((tile, i) => {
        tile.style.backgroundPosition = `${share(i, tiles.length)} ${share(moment, steps.length)}`;
      });
      note.textContent = `${ended}, step ${step} of ${total}`;
      row.querySelector(".ov-progress").style.setProperty("--done", step / total);
      await new Promise((next) => setTimeout(next, FRAME_MS));
    }
    cover.remove();
    note.textContent = ended;
    row.querySelector(".ov-progress").style.setProperty("--done", 0);
  },
};
window.noiseToDataFilm.begin();
