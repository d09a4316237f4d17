// Other views of the page, which its address names: ?view=projector for a hall, with larger type and
// the main controls alone, and ?view=lesson without controls, as a teacher hands it out. Stands in
// the page's head, so that nothing is built first that goes away again.
window.noiseToDataViews = {
  VIEWS: ["projector", "lesson"],

  // The view that the address names; null for the usual one.
  asked() {
    const view = new URLSearchParams(location.search).get("view");
    return this.VIEWS.includes(view) ? view : null;
  },

  show(view) {
    const query = new URLSearchParams(location.search);
    if (view) query.set("view", view);
    else query.delete("view");
    history.replaceState(null, "", `?${query}`);
    this.follow();
  },

  toggleProjector() {
    this.show(this.asked() === "projector" ? null : "projector");
  },

  // Called whenever the address changes.
  follow() {
    const view = this.asked();
    if (view) document.documentElement.dataset.view = view;
    else delete document.documentElement.dataset.view;
    document.querySelector(".projector-toggle")?.setAttribute("aria-pressed", view === "projector");
    this.tellAddress(view === "projector");
  },

  // Where others find this page: not at an address that only this machine has.
  base() {
    const own = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
    const shared = document.querySelector("meta[name=network-address]")?.content;
    return own ? shared : location.origin + location.pathname;
  },

  // On a projector: the address of what is in sight, to be typed or read with a phone.
  tellAddress(shown) {
    const place = document.querySelector(".projector-address");
    if (!place) return;
    const base = this.base();
    place.hidden = !shown;
    if (!shown) return;
    const query = noiseToDataAddress.shared(new URLSearchParams(location.search));
    query.delete("view");
    const code = place.querySelector("img");
    if (!base) code.hidden = true;
    else code.src = `qr.svg?${new URLSearchParams({ link: `${base}${query.size ? `?${query}` : ""}` })}`;
    place.querySelector("span").textContent = base
      ? base.replace(/^https?:\/\//, "").replace(/\/$/, "")
      : "Started with --host 0.0.0.0, this page opens on other devices too";
  },
};
window.noiseToDataViews.follow();
