// A portrait of the Overview is pressed: its pixels go to the server. In each row one portrait is
// reached with Tab, the others from there with the arrow keys. gr.HTML runs this once.

const rows = document.querySelector(".ov-rows");
const STRIDES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

// The pixels of a picture on the page, exactly.
async function inPng(image) {
  await image.decode();
  const canvas = make("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/png");
}

rows.addEventListener("click", async ({ target }) => {
  const tile = target.closest(".ov-tile");
  if (!tile) return;
  for (const other of rows.querySelectorAll(".ov-tile[aria-pressed]")) other.removeAttribute("aria-pressed");
  tile.setAttribute("aria-pressed", "true");
  const picture = await inPng(tile.querySelector("img"));
  if (tile.getAttribute("aria-pressed") !== "true") return; // another was pressed meanwhile
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector(".ov-copies").scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  props.value = { picture, who: tile.dataset.who };
  trigger("pick"); // last: its answer scrolls too, and may come at once
});

rows.addEventListener("keydown", (event) => {
  const tile = event.target.closest(".ov-tile");
  const stride = STRIDES[event.key];
  if (!tile || !stride || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const tiles = [...tile.parentElement.querySelectorAll(".ov-tile")];
  const next = tiles[Math.min(tiles.length - 1, Math.max(0, tiles.indexOf(tile) + stride))];
  for (const one of tiles) one.tabIndex = one === next ? 0 : -1;
  next.focus();
});
