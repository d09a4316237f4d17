// Drawing the frames of a sprite sheet, on screen and into files.
// A sheet holds frame k of sample b at (b * width, k * height). Of a large one, `first` is the frame
// shown first by itself: it is here before the sheet is, and exact.

const KEY_FRAMES = 8;

// The samples of frame `index` as a grid with see-through gaps, on `canvas`.
function drawFrame(lane, index, canvas, left = 0, top = 0, scale = lane.scale) {
  const { pictures, width, height, samples, columns } = lane;
  const alone = pictures.first && index === lane.start;
  const [sheet, row] = alone ? [pictures.first, 0] : [pictures.sheet, index];
  if (!sheet) return; // what is on the canvas stays, until the frames are here
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  if (canvas === lane.canvas) context.clearRect(0, 0, canvas.width, canvas.height);
  if (!lane.present[index]) return;
  for (let i = 0; i < samples; i++) {
    const x = left + (i % columns) * (width + 1) * scale;
    const y = top + Math.floor(i / columns) * (height + 1) * scale;
    context.drawImage(
      sheet, i * width, row * height, width, height, x, y, width * scale, height * scale,
    );
  }
}

// The first sample at evenly spread frames, side by side: the track of the slider.
function drawStrip(lane, last, canvas, width, cell) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(cell * ratio);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const step = (cell * lane.width) / lane.height;
  const cells = Math.max(1, Math.round(width / step));
  for (let i = 0; i < cells; i++) {
    const index = Math.round((cells > 1 ? i / (cells - 1) : 1) * last);
    const x = (i * canvas.width) / cells;
    context.drawImage(
      lane.pictures.sheet, 0, index * lane.height, lane.width, lane.height,
      Math.round(x), 0, Math.ceil(canvas.width / cells), canvas.height,
    );
  }
}

// Up to eight frames from first to last: one row a lane, the clock under every column.
async function exportStrip(value, lanes) {
  const last = value.levels.length - 1;
  const count = Math.min(KEY_FRAMES, last + 1);
  const keys = Array.from({ length: count }, (_, i) => Math.round((i * last) / Math.max(1, count - 1)));
  const size = (lane) => [lane.columns * (lane.width + 1) - 1, lane.rows * (lane.height + 1) - 1];
  const scaled = lanes.map((lane) => {
    const scale = Math.max(1, Math.round(150 / size(lane)[0]));
    return { lane, scale, width: size(lane)[0] * scale, height: size(lane)[1] * scale };
  });
  const [margin, line] = [24, 30];
  const column = Math.max(...scaled.map((row) => row.width), 110) + 12;
  const height = 2 * margin + line + scaled.reduce((sum, row) => sum + row.height + line, 0);
  const { canvas, write } = whitePaper(2 * margin + count * column - 12, height);
  let top = margin;
  for (const { lane, scale, height } of scaled) {
    write(lane.title, margin, top + 14, { colour: "#1f2937", font: "600 15px" });
    keys.forEach((k, i) => drawFrame(lane, k, canvas, margin + i * column, top + line - 6, scale));
    top += height + line;
  }
  keys.forEach((k, i) => write(value.levels[k], margin + i * column, top + 16, { width: column - 8 }));
  await savePng(canvas, `${value.name}-key-frames.png`, value.made);
}

async function exportGif(value, frameMs) {
  const captions = value.levels.map(
    (level, k) => `${value.step_word} ${value.steps[k]} / ${value.total}   ${level}`,
  );
  const sheets = await Promise.all(value.lanes.map((lane) => inDataUrl(lane.sheet)));
  const lanes = value.lanes.map(({ first, ...lane }, i) => ({ ...lane, sheet: sheets[i] }));
  await saveFile({ lanes, captions, frame_ms: frameMs }, `${value.name}.gif`, value.made);
}
