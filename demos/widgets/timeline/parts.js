// The parts of a machine in place of a row of lanes: closed, a picture of the whole way from left to
// right; opened, each one a floor of its own. The lanes in them go on following the timeline.

function drawParts(room, parts, lanes, words) {
  const opened = new Set([...room.querySelectorAll("[data-open]")].map((node) => node.dataset.title));
  const nodes = parts.map((part) => partNode(part, lanes, words, opened.has(part.title)));
  room.replaceChildren(...nodes);
}

function partNode(part, lanes, words, open) {
  const [first, ...others] = part.lanes.map((title) => lanes.find((lane) => lane.title === title).node);
  const button = make("button", { type: "button", class: "part-title" }, part.title);
  const inside = make("div", { class: "part-inside" }, make("p", { class: "part-says" }, part.says));
  if (part.tokens) inside.append(tokenTable(part.tokens));
  const pictures = make("div", { class: "part-lanes" }, ...others);
  if (part.words && words) pictures.append(words.node);
  inside.append(pictures);
  const glance = part.tokens ? tokenChips(part.tokens) : make("div", { class: "part-glance" }, first);
  const head = make("div", { class: "part-head" }, button, make("p", { class: "part-does" }, part.does));
  const node = make("section", { class: "part", "data-title": part.title }, head, glance, inside);
  const show = (opened) => {
    node.toggleAttribute("data-open", opened);
    button.setAttribute("aria-expanded", opened);
    inside.hidden = !opened;
    if (opened && first) pictures.prepend(first);
    else if (first) glance.append(first);
  };
  button.addEventListener("click", () => show(inside.hidden));
  show(open);
  return node;
}

function tokenChips(tokens) {
  const chips = tokens.pieces.map((piece) => make("span", { class: "part-token" }, piece));
  return make("div", { class: "part-glance part-tokens" }, ...chips);
}

// One row a token: the piece, its number, and its vector as a strip cut out of the sheet.
function tokenTable(tokens) {
  const rows = tokens.pieces.map((piece, row) => {
    const strip = make("canvas", { height: 1, role: "img", "aria-label": `The vector of ${piece}` });
    decoded(tokens.sheet).then((sheet) => {
      strip.width = sheet.width;
      strip.getContext("2d").drawImage(sheet, 0, -row);
    });
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, make("span", { class: "part-token" }, piece)),
      make("td", {}, String(tokens.ids[row])),
      make("td", { class: "part-vector" }, strip),
    );
  });
  const heads = ["Token", "Token ID", "Embedding"].map((text) => make("th", { scope: "col" }, text));
  return make(
    "table",
    { class: "part-table" },
    make("thead", {}, make("tr", {}, ...heads)),
    make("tbody", {}, ...rows),
  );
}
