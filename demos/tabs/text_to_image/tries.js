// A picture to try is put into the panel's upload as if a visitor had chosen it, and checked.
// gr.HTML runs this once, with `element`.

const panel = element.closest(".controls");
const WAIT_MS = 20_000;

// What find() finds, as soon as there is something.
async function present(find) {
  const began = performance.now();
  for (let found; performance.now() - began < WAIT_MS; ) {
    if ((found = find())) return found;
    await new Promise(requestAnimationFrame);
  }
  throw new Error("the page is too busy: choose the picture again");
}

async function tried(button) {
  const answer = await fetch(button.querySelector("img").src);
  const blob = await answer.blob();
  const file = new File([blob], button.dataset.name, { type: blob.type });
  panel.querySelector(".file-preview")?.closest(".block").querySelector("[aria-label=Clear]")?.click();
  const input = await present(() => panel.querySelector("input[type=file]"));
  const files = new DataTransfer();
  files.items.add(file);
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  await present(() => panel.querySelector(".file-preview")?.textContent.includes(file.name.split(".")[0]));
  panel.querySelector(".run-row .primary").click();
}

element.addEventListener("click", async ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  try {
    await tried(button);
  } catch (error) {
    noiseToData.notice(error.message);
  }
});
