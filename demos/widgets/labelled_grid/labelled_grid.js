// The table of pictures in the browser, in a card.

const PAPER = { cell: 132, gap: 10, margin: 28, head: 46, side: 190, note: 22, foot: 30, figure: 66 }; // PNG, pixels
const INK = "#1f2937";
const SHADE = "#1d4ed8";

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
    const cells = columns.map((column) => (column ? make("th", { scope: "col" }, column) : make("td", {})));
    return make("tr", {}, make("td", { class: "labelled-grid-corner" }, corner), ...cells);
  }

  row(row) {
    const pieces = row.words?.map(([text, marked]) => (marked ? make("mark", {}, text) : make("span", {}, text)));
    const title = make("span", { class: "labelled-grid-title" });
    if (pieces?.length) pieces.forEach((piece) => title.append(piece, " "));
    else title.append(row.title);
    const note = make("span", { class: "labelled-grid-note" }, row.note);
    const named = Boolean(title.textContent.trim() || row.note);
    const head = make(named ? "th" : "td", named ? { scope: "row" } : {}, make("div", {}, title, note));
    return make("tr", {}, head, ...row.cells.map((cell, i) => this.cell(row, cell, i)));
  }

  cell(row, cell, i) {
    if (!cell) return make("td", {}, make("div", { class: "labelled-grid-waiting" }));
    if (!cell.picture) return this.figure(cell);
    const column = `${this.value.columns[i]} ${this.value.corner}`.trim();
    const alt = [row.title, column].filter(Boolean).join(", ");
    const image = make("img", { src: cell.picture, alt, width: cell.width, height: cell.height });
    return make("td", {}, image, make("span", { class: "labelled-grid-note" }, cell.note));
  }

  // A number in place of a picture.
  figure(cell) {
    const name = `labelled-grid-figure${cell.best ? " labelled-grid-best" : ""}`;
    const spoken = cell.best ? { "aria-label": `${cell.note}, best of its column` } : {};
    return make("td", { class: name, style: `--shade: ${100 * cell.shade}%`, ...spoken }, make("span", {}, cell.note));
  }

  async drawn() {
    const { rows, columns, corner, caption, provenance } = this.value;
    const { cell, gap, margin, head, side, note, foot, figure } = PAPER;
    const across = cell + gap;
    const heights = rows.map((row) => (row.cells.some((c) => c && !c.picture) ? figure : cell + note) + gap);
    const width = 2 * margin + side + columns.length * across - gap;
    const height = 2 * margin + head + heights.reduce((a, b) => a + b, 0) + foot;
    const { canvas, context, write } = whitePaper(width, height);
    write(corner, margin, margin + 16, { font: "15px", width: side - gap });
    columns.forEach((column, i) => {
      const middle = margin + side + i * across + cell / 2;
      write(column, middle, margin + 16, { colour: INK, font: "600 17px", align: "center", width: cell });
    });
    let top = margin + head;
    for (const [k, row] of rows.entries()) {
      const middle = top + (heights[k] - gap) / 2;
      const lines = wrapped(context, row.note, "14px system-ui, sans-serif", side - gap, 3);
      const first = middle - 9 * lines.length + 6;
      write(row.title, margin, first, { colour: INK, font: "600 17px", width: side - gap });
      lines.forEach((line, i) => write(line, margin, first + 20 + 17 * i, { font: "14px", width: side - gap }));
      for (const [i, entry] of row.cells.entries()) {
        const left = margin + side + i * across;
        if (entry?.picture) context.drawImage(await decoded(entry.picture), left, top, cell, cell);
        if (entry?.picture) write(entry.note, left + cell / 2, top + cell + 17, { align: "center", width: cell });
        else if (entry) this.drawFigure(context, write, entry, left, top);
      }
      top += heights[k];
    }
    const below = [caption, provenance].filter(Boolean).join("  ");
    write(below, margin, canvas.height - margin, { width: width - 2 * margin });
    return canvas;
  }

  drawFigure(context, write, entry, left, top) {
    const { cell, figure } = PAPER;
    context.globalAlpha = 0.35 * entry.shade;
    context.fillStyle = SHADE;
    context.fillRect(left, top, cell, figure);
    context.globalAlpha = 1;
    Object.assign(context, { strokeStyle: SHADE, lineWidth: 3 });
    if (entry.best) context.strokeRect(left + 1, top + 1, cell - 2, figure - 2);
    const font = entry.best ? "700 18px" : "18px";
    write(entry.note, left + cell / 2, top + figure / 2 + 6, { colour: INK, font, align: "center", width: cell });
  }
}

// A text in lines of at most `width` pixels, and at most `most` of them.
function wrapped(context, text, font, width, most) {
  context.font = font;
  const lines = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const longer = `${lines.at(-1) ?? ""} ${word}`.trim();
    if (lines.length && context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  if (lines.length > most) lines.splice(most - 1, Infinity, `${lines[most - 1]} …`);
  return lines;
}

const view = new GridView(element.querySelector(".labelled-grid"));
showValue(view);
