// A verdict in the browser, in a card: the threshold moves here, without a call to the server.

const SHEET = { side: 192, gap: 16, margin: 28, head: 62, foot: 60 }; // of the PNG, in pixels

class AnomalyView extends Card {
  constructor(root) {
    super(root);
    this.root = root;
    this.headline = make("p", { class: "anomaly-headline", role: "status" });
    this.reason = make("p", { class: "anomaly-reason" });
    this.pictures = make("div", { class: "anomaly-pictures" });
    this.rates = make("div", { class: "anomaly-rates" });
    [this.histograms, this.roc] = [new Histograms(), new Roc()];
    this.table = make("div", { class: "anomaly-kinds" });
    this.about = make("p", { class: "anomaly-about" });
    this.full.append(
      this.headline, this.reason, this.pictures, this.rates,
      make("div", { class: "anomaly-charts" }, this.histograms.node, this.roc.node),
      this.table, this.about, this.foot("Download the verdict as PNG", () => this.drawn()),
    );
  }

  load(value) {
    this.fill(value, Boolean(value?.own));
    if (this.full.hidden) return;
    const sources = value.pictures.map((picture) => picture.src).join();
    if (sources !== this.sources) this.pictures.replaceChildren(...value.pictures.map((p) => this.picture(p)));
    this.sources = sources;
    const told = JSON.stringify(value.measured);
    if (told !== this.told) this.measure(value);
    this.told = told;
    this.judge(value);
  }

  picture({ title, alt, src }) {
    return make("figure", {}, make("img", { src, alt }), make("figcaption", {}, title));
  }

  measure({ measured, scores }) {
    this.by = {};
    for (const key of Object.keys(scores)) {
      const one = new Measured(measured, key);
      this.by[key] = { measured: one, curve: one.curve() };
    }
  }

  // A score as it is read: "5.2%", "−14,229 nats"; on an axis without its unit's word.
  written(key, value, short = false) {
    const { factor, digits, unit } = this.value.scores[key];
    const shown = (factor * value + 0).toLocaleString("en", {
      minimumFractionDigits: short ? 0 : digits, maximumFractionDigits: digits,
    });
    return shown.replace("-", "−") + (short ? unit.trim().replace(/^\w+$/, "") : unit);
  }

  judge({ score, allowed, own, scores, measured_on }) {
    const { measured, curve } = this.by[score];
    const limit = measured.limit(allowed);
    this.sayVerdict(score, limit);
    const alarms = measured.above(measured.portraits, limit);
    const missed = measured.odd.length - measured.above(measured.odd, limit);
    this.rates.replaceChildren(
      this.rate("False alarms", alarms, measured.portraits.length, "portraits", "anomaly-portraits"),
      this.rate("Missed", missed, measured.odd.length, "odd pictures", "anomaly-others"),
    );
    const written = (value, short) => this.written(score, value, short);
    this.histograms.show({ measured, own: own[score], limit, written, axis: scores[score].axis });
    this.roc.show({ measured, limit, curve });
    this.table.replaceChildren(this.kinds(score, limit));
    this.about.textContent = measured_on;
    Object.assign(this.root.dataset, { limit, alarms, missed });
  }

  sayVerdict(score, limit) {
    const { own, scores, allowed } = this.value;
    const odd = own[score] > limit;
    const figures = `its ${scores[score].name}, ${this.written(score, own[score])}`;
    const threshold = `the threshold of ${this.written(score, limit)}`;
    this.headline.textContent = odd
      ? `Odd: ${figures}, is above ${threshold}`
      : `Nothing odd: ${figures}, is not above ${threshold}`;
    this.headline.classList.toggle("anomaly-found", odd);
    const { portraits } = this.by[score].measured;
    const lower = portraits.filter((other) => other < own[score]).length;
    const others = Object.keys(scores).filter((key) => key !== score);
    const also = others.map((key) => {
      const same = own[key] > this.by[key].measured.limit(allowed) === odd;
      return ` Its ${scores[key].name}, ${this.written(key, own[key])}, ${same ? "agrees" : "disagrees"}.`;
    });
    this.reason.textContent = `It scores higher than ${lower} of ${portraits.length} portraits that training did not show.${also.join("")}`;
  }

  rate(title, count, all, what, kind) {
    const share = make("b", {}, percent(count / all));
    return make("p", { class: kind }, make("i", {}), make("span", {}, title), share, make("small", {}, `${count} of ${all} ${what}`));
  }

  // What each kind of odd pictures is worth: areas by all scores, and what slips through now.
  kinds(score, limit) {
    const { scores, examples, measured } = this.value;
    const keys = Object.keys(scores);
    const head = make("tr", {}, make("th", { scope: "col" }, "Kind"));
    head.append(...keys.map((key) => make("th", { scope: "col" }, `ROC area, by ${scores[key].name}`)));
    head.append(make("th", { scope: "col" }, "Missed now"));
    const cells = (area, missed) => [
      ...keys.map((key) => make("td", { class: key === score ? "anomaly-strong" : "" }, area(measured.area[key]).toFixed(3))),
      make("td", {}, this.bar(missed)),
    ];
    const missed = (list) => 1 - this.by[score].measured.above(list, limit) / list.length;
    const rows = this.by[score].measured.kinds.map(([kind, list]) => {
      const name = make("th", { scope: "row" }, this.thumb(examples[kind]), make("span", {}, kind));
      return make("tr", {}, name, ...cells((area) => area.kinds[kind], missed(list)));
    });
    const all = make("th", { scope: "row" }, this.thumb(), make("span", {}, "all of them"));
    rows.unshift(make("tr", { class: "anomaly-all" }, all, ...cells((area) => area.all, missed(this.by[score].measured.odd))));
    return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
  }

  thumb(src) {
    return src ? make("img", { src, alt: "" }) : "";
  }

  bar(share) {
    const rail = make("span", { class: "anomaly-rail", "aria-hidden": "true" }, make("span", { style: `width: ${100 * share}%` }));
    return make("span", { class: "anomaly-missed" }, rail, percent(share));
  }

  async drawn() {
    const { pictures, provenance } = this.value;
    const { side, gap, margin, head, foot } = SHEET;
    const width = 2 * margin + pictures.length * (side + gap) - gap;
    const { canvas, context, write } = whitePaper(width, 2 * margin + head + side + foot);
    const inside = { width: width - 2 * margin };
    write(this.headline.textContent, margin, margin + 14, { colour: "#1f2937", font: "600 16px", ...inside });
    write(this.reason.textContent, margin, margin + 38, inside);
    for (const [k, { title, src }] of pictures.entries()) {
      const left = margin + k * (side + gap);
      context.drawImage(await decoded(src), left, margin + head, side, side);
      write(title, left, margin + head + side + 20, { colour: "#1f2937", width: side });
    }
    write(provenance, margin, margin + head + side + foot, inside);
    return canvas;
  }
}

const view = new AnomalyView(element.querySelector(".anomaly"));
showValue(view);
