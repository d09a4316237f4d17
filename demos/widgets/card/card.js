// What every widget in the browser starts from: gr.HTML runs these scripts once, joined into one,
// with `element`, `props`, `server` and `watch`.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Has a view load the widget's value, now and whenever it changes. A large one that the page begins
// with is a file, which is fetched once the widget is on the screen.
function showValue(view) {
  const look = async () => {
    const value = props.value;
    if (!value?.file) return view.load(value);
    const example = await fetch(value.file)
      .then((answer) => (answer.ok ? answer.json() : null))
      .catch(() => null);
    if (props.value !== value) return; // a newer one came meanwhile
    if (example) view.load(example);
    else view.lost();
  };
  watch("value", look);
  look();
}

// Numbers that travel as the base64 of their bytes.
const numbersOf = (text, Kind = Uint8Array) => new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

// A probability in words.
function chance(p) {
  if (p >= 0.0995) return `${Math.round(100 * p)}%`;
  if (p >= 0.01) return `${(100 * p).toFixed(1)}%`;
  return p > 0 ? `1 in ${Number((1 / p).toPrecision(2)).toLocaleString("en")}` : "0%";
}

async function decoded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

// The pixels of a picture: RGBA, four bytes each, row by row.
async function pixelsOf(url) {
  const image = await decoded(url);
  const canvas = make("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { pixels: data, width, height };
}

// A picture of the page as a data URL, in which it can go to the server.
async function inDataUrl(address) {
  if (address.startsWith("data:")) return address;
  const answer = await fetch(address);
  if (!answer.ok) throw new Error("the page's picture is gone: reload the page");
  const reader = new FileReader();
  const read = new Promise((done, failed) => Object.assign(reader, { onload: done, onerror: failed }));
  reader.readAsDataURL(await answer.blob());
  await read;
  return reader.result;
}

// The server makes the file of what the page shows, and writes into it what made the pictures.
// made: the model and what it was asked for; the file says so.
async function saveFile(shown, name, made) {
  const answer = await server.export_file({ ...shown, made: made ?? {} });
  if (!answer || answer.error) throw new Error(answer?.error ?? "the server gave no answer");
  make("a", { href: answer.file, download: name }).click();
}

async function savePng(canvas, name, made) {
  const png = canvas.toDataURL("image/png");
  if (!png.startsWith("data:image/png")) throw new Error("this browser cannot draw so large a picture");
  await saveFile({ png }, name, made);
}

// White paper in the middle of which pixels stay pixels, whatever the page's theme.
function whitePaper(width, height) {
  const canvas = make("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = false;
  const write = (text, x, y, { colour = "#5b6472", font = "13px", align = "left", width } = {}) => {
    Object.assign(context, { fillStyle: colour, font: `${font} system-ui, sans-serif`, textAlign: align });
    context.fillText(text, x, y, width);
  };
  return { canvas, context, write };
}

// The frame of card.html: empty until it has a value, then pictures, and where they come from.
class Card {
  constructor(root) {
    this.root = root;
    this.empty = root.querySelector(".card-empty");
    this.full = root.querySelector(".card-full");
    this.source = make("span", { class: "card-source" });
    this.message = make("span", { class: "card-message", role: "status" });
  }

  fill(value, filled) {
    this.value = value;
    this.empty.hidden = filled;
    this.full.hidden = !filled;
    if (!filled) return;
    const told = [value.live ? "live" : "", value.provenance].filter(Boolean).join(" · ");
    this.source.textContent = value.example ? "Example" : told;
    this.source.title = value.example ? told : ""; // when it was computed, and on which machine
    this.source.classList.toggle("card-live", value.live);
  }

  // What the page begins with has not arrived.
  lost() {
    this.empty.textContent = "The example did not arrive: reload the page to see it.";
  }

  say(text) {
    this.message.textContent = text;
  }

  downloadButton(kind, title, save) {
    const button = make("button", { type: "button", class: "card-button", title, "aria-label": title }, kind);
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await save();
        this.say("");
      } catch (error) {
        this.say(`No ${kind}: ${error.message}`);
      } finally {
        button.disabled = false;
      }
    });
    return button;
  }

  // The last line of a card: `drawn` makes the canvas that its button saves.
  foot(title, drawn) {
    const save = async () => savePng(await drawn(), `${this.value.name}.png`, this.value.made);
    return make("div", { class: "card-foot" }, this.source, this.message, this.downloadButton("PNG", title, save));
  }
}
