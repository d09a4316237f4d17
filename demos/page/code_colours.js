// The colours of the code that Gradio shows, readable in both themes. CodeMirror writes one rule for
// each kind of word, under names that it makes up; each gets a second one for the light page and a
// third for the dark one, of the same hue.
window.noiseToDataCodeColours = {
  RATIO: 4.6, // 4.5 is asked for
  KIND: /^\.ͼ\w+$/, // the selector of a kind of word

  rgb: (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number),

  luminance(rgb) {
    const [r, g, b] = rgb.map((v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  },

  contrast(a, b) {
    const [dark, light] = [a, b].map(this.luminance).sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  },

  // The colour, as near to ink as it must be to be read on that ground.
  readable(colour, ground) {
    const ink = this.luminance(ground) > 0.5 ? 0 : 255;
    let share = 0;
    const mixed = () => colour.map((v) => Math.round(v + share * (ink - v)));
    while (this.contrast(mixed(), ground) < this.RATIO && share < 1) share += 0.05;
    return `rgb(${mixed().join(" ")})`;
  },

  // What code lies on, in a theme.
  ground(theme) {
    const probe = document.createElement("i");
    probe.className = theme;
    probe.style.background = "var(--block-background-fill)";
    document.documentElement.append(probe); // beside the body, which may be dark
    const { backgroundColor } = getComputedStyle(probe);
    probe.remove();
    return this.rgb(backgroundColor);
  },

  kinds() {
    const rules = [...document.styleSheets].filter((sheet) => !sheet.href).flatMap((sheet) => [...sheet.cssRules]);
    return rules.filter((rule) => this.KIND.test(rule.selectorText ?? "") && rule.style.color);
  },

  write() {
    const kinds = this.kinds();
    if (kinds.length === this.written) return;
    this.written = kinds.length;
    const [light, dark] = ["", "dark"].map((theme) => this.ground(theme));
    const probe = document.createElement("i");
    this.sheet ??= document.body.appendChild(document.createElement("style"));
    this.sheet.textContent = kinds.map(({ selectorText, style }) => {
      probe.style.color = style.color;
      document.body.append(probe);
      const colour = this.rgb(getComputedStyle(probe).color);
      return [["", light], [".dark ", dark]].map(([theme, ground]) =>
        `${theme}.cm-line ${selectorText} { color: ${this.readable(colour, ground)} }`).join("\n");
    }).join("\n");
    probe.remove();
  },
};
// CodeMirror's rules stand in the head, and there are more of them with each language.
new MutationObserver(() => window.noiseToDataCodeColours.write()).observe(document.head, { childList: true, subtree: true });
