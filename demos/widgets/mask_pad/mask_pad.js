// The mask pad in the browser: painted white on black, 64 by 64, and seen as stripes on the picture
// that lies beneath. One dark stripe and one bright: on any picture, one of the two stands out.

const SIDE = 64;
const STRIPES = ["rgb(255 40 160 / 0.55)", "rgb(25 0 30 / 0.55)"];
const STRIPE = 11; // pixels of the canvas that is seen

function square(side) {
  return Object.assign(document.createElement("canvas"), { width: side, height: side });
}

class MaskPad extends Pad {
  constructor(root) {
    super(root, square(SIDE));
  }

  show() {
    const { width, height } = this.canvas;
    const seen = this.canvas.getContext("2d");
    seen.clearRect(0, 0, width, height);
    if (this.reads === false) return; // noise would cover the picture
    this.stencil ??= square(SIDE);
    this.stripes ??= this.striped();
    const painted = this.context.getImageData(0, 0, SIDE, SIDE);
    for (let p = 0; p < painted.data.length; p += 4) {
      painted.data[p + 3] = painted.data[p] > 127 ? 255 : 0; // as the server reads it
    }
    this.stencil.getContext("2d").putImageData(painted, 0, 0);
    seen.imageSmoothingEnabled = false;
    seen.globalCompositeOperation = "source-over";
    seen.drawImage(this.stencil, 0, 0, width, height);
    seen.globalCompositeOperation = "source-in";
    seen.drawImage(this.stripes, 0, 0);
  }

  striped() {
    const sheet = square(this.canvas.width);
    const context = sheet.getContext("2d");
    context.rotate(-Math.PI / 4);
    for (let x = -sheet.width, i = 0; x < sheet.width; x += STRIPE, i++) {
      context.fillStyle = STRIPES[i % 2];
      context.fillRect(x, 0, STRIPE, 2 * sheet.width);
    }
    return sheet;
  }
}

new MaskPad(element.querySelector(".drawing"));
