// Files with something in them, for previews and small pictures: drawn here, so that none has to lie in the repository.

import { crc32, deflateSync } from 'node:zlib';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'ascii'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

/** Node has it only from version 22 on. */
export function crc(data: Buffer): number {
  if (typeof crc32 === 'function') return crc32(data);
  let rest = 0xffffffff;
  for (const byte of data) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return (rest ^ 0xffffffff) >>> 0;
}

type Colour = readonly [number, number, number];

/** A landscape of sky, sun and hills, as a PNG. */
export function landscape(
  width: number,
  height: number,
  [sky, sun, hill]: readonly [Colour, Colour, Colour],
): Buffer {
  const rows: Buffer[] = [];
  for (let y = 0; y < height; y++) {
    const row = Buffer.alloc(1 + width * 3);
    for (let x = 0; x < width; x++) {
      const far = 0.62 + 0.09 * Math.sin((x / width) * 5 + sky[0]) + 0.03 * Math.sin((x / width) * 17);
      const near = 0.8 + 0.07 * Math.sin((x / width) * 7 + hill[1]);
      const at = y / height;
      const distance = Math.hypot(x - width * 0.68, y - height * 0.36) / height;
      let colour: Colour = mix(sky, [255, 240, 220], at * 0.7);
      if (distance < 0.12) colour = sun;
      if (at > far) colour = mix(hill, sky, 0.45);
      if (at > near) colour = hill;
      row.set(colour, 1 + x * 3);
    }
    rows.push(row);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const mix = (a: Colour, b: Colour, part: number): Colour => [
  Math.round(a[0] + (b[0] - a[0]) * part),
  Math.round(a[1] + (b[1] - a[1]) * part),
  Math.round(a[2] + (b[2] - a[2]) * part),
];

/** A tone of a second, as a WAV. */
export function tone(hertz: number): Buffer {
  const rate = 8000;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + rate, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write('data', 36);
  header.writeUInt32LE(rate, 40);
  const samples = Buffer.from(
    Array.from(
      { length: rate },
      (_, at) => 128 + Math.round(60 * Math.sin((at / rate) * hertz * 2 * Math.PI)),
    ),
  );
  return Buffer.concat([header, samples]);
}
