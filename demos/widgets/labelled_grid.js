// The table of pictures in the browser: gr.HTML runs this once, with `element`, `props`, `watch`.

const PAPER = { cell: 132, gap: 10, margin: 28, head: 46, side: 190, note: 22, foot: 30 }; // PNG, pixels
const INK = "#1f2937";
const FAINT = "#5b6472";
const FONT = "system-ui, sans-serif";

class GridView {
  constructor(root) {
    this.root = root;
    this.empty = root.querySelector(".labelled-grid-empty");
    this.full = root.querySelector(".labelled-grid-full");
    this.table = make("table", {});
    this.source = make("span", { class: "labelled-grid-source" });
    this.message = make("span", { role: "status" });
    this.caption = make("p", { class: "labelled-grid-caption" });
    this.button = make("button", { type: "button", title: "Download this table as PNG" }, "PNG");
    this.button.setAttribute("aria-label", this.button.title);
    this.button.addEventListener("click", () => this.export());
    const scroller = make("div", { class: "labelled-grid-scroller" }, this.table);
    const foot = make("div", { class: "labelled-grid-foot" }, this.source, this.message, this.button);
    this.full.append(scroller, this.caption, foot);
  }

  load(value) {
    this.value = value;
    const filled = Boolean(value?.rows);
    this.empty.hidden = filled;
    this.full.hidden = !filled;
    if (!filled) return;
    this.table.replaceChildren(this.head(), ...value.rows.map((row) => this.row(row)));
    this.caption.textContent = value.caption;
    this.source.textContent = [value.live ? "live" : "", value.provenance].filter(Boolean).join(" · ");
    this.source.classList.toggle("labelled-grid-live", value.live);
  }

  head() {
    const { corner, columns } = this.value;
    const cells = columns.map((column) => make("th", { scope: "col" }, column));
    return make("tr", {}, make("td", { class: "labelled-grid-corner" }, corner), ...cells);
  }

  row(row) {
    const title = make("span", { class: "labelled-grid-title" }, row.title);
    const note = make("span", { class: "labelled-grid-note" }, row.note);
    const head = make("th", { scope: "row" }, make("div", {}, title, note));
    return make("tr", {}, head, ...row.cells.map((cell, i) => this.cell(row, cell, i)));
  }

  cell(row, cell, i) {
    if (!cell) return make("td", {}, make("div", { class: "labelled-grid-waiting" }));
    const alt = `${row.title}, ${this.value.columns[i]} ${this.value.corner}`;
    const image = make("img", { src: cell.picture, alt, width: cell.width, height: cell.height });
    return make("td", {}, image, make("span", { class: "labelled-grid-note" }, cell.note));
  }

  async export() {
    this.button.disabled = true;
    try {
      await savePng(await this.drawn(), `${this.value.name}.png`);
      this.message.textContent = "";
    } catch (error) {
      this.message.textContent = `No PNG: ${error.message}`;
    } finally {
      this.button.disabled = false;
    }
  }

  // The table on white paper, whatever the page's theme.
  async drawn() {
    const { rows, columns, corner, caption, provenance } = this.value;
    const { cell, gap, margin, head, side, note, foot } = PAPER;
    const [across, down] = [cell + gap, cell + note + gap];
    const canvas = make("canvas", {});
    canvas.width = 2 * margin + side + columns.length * across - gap;
    canvas.height = 2 * margin + head + rows.length * down + foot;
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = false;
    const write = (text, x, y, colour, font, align = "left", width = undefined) => {
      Object.assign(context, { fillStyle: colour, font: `${font} ${FONT}`, textAlign: align });
      context.fillText(text, x, y, width);
    };
    write(corner, margin, margin + 16, FAINT, "15px", "left", side - gap);
    columns.forEach((column, i) => {
      write(column, margin + side + i * across + cell / 2, margin + 16, INK, "600 17px", "center", cell);
    });
    for (const [k, row] of rows.entries()) {
      const top = margin + head + k * down;
      write(row.title, margin, top + cell / 2, INK, "600 17px", "left", side - gap);
      write(row.note, margin, top + cell / 2 + 22, FAINT, "14px", "left", side - gap);
      for (const [i, entry] of row.cells.entries()) {
        if (!entry) continue;
        const left = margin + side + i * across;
        context.drawImage(await decoded(entry.picture), left, top, cell, cell);
        write(entry.note, left + cell / 2, top + cell + 17, FAINT, "13px", "center", cell);
      }
    }
    const below = [caption, provenance].filter(Boolean).join("  ");
    write(below, margin, canvas.height - margin, FAINT, "13px", "left", canvas.width - 2 * margin);
    return canvas;
  }
}

const view = new GridView(element.querySelector(".labelled-grid"));
watch("value", () => view.load(props.value));
view.load(props.value);
