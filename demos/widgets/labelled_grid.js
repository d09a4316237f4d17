// The table of pictures in the browser, in a card.

const PAPER = { cell: 132, gap: 10, margin: 28, head: 46, side: 190, note: 22, foot: 30 }; // PNG, pixels
const INK = "#1f2937";

class GridView extends Card {
  constructor(root) {
    super(root);
    this.table = make("table", {});
    this.caption = make("p", { class: "labelled-grid-caption" });
    const scroller = make("div", { class: "labelled-grid-scroller" }, this.table);
    this.full.append(scroller, this.caption, this.foot("Download this table as PNG", () => this.drawn()));
  }

  load(value) {
    this.fill(value, Boolean(value?.rows));
    if (this.full.hidden) return;
    this.table.replaceChildren(this.head(), ...value.rows.map((row) => this.row(row)));
    this.caption.textContent = value.caption;
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

  async drawn() {
    const { rows, columns, corner, caption, provenance } = this.value;
    const { cell, gap, margin, head, side, note, foot } = PAPER;
    const [across, down] = [cell + gap, cell + note + gap];
    const width = 2 * margin + side + columns.length * across - gap;
    const { canvas, context, write } = whitePaper(width, 2 * margin + head + rows.length * down + foot);
    write(corner, margin, margin + 16, { font: "15px", width: side - gap });
    columns.forEach((column, i) => {
      const middle = margin + side + i * across + cell / 2;
      write(column, middle, margin + 16, { colour: INK, font: "600 17px", align: "center", width: cell });
    });
    for (const [k, row] of rows.entries()) {
      const top = margin + head + k * down;
      write(row.title, margin, top + cell / 2, { colour: INK, font: "600 17px", width: side - gap });
      write(row.note, margin, top + cell / 2 + 22, { font: "14px", width: side - gap });
      for (const [i, entry] of row.cells.entries()) {
        if (!entry) continue;
        const left = margin + side + i * across;
        context.drawImage(await decoded(entry.picture), left, top, cell, cell);
        write(entry.note, left + cell / 2, top + cell + 17, { align: "center", width: cell });
      }
    }
    const below = [caption, provenance].filter(Boolean).join("  ");
    write(below, margin, canvas.height - margin, { width: width - 2 * margin });
    return canvas;
  }
}

const view = new GridView(element.querySelector(".labelled-grid"));
watch("value", () => view.load(props.value));
view.load(props.value);
