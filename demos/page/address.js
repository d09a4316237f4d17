// The page's address names the tab and panel in sight: ?tab=gan&panel=collapse. It stands in the
// head of the page, so that what a link names is the first thing that Gradio builds.
const HOSTS = /^(__|hf_|utm_|fbclid$|gclid$)/; // parameters of Gradio, the host, a referrer (links.py)

window.noiseToDataAddress = {
  title: window.gradio_config?.title,

  asked() {
    const query = new URLSearchParams(location.search);
    return { tab: query.get("tab"), panel: query.get("panel"), at: query.get("at"), view: noiseToDataViews.asked() };
  },

  // The settings that the address names.
  settings() {
    const names = [...new URLSearchParams(location.search).keys()];
    return names.filter((name) => !HOSTS.test(name) && !["tab", "panel", "at", "view"].includes(name));
  },

  // A query for the address of this page, which keeps what its host put there.
  kept(query) {
    const hosts = [...new URLSearchParams(location.search)].filter(([name]) => HOSTS.test(name));
    return `?${new URLSearchParams([...query, ...hosts])}`;
  },

  // A query for others, without that: it may hold the key of this visitor alone (__sign).
  shared(query) {
    return new URLSearchParams([...query].filter(([name]) => !HOSTS.test(name)));
  },

  // The moment of a timeline, by its number, that the address names for one in the panel in sight.
  moment(node) {
    const { at } = this.asked();
    return /^\d{1,4}$/.test(at ?? "") && node.offsetParent ? Number(at) : null;
  },

  // Another run has moments of its own.
  forgetMoment() {
    const query = new URLSearchParams(location.search);
    if (!query.has("at")) return;
    query.delete("at");
    history.replaceState(null, "", `?${query}`);
  },

  // Writes into Gradio's config which tabs are selected; names that nobody has stay without effect,
  // and the server says so.
  select(config) {
    const { tab, panel } = this.asked();
    noiseToDataMore.find(config);
    const parts = new Map(config.components.map((part) => [part.id, part]));
    const choose = (tabs, id) => {
      const found = tabs?.children.find((child) => parts.get(child.id).props.id === id);
      if (found) parts.get(tabs.id).props.selected = id;
      return found;
    };
    const find = (node, fits) => {
      if (fits(parts.get(node.id)?.props ?? {})) return node;
      for (const child of node.children ?? []) {
        const found = find(child, fits);
        if (found) return found;
      }
    };
    const chosen = choose(find(config.layout, (props) => props.elem_id === "tabs"), tab);
    if (chosen) choose(find(chosen, (props) => props.elem_classes?.includes("panels")), panel);
  },

  tabs: () => [...document.querySelectorAll("#tabs > .tab-wrapper [role=tab]")],
  panels: (tab) => [...document.querySelectorAll(`#tab-${tab} .panels > .tab-wrapper [role=tab]`)],

  // The buttons of what is in sight; a tab of one panel, or one that is not built yet, has no panel.
  inSight() {
    const chosen = (buttons) => buttons.find((button) => button.ariaSelected === "true");
    const tab = chosen(this.tabs());
    return { tab, panel: tab && chosen(this.panels(tab.dataset.tabId)) };
  },

  // The query that names what is in sight and what else is given, without what is null there.
  query(more) {
    const { tab, panel } = this.inSight();
    const parts = { tab: tab.dataset.tabId, panel: panel?.dataset.tabId, ...more };
    return new URLSearchParams(Object.entries(parts).filter(([, value]) => (value ?? null) !== null));
  },

  // A person's click on a tab is a step of the browser's history.
  clicked(event) {
    if (!event.isTrusted || !event.target.closest?.("#tabs > .tab-wrapper [role=tab], .panels > .tab-wrapper [role=tab]")) return;
    requestAnimationFrame(() => this.follow());
  },

  follow() {
    const { tab, panel } = this.inSight();
    if (!tab) return;
    const asked = this.asked();
    const here = { tab: tab.dataset.tabId, panel: panel?.dataset.tabId ?? null };
    if (here.tab !== asked.tab || here.panel !== asked.panel) {
      history.pushState(null, "", this.kept(this.query({ view: asked.view })));
    }
    this.entitle();
  },

  // The title, and the buttons within sight: on a phone both lists scroll sideways.
  entitle() {
    noiseToDataViews.follow();
    const { tab, panel } = this.inSight();
    const buttons = [panel, tab].filter(Boolean);
    document.title = [...buttons.map((button) => button.textContent.trim()), this.title].join(" · ");
    buttons.forEach((button) => button.scrollIntoView({ block: "nearest", inline: "nearest" }));
  },

  // Once Gradio has built what a link names; it builds the list of panels after that of tabs.
  arrive(tries = 1200) {
    const { tab, panel } = this.inSight();
    const asked = this.asked();
    if ((!tab || (asked.panel && !panel)) && tries > 0) requestAnimationFrame(() => this.arrive(tries - 1));
    else if (tab && asked.tab) this.entitle();
    else if (tab) noiseToDataViews.follow();
  },

  // Opens a tab and one of its panels, the first ones where none is named. Gradio builds what is in
  // a tab when it is opened first: the panel is looked for until it is there.
  async open(tab, panel) {
    const opening = (this.opening = {}); // a later one ends this one
    const named = (buttons, id) => (id ? buttons.find((button) => button.dataset.tabId === id) : buttons[0]);
    const button = named(this.tabs(), tab);
    button?.click();
    for (let tries = 60; button && tries > 0 && this.opening === opening; tries--) {
      const inner = named(this.panels(button.dataset.tabId), panel);
      if (inner) {
        inner.click();
        break;
      }
      if (!panel) break;
      await new Promise(requestAnimationFrame);
    }
    if (this.opening === opening) this.opening = null;
  },

  // A link within the page.
  async go(tab, panel) {
    await this.open(tab, panel);
    requestAnimationFrame(() => this.follow());
  },

  // Back and Forward.
  async restore() {
    const { tab, panel } = this.asked();
    await this.open(tab, panel);
    requestAnimationFrame(() => this.entitle());
  },
};
if (window.gradio_config) window.noiseToDataAddress.select(window.gradio_config);
document.addEventListener("click", (event) => window.noiseToDataAddress.clicked(event));
window.noiseToDataAddress.arrive();
window.addEventListener("popstate", () => window.noiseToDataAddress.restore());
