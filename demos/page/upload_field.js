// Upload fields. Gradio turns away a file that the browser does not call a picture (HEIC and raw
// photos often have no type), before the server can say what it is and what to do. It gets a type
// with which it passes.
(() => {
  const FIELD = "input[type=file]";
  const passes = (file) => file.type.startsWith("image/");
  const passing = (file) => (passes(file) ? file : new File([file], file.name, { type: "image/x-unknown" }));

  function hand(input, files) {
    const held = new DataTransfer();
    files.forEach((file) => held.items.add(passing(file)));
    input.files = held.files;
  }

  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.(FIELD)) return;
    const files = [...target.files];
    if (!files.every(passes)) hand(target, files);
  }, true);

  document.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    const field = event.target.closest?.(".upload-container");
    const input = field?.querySelector(FIELD);
    if (!input || files.every(passes)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    field.dispatchEvent(new DragEvent("dragleave")); // Gradio's mark that something hovers
    hand(input, files);
    input.dispatchEvent(new Event("change"));
  }, true);
})();
