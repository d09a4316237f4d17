// The few things the page does without the server: theme, links, a short notice.
window.noiseToData = {
  toggleTheme() {
    const dark = !document.body.classList.contains("dark");
    this.setTheme(dark);
    try {
      localStorage.setItem("noise-to-data-theme", dark ? "dark" : "light");
    } catch {
      this.notice("This browser window does not keep the choice");
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

  // Only knobs that were moved stand in the link: it stays short, and defaults may improve later.
  async copyLink(tab, names, defaults, values) {
    const query = new URLSearchParams({ tab });
    const { panel } = noiseToDataAddress.inSight();
    if (panel) query.set("panel", panel.dataset.tabId);
    names.forEach((name, i) => {
      if (values[i] !== defaults[i] && values[i] !== null) query.set(name, values[i]);
    });
    history.replaceState(null, "", `?${query}`);
    try {
      await navigator.clipboard.writeText(location.href);
      this.notice("Link copied: it opens this tab with these knobs");
    } catch {
      this.notice("The link is in the address bar"); // no clipboard without https
    }
  },

  // A button that Gradio keeps out of sight: it fetches the file that was just made.
  press(id) {
    document.getElementById(id)?.click();
  },

  notice(text) {
    document.querySelector(".page-notice")?.remove();
    const box = document.createElement("div");
    box.className = "page-notice";
    box.setAttribute("role", "status");
    box.textContent = text;
    document.body.append(box);
    setTimeout(() => box.remove(), 2500);
  },
};
window.noiseToData.restoreTheme();
