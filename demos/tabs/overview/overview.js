// What the Overview does without the server: mark rows as stopped, save the page's pictures.
window.noiseToDataOverview = {
  // The server falls silent once a run is cancelled: the row says so itself. One last picture may
  // still be on its way, hence the watch, which ends with the next run.
  stopped() {
    const mark = () => {
      for (const row of document.querySelectorAll(".ov-row.ov-drawing")) {
        row.classList.replace("ov-drawing", "ov-before");
        const note = row.querySelector(".ov-note");
        note.textContent = note.textContent.replace("drawing,", "stopped at");
      }
    };
    this.started();
    this.watch = new MutationObserver(mark);
    const options = { subtree: true, childList: true, attributeFilter: ["class"] };
    this.watch.observe(document.querySelector(".ov-rows"), options);
    mark();
  },

  started() {
    this.watch?.disconnect();
    noiseToDataFilm.watch?.disconnect();
  },

  // All rows with their names, notes and figures on one canvas, as a PNG file.
  async save() {
    const rows = [...document.querySelectorAll(".ov-row")].filter((row) => row.querySelector("img"));
    if (!rows.length) return;
    const side = 84, gap = 4, left = 24, top = 66;
    const columns = Math.min(10, rows[0].querySelectorAll("img").length);
    const deep = Math.max(...rows.map((row) => Math.ceil(row.querySelectorAll("img").length / columns)));
    const height = top + deep * (side + gap) + 22;
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(760, left * 2 + columns * (side + gap));
    canvas.height = rows.length * height;
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    rows.forEach((row, index) => this.paint(pen, row, { side, gap, left, columns, y: index * height }));
    const drawn = rows.filter((row) => row.dataset.model);
    const { seed, count } = drawn[0]?.dataset ?? {};
    const model = drawn.map((row) => row.dataset.model).join(", ");
    const made = drawn.length ? { model, seed: Number(seed), count: Number(count) } : {};
    // The server makes the file, and writes into it what made the pictures.
    const answer = await server.export_file({ png: canvas.toDataURL("image/png"), made });
    if (!answer?.file) throw new Error(answer?.error ?? "the server gave no answer");
    const link = document.createElement("a");
    link.download = "noise-to-data-overview.png";
    link.href = answer.file;
    link.click();
  },

  paint(pen, row, { side, gap, left, columns, y }) {
    const figures = [...row.querySelectorAll(".ov-figures div")].map((figure) => {
      const [value, name, note] = ["dd", "dt", ".ov-aside"].map((part) => figure.querySelector(part)?.textContent ?? "");
      return name.startsWith("Fréchet") ? `${name} ${value}${note && ` (${note})`}` : `${value} ${name}`;
    });
    pen.fillStyle = getComputedStyle(row).getPropertyValue("--hue");
    pen.fillRect(left, y + 16, 10, 10);
    pen.fillStyle = "#111827";
    pen.font = "700 18px system-ui, sans-serif";
    pen.fillText(row.dataset.family, left + 18, y + 27);
    pen.font = "13px system-ui, sans-serif";
    pen.fillStyle = "#4b5563";
    pen.fillText([...figures, row.querySelector(".ov-note").textContent].join("  ·  "), left, y + 50, pen.canvas.width - 2 * left);
    [...row.querySelectorAll("img")].forEach((image, i) => {
      pen.imageSmoothingEnabled = image.classList.contains("ov-smooth"); // pixels stay pixels elsewhere
      const column = i % columns, line = Math.floor(i / columns);
      pen.drawImage(image, left + column * (side + gap), y + 62 + line * (side + gap), side, side);
    });
  },
};
