// Panels that few need on this machine stand behind a button "More", at the end of their list.
window.noiseToDataMore = {
  rare: [],

  // Reads from Gradio's config which they are.
  find(config) {
    const marked = config.components.filter(({ props }) => props.elem_classes?.includes("rare"));
    this.rare = marked.map(({ props }) => `${props.elem_id}-button`);
  },

  // Gradio builds a list of panels when its tab is opened first.
  mend() {
    for (const id of this.rare) {
      const panel = document.getElementById(id);
      if (!panel || panel.dataset.rare) continue;
      panel.dataset.rare = "yes"; // the style sheet hides it
      const bar = panel.closest(".tab-wrapper");
      if (!bar.querySelector(".more-panels")) bar.append(this.button(bar));
    }
  },

  button(bar) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "more-panels", textContent: "More" });
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      const open = bar.dataset.more !== "open";
      bar.dataset.more = open ? "open" : "";
      button.setAttribute("aria-expanded", open);
      button.textContent = open ? "Less" : "More";
    });
    return button;
  },
};
