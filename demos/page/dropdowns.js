// Gradio's drop-downs, for keys: one that the focus leaves closes (a Tab key that Gradio heard would
// open it again), and one where something was chosen keeps the focus, closed.
window.noiseToDataDropdowns = {
  chosen: null, // the field in whose list somebody is choosing
  quiet: false, // while a field takes the focus without opening

  field: (node) => node.closest?.("[role=combobox]"),
  isOpen: (field) => field.getAttribute("aria-expanded") === "true",

  key(event) {
    const field = this.field(event.target);
    if (!field) return;
    if (event.key === "Tab") event.stopPropagation();
    if (event.key === "Enter" && this.isOpen(field)) this.chosen = field;
  },

  press(event) {
    if (event.target.closest?.("[role=option]") && document.activeElement) this.chosen = this.field(document.activeElement);
    const field = this.field(event.target);
    // Gradio opens at the focus alone, which a closed one may have.
    if (field === document.activeElement && field && !this.isOpen(field)) field.dispatchEvent(new FocusEvent("focus"));
  },

  // Gradio takes the focus away when something was chosen.
  left(event) {
    const field = this.chosen;
    this.chosen = null;
    if (!field || event.target !== field || event.relatedTarget) return;
    queueMicrotask(() => {
      this.quiet = true;
      field.focus();
      this.quiet = false;
    });
  },

  focused(event) {
    if (this.quiet && this.field(event.target)) event.stopPropagation();
  },
};
for (const [kind, heard] of [["keydown", "key"], ["mousedown", "press"], ["blur", "left"], ["focus", "focused"]]) {
  window.addEventListener(kind, (event) => window.noiseToDataDropdowns[heard](event), true); // before Gradio
}
