// Examples under a prompt, and its words that the model does not know; pressing puts them in.

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
function write(change) {
  const box = document.querySelector(`#${place.dataset.prompt} textarea`);
  if (!box) return;
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, change(box.value));
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function replaced({ start, end, word }, known) {
  return (text) => {
    const typedOn = text.slice(start, end) !== word;
    return typedOn ? text : text.slice(0, start) + known + text.slice(end);
  };
}

function showStrange(words) {
  const lines = words.map((entry) => {
    const line = node("span", "");
    line.append(node("mark", entry.word), " is a word the model never met in training");
    entry.nearest.forEach((known, i) => {
      line.append(i ? ", " : ": try ", choice(known, () => write(replaced(entry, known))));
    });
    return line;
  });
  strange.replaceChildren(...lines);
}

for (const text of props.examples) examples.append(choice(text, () => write(() => text)));
watch("value", () => showStrange(props.value?.words ?? []));
showStrange(props.value?.words ?? []);
