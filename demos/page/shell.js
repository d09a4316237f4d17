// The few things the page does without the server: theme, a file that was made, a short notice.
window.noiseToData = {
  toggleTheme() {
    const dark = !document.body.classList.contains("dark");
    this.setTheme(dark);
    try {
      localStorage.setItem("noise-to-data-theme", dark ? "dark" : "light");
    } catch {
      this.notice("This browser window will not remember your choice");
    }
  },

  // Gradio asks the system, and ?__theme=; what the visitor chose here goes before the system.
  restoreTheme() {
    if (new URLSearchParams(location.search).has("__theme")) return;
    let kept = null;
    try {
      kept = localStorage.getItem("noise-to-data-theme");
    } catch {
      return; // a private window: the system's theme stands
    }
    if (kept) this.setTheme(kept === "dark");
  },

  setTheme(dark) {
    document.body.classList.toggle("dark", dark);
    document.body.style.background = "var(--body-background-fill)"; // Gradio wrote a fixed colour
  },

  // A button that Gradio keeps out of sight: it fetches the file that was just made.
  press(id) {
    document.getElementById(id)?.click();
  },

  // A text for a moment.
  notice(text) {
    document.querySelector(".page-notice")?.remove();
    const box = document.createElement("div");
    box.className = "page-notice";
    box.setAttribute("role", "status");
    box.append(text);
    document.body.append(box);
    setTimeout(() => box.remove(), 2500);
  },
};
window.noiseToData.restoreTheme();
