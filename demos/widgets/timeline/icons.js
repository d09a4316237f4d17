// The icons of the timeline.

const ICONS = {
  play: "M8 5.5v13l11-6.5z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  back: "M6 5h2.5v14H6zM18 5.5v13L9 12z",
  forward: "M15.5 5H18v14h-2.5zM6 5.5v13l9-6.5z",
  replay: "M4 4v6h6M4.6 10A8 8 0 1 1 4 13",
  loop: "M17 2l4 4-4 4M3 11V9a3 3 0 0 1 3-3h15M7 22l-4-4 4-4M21 13v2a3 3 0 0 1-3 3H3",
};

function iconButton(icon, label, className = "") {
  const button = make("button", { type: "button", "aria-label": label, title: label });
  button.className = `timeline-icon ${className}`;
  setIcon(button, icon);
  return button;
}

function setIcon(button, icon) {
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
}
