// Places of the plane: as they are sent (uint16), and on a canvas.

const SHOWN_TO = 3; // the plane is drawn from -3 to 3, and sent from -SENT_TO to SENT_TO
const SENT_TO = 4;

// How far right of the middle (or above it) on a canvas `scale` wide that is drawn from -to to `to`.
const placed = (sent, scale, to = SHOWN_TO) => ((sent / 65535 - 0.5) * 2 * SENT_TO * scale) / (2 * to);
