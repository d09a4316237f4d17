// The few things the page does without the server: theme, links, a short notice.
window.noiseToData = {
  toggleTheme() {
    const dark = document.body.classList.toggle("dark");
    try { localStorage.setItem("noise-to-data-theme", dark ? "dark" : "light"); } catch { /* private window */ }
  },

  restoreTheme() {
    if (new URLSearchParams(location.search).has("__theme")) return;
    let kept = null;
    try { kept = localStorage.getItem("noise-to-data-theme"); } catch { /* private window */ }
    if (kept) document.body.classList.toggle("dark", kept === "dark");
  },

  // Only knobs that were moved stand in the link: it stays short, and defaults may improve later.
  async copyLink(tab, names, defaults, values) {
    const query = new URLSearchParams({ tab });
    const panel = document.querySelector(`#tab-${tab} .panels [role=tab][aria-selected=true]`);
    const panels = [...document.querySelectorAll(`#tab-${tab} .panels [role=tab]`)];
    const ids = [...new Set(names.map((name) => name.split(".")[0]))];
    if (panel && ids[panels.indexOf(panel)]) query.set("panel", ids[panels.indexOf(panel)]);
    names.forEach((name, i) => {
      if (values[i] !== defaults[i] && values[i] !== null) query.set(name, values[i]);
    });
    const link = `${location.origin}${location.pathname}?${query}`;
    history.replaceState(null, "", link);
    try {
      await navigator.clipboard.writeText(link);
      this.notice("Link copied");
    } catch {
      this.notice("The link is in the address bar");
    }
  },

  openTab(id) {
    const buttons = [...document.querySelectorAll("#tabs > .tab-wrapper [role=tab], #tabs > div [role=tab]")];
    const button = buttons.find((b) => b.id === `${id}-button` || b.dataset.tabId === id);
    if (button) button.click();
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
