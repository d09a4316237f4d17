// Puts what a picture says of itself into its PNG file: one iTXt chunk for each text, right after
// the header, which is always 33 bytes long (PNG specification, sections 5.3, 11.3.3.4 and annex D).

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function textChunk(keyword, text) {
  // Behind the keyword: not compressed, no language, no translated keyword.
  const body = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`);
  const chunk = new Uint8Array(body.length + 8);
  const numbers = new DataView(chunk.buffer);
  numbers.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  numbers.setUint32(body.length + 4, crc32(body));
  return chunk;
}

function withText(png, texts) {
  const chunks = Object.entries(texts ?? {}).map(([keyword, text]) => textChunk(keyword, text));
  return new Blob([png.slice(0, 33), ...chunks, png.slice(33)], { type: "image/png" });
}
