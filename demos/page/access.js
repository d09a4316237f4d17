// What Gradio's elements lack for those who use the page by keys or by ear: states, names, ways.
window.noiseToDataAccess = {
  STRIDES: { ArrowLeft: -1, ArrowRight: 1 },
  ENDS: { Home: 0, End: -1 },
  PASS_MS: 200, // between two passes over a page that keeps changing

  // Past the tabs, into the panel in sight: what the page's first link does.
  skip() {
    const panels = [...document.querySelectorAll("[role=tabpanel]")].filter((panel) => panel.offsetParent);
    const panel = panels.at(-1); // the innermost
    if (!panel) return;
    panel.tabIndex = -1;
    panel.focus();
  },

  // In a list of tabs, Tab reaches one; arrows go on from there, and Enter or Space opens: building
  // a tab takes a moment, so that passing by must not open it.
  key(event) {
    const tab = event.target.closest?.("[role=tab]");
    const known = event.key in this.STRIDES || event.key in this.ENDS;
    if (!tab || !known || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const tabs = this.tabsOf(tab.closest("[role=tablist]"));
    const next = this.ENDS[event.key] ?? (tabs.indexOf(tab) + this.STRIDES[event.key]) % tabs.length;
    tabs.at(next).focus();
  },

  tabsOf: (list) => [...list.querySelectorAll("[role=tab]")].filter((tab) => tab.offsetParent),

  // Of each list, Tab reaches the tab that has the focus, else the open one.
  rove() {
    for (const list of document.querySelectorAll("[role=tablist]")) {
      const tabs = this.tabsOf(list);
      const open = tabs.find((tab) => tab.ariaSelected === "true") ?? tabs[0]; // none in a list out of sight
      const reached = tabs.includes(document.activeElement) ? document.activeElement : open;
      for (const tab of tabs) tab.tabIndex = tab === reached ? 0 : -1;
    }
  },

  // All that can be mended in an element that is there; a second time changes nothing.
  mend() {
    const all = (selector, change) => document.querySelectorAll(selector).forEach(change);
    noiseToDataMore.mend();
    this.rove();
    all("[role=tabpanel][id]:not([id=''], [aria-labelledby])", (panel) => {
      panel.setAttribute("aria-labelledby", `${panel.id}-button`);
    });
    all("button.label-wrap", (button) => (button.ariaExpanded = button.classList.contains("open")));
    all(".label-wrap > .icon:not([aria-hidden])", (icon) => (icon.ariaHidden = true));
    // Where a panel has several of a button, its name says what it is for.
    const named = (buttons, what, name) => all(`${buttons}:not([data-named])`, (button) => {
      const of = what(button)?.trim();
      if (!of) return;
      button.ariaLabel = name(of);
      button.dataset.named = "yes";
    });
    const label = (button) => {
      return button.closest(".seed-row, .block").querySelector("[data-testid=block-info], [data-testid=block-label]")?.textContent;
    };
    named("[data-testid=reset-button]", label, (what) => `Reset ${what} to its default`);
    named(".new-seed", label, (what) => `New seed: ${what}`);
    const another = (stop) => {
      const first = stop.closest("[role=tabpanel]")?.querySelector(".run-row .stop");
      return stop === first ? null : stop.parentElement.querySelector(".primary")?.textContent;
    };
    named(".run-row .stop", another, (what) => `Stop: ${what}`);
    // Wide formulas scroll, by keys too.
    const scrolls = (node, name) => Object.assign(node, { tabIndex: 0, role: "group", ariaLabel: name });
    all(".depths .gr-accordion .block:has(.katex-display):not([tabindex])", (block) => scrolls(block, "The formula"));
    all("a.download-link:has(> button):not([tabindex])", (link) => (link.tabIndex = -1)); // its button is reached
    all("footer img[alt=logo]", (image) => (image.alt = "")); // the word stands beside it
  },

  // Gradio builds and changes elements at any time.
  watch() {
    let waiting = false;
    const soon = () => {
      if (waiting) return;
      waiting = true;
      setTimeout(() => {
        waiting = false;
        this.mend();
      }, this.PASS_MS);
    };
    const attributes = ["aria-selected", "class"];
    new MutationObserver(soon).observe(document, { childList: true, subtree: true, attributeFilter: attributes });
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("focusin", () => this.rove()); // before the next key
  },
};
window.noiseToDataAccess.watch();
