// Examples under a prompt, and what the model cannot read; pressing puts the examples, and known words
// in place of unknown ones, in.

const LONGEST = 120; // characters of what is not read, which would fill the page

const place = element.querySelector(".prompt-help");
const strange = node("p", "", { class: "strange-words", role: "status" });
const examples = node("p", "Try one of these:", { class: "prompt-examples" });
place.append(strange, examples);

function node(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function choice(text, put) {
  const button = node("button", text, { type: "button" });
  button.addEventListener("click", put);
  return button;
}

// Gradio's text box listens to input events, as for somebody who types.
function write(box, change) {
  const area = document.querySelector(`#${box} textarea`);
  if (!area) return;
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(area, change(area.value));
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

// The server counts code points, JavaScript's strings halves of them.
function replaced({ start, end, word }, known) {
  return (text) => {
    const points = [...text];
    const typedOn = points.slice(start, end).join("") !== word;
    return typedOn ? text : [...points.slice(0, start), known, ...points.slice(end)].join("");
  };
}

function unknown(entry, box) {
  const line = node("span", "");
  line.append(node("mark", entry.word, { dir: "auto" }), " did not occur in training");
  entry.nearest.forEach((known, i) => {
    line.append(i ? ", " : ": try ", choice(known, () => write(box, replaced(entry, known))));
  });
  return line;
}

function unread(text, name) {
  const points = [...text];
  const line = node("span", `The model reads no more of the ${name}; left out: `);
  line.append(node("mark", points.length > LONGEST ? `${points.slice(0, LONGEST).join("")}…` : text, { dir: "auto" }));
  return line;
}

function show(value) {
  const lines = (value?.texts ?? []).flatMap(({ words, unread: rest }, i) => [
    ...words.map((entry) => unknown(entry, props.boxes[i])),
    ...(rest ? [unread(rest, props.names[i])] : []),
  ]);
  strange.replaceChildren(...lines, ...(value?.note ? [node("span", value.note)] : []));
}

for (const text of props.examples) examples.append(choice(text, () => write(props.boxes[0], () => text)));
watch("value", () => show(props.value));
show(props.value);
