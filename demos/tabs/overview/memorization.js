// A picture beside the training pictures nearest to it, in a card; below, how near fresh ones come.

const KINDS = {
  copy: "copies-limit", // where a picture counts as a copy
  fresh: "copies-fresh",
  own: "copies-own",
};

class CopiesView extends Card {
  constructor(root) {
    super(root);
    this.headline = make("p", { class: "copies-headline", role: "status" });
    this.own = make("figure", { class: "copies-one" });
    this.list = make("div", { class: "copies-nearest" });
    this.track = make("div", { class: "copies-track", "aria-hidden": "true" });
    this.ends = make("p", { class: "copies-key", "aria-hidden": "true" });
    this.key = make("p", { class: "copies-key", "aria-hidden": "true" });
    this.about = make("p", { class: "copies-about" });
    this.full.append(
      this.headline, make("div", { class: "copies-pictures" }, this.own, this.list),
      this.track, this.ends, this.key, this.about,
      make("div", { class: "card-foot" }, this.source, this.message),
    );
  }

  load(value) {
    this.fill(value, Boolean(value?.nearest));
    if (this.full.hidden) return;
    this.root.dataset.verdict = value.verdict;
    this.headline.textContent = value.headline;
    this.own.replaceChildren(...this.picture(value.picture, value.who, "your choice"));
    this.list.replaceChildren(...value.nearest.map(({ picture, number, difference }) => {
      const name = `training picture ${number.toLocaleString("en")}`;
      return make("figure", {}, ...this.picture(picture, difference, name));
    }));
    this.mark(value);
    this.about.textContent = value.about;
  }

  picture(src, title, note) {
    const image = make("img", { src, alt: `${title}, ${note}` });
    return [image, make("figcaption", {}, make("b", {}, title), make("small", {}, note))];
  }

  // All differences on one line that begins at none.
  mark({ own, fresh, limit, who }) {
    const most = 1.06 * Math.max(own, ...fresh);
    const at = (share) => `${(100 * share) / most}%`;
    const dot = (kind, share) => make("i", { class: kind, style: `left: ${at(share)}` });
    const copies = make("span", { class: KINDS.copy, style: `width: ${at(limit)}` });
    this.track.replaceChildren(copies, ...fresh.map((share) => dot(KINDS.fresh, share)), dot(KINDS.own, own));
    const named = (kind, words) => make("span", {}, make("i", { class: kind }), words);
    const last = `${(100 * most).toFixed(0)}%`;
    this.ends.replaceChildren(...["0%", last].map((figure) => make("span", {}, figure)));
    this.key.replaceChildren(
      named(KINDS.copy, "a copy"), named(KINDS.own, who),
      named(KINDS.fresh, `${fresh.length} new portraits`),
    );
  }
}

const view = new CopiesView(element.querySelector(".copies"));
watch("value", () => {
  view.load(props.value);
  // It has grown since its portrait was pressed; once it has been laid out.
  requestAnimationFrame(() => element.scrollIntoView({ block: "nearest" }));
});
view.load(props.value);
