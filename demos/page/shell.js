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
    const moment = [...document.querySelectorAll(`#tab-${tab} .timeline[data-at]`)].find((node) => node.offsetParent);
    if (moment) query.set("at", moment.dataset.at);
    history.replaceState(null, "", `?${query}`);
    if (await this.copied(location.href)) this.notice("Link copied: it opens this tab with these knobs");
    else this.offer(location.href);
  },

  // Without https, and in a frame, a browser may have no clipboard, or refuse it.
  async copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const box = document.createElement("textarea");
      box.value = text;
      document.body.append(box);
      box.select();
      const done = document.execCommand("copy");
      box.remove();
      return done;
    }
  },

  // The link as text, to be copied by hand.
  offer(link) {
    const field = document.createElement("input");
    Object.assign(field, { value: link, readOnly: true });
    field.setAttribute("aria-label", "The link: copy it from here");
    this.notice(field);
    field.focus();
    field.select();
  },

  // A button that Gradio keeps out of sight: it fetches the file that was just made.
  press(id) {
    document.getElementById(id)?.click();
  },

  // A text for a moment, or a field until it is left.
  notice(content) {
    document.querySelector(".page-notice")?.remove();
    const box = document.createElement("div");
    box.className = "page-notice";
    box.setAttribute("role", "status");
    box.append(content);
    document.body.append(box);
    if (content instanceof Element) content.addEventListener("blur", () => box.remove());
    else setTimeout(() => box.remove(), 2500);
  },
};
window.noiseToData.restoreTheme();
