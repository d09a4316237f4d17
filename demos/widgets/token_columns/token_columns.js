// Texts side by side, in a card.

const SHEET = { column: 290, gap: 30, margin: 28, head: 66, line: 24, foot: 76 }; // PNG, pixels

class TokenColumnsView extends Card {
  constructor(root) {
    super(root);
    this.columns = make("div", { class: "token-columns-row tokens-tinted" });
    const again = make("span", { class: "tokens-again" }, "underlined");
    const scale = make("span", { class: "tokens-scale" }, "surprise, 0 to 12 bits");
    const keys = make("p", { class: "token-columns-keys" }, scale, make("span", {}, again, ": these tokens stood there before"));
    this.full.append(this.columns, keys, this.foot("Download these texts as PNG", () => this.drawn()));
  }

  load(value) {
    this.fill(value, Boolean(value?.columns));
    if (this.full.hidden) return;
    this.columns.replaceChildren(...value.columns.map((column) => this.column(column)));
  }

  column(column) {
    const { node, spans } = tokenText(column);
    column.again.forEach((again, i) => spans[i].classList.toggle("tokens-again", again));
    const head = make("h3", {}, column.title, " ", make("small", {}, column.note));
    const figures = column.figures.map(([name, figure]) => make("div", {}, make("dt", {}, name), make("dd", {}, figure)));
    return make("section", { class: "token-column" }, head, make("dl", {}, ...figures), node);
  }

  drawn() {
    const { columns, provenance, corner } = this.value;
    const { column, gap, margin, head, line, foot } = SHEET;
    const each = columns.map(({ tokens, begun, bits }) =>
      tokens.map((text, i) => ({ text, colour: i < begun ? "#5b6472" : "#1f2937", shade: shadeOf(i < begun ? 0 : bits[i]) })),
    );
    const place = (i) => ({ left: margin + i * (column + gap), top: margin + head, width: column, line, font: "15px system-ui, sans-serif" });
    const measured = whitePaper(1, 1).context;
    const height = Math.max(...each.map((spans, i) => writeTokens(measured, spans, place(i)))) + foot;
    const { canvas, context, write } = whitePaper(2 * margin + columns.length * (column + gap) - gap, height);
    columns.forEach(({ title, figures }, i) => {
      const { left } = place(i);
      write(title, left, margin + 10, { colour: "#1f2937", font: "600 17px", width: column });
      write(figures.map((figure) => figure.join(" ")).join(" · "), left, margin + 32, { width: column });
      writeTokens(context, each[i], place(i));
    });
    write([corner, provenance].filter(Boolean).join(" · "), margin, height - margin);
    return canvas;
  }
}

const view = new TokenColumnsView(element.querySelector(".token-columns"));
showValue(view);
