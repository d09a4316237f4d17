// Code with buttons to copy and to save it. It is fetched when it is first seen: most stands behind
// "Show the code".
const root = element.querySelector(".listings");

// Without https, and in a frame, a browser may have no clipboard, or refuse it.
async function copyCode(pre) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch {
    getSelection().selectAllChildren(pre);
    document.execCommand?.("copy");
  }
}

function saveCode(pre) {
  const address = URL.createObjectURL(new Blob([`${pre.textContent}\n`], { type: "text/x-python" }));
  make("a", { href: address, download: "noise_to_data.py" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000); // once the browser has begun
}

function codeButton(what, name, act, pre) {
  const button = make("button", { type: "button", class: "card-button", "aria-label": `${what}: ${name}` }, what);
  button.addEventListener("click", async () => {
    await act(pre);
    button.classList.add("code-done");
    setTimeout(() => button.classList.remove("code-done"), 1500);
  });
  return button;
}

const view = {
  load(value) {
    root.innerHTML = value?.html ?? "";
    for (const figure of root.querySelectorAll(".listing")) {
      const pre = figure.querySelector("pre");
      const name = pre.getAttribute("aria-label");
      const buttons = [["Copy", copyCode], ["Save", saveCode]].map(([what, act]) => codeButton(what, name, act, pre));
      figure.append(make("div", { class: "listing-buttons" }, ...buttons));
    }
  },
  lost() {
    root.textContent = "The code did not arrive: reload the page to see it.";
  },
};

const seen = new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  seen.disconnect();
  showValue(view);
});
seen.observe(root);
