// QR codes as people photograph them: drawn here from the code's modules, then tilted, darkened and blurred.

import assert from "node:assert/strict";
import { test } from "node:test";

import encodeQR from "qr";

import { type Frame, readQr, readQrCodes } from "../src/files/index.js";
import { seeded } from "./support.js";

const LINK = "https://registry.college.example/c/6f1f0c3e-9d55-4a0e-8c4e-2f6f3f2c9a11.json";

interface Drawn {
  readonly text?: string;
  /** Pixels of a module. */
  readonly scale?: number;
  readonly angle?: number;
  /** How much smaller the upper edge is seen than the lower one. */
  readonly tilt?: number;
  /** Of 255. */
  readonly dark?: number;
  readonly light?: number;
  readonly noise?: number;
  readonly at?: readonly [number, number];
}

/** Draw a code into a picture: for each pixel, the module that is seen there. */
function draw(frame: Frame, drawn: Drawn): Frame {
  const { text = LINK, scale = 4, angle = 0, tilt = 0, dark = 0, light = 255, noise = 0, at } = drawn;
  const modules = encodeQR(text, "raw", { border: 4 });
  const size = modules.length;
  const random = seeded(1);
  const [middleX, middleY] = at ?? [frame.width / 2, frame.height / 2];
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
  for (let y = 0; y < frame.height; y += 1) {
    for (let x = 0; x < frame.width; x += 1) {
      const [right, down] = [x - middleX, y - middleY];
      const [across, along] = [(right * cos + down * sin) / scale, (down * cos - right * sin) / scale];
      const narrowing = 1 + (tilt * along) / size;
      const module = modules[Math.floor(along / narrowing + size / 2)]?.[Math.floor(across / narrowing + size / 2)];
      if (module === undefined) continue;
      const value = (module ? dark : light) + (noise === 0 ? 0 : random(2 * noise) - noise);
      frame.data.set([value, value, value, 255], 4 * (y * frame.width + x));
    }
  }
  return frame;
}

function picture(width: number, height: number, grey = 255): Frame {
  const data = new Uint8ClampedArray(4 * width * height).fill(grey);
  for (let place = 3; place < data.length; place += 4) data[place] = 255;
  return { width, height, data };
}

for (const [name, frame] of [
  ["as it is", draw(picture(400, 400), {})],
  ["upside down", draw(picture(400, 400), { angle: Math.PI })],
  ["turned", draw(picture(500, 500), { angle: 0.5 })],
  ["tilted", draw(picture(500, 500), { scale: 6, tilt: 0.15, angle: 0.1 })],
  ["dark", draw(picture(400, 400, 40), { dark: 10, light: 60 })],
  ["light on dark", draw(picture(400, 400, 0), { dark: 255, light: 0 })],
  ["grainy", draw(picture(640, 480, 120), { scale: 6, dark: 60, light: 180, noise: 40 })],
  ["small in a large picture", draw(picture(3000, 2000, 200), { scale: 6, at: [2300, 600] })],
  ["filling a large picture", draw(picture(2600, 2600), { scale: 45 })],
] as const) {
  test(`a code is read in a picture: ${name}`, async () => {
    assert.deepEqual(await readQrCodes(frame), [LINK]);
  });
}

test("a code is read in a camera's frame", () => {
  assert.equal(readQr(draw(picture(640, 480, 120), { scale: 5, angle: 0.2 })), LINK);
});

test("all codes of a picture are read, each once", async () => {
  const frame = picture(1200, 500);
  for (const [index, text] of ["https://a.example/1", "https://a.example/2", "https://a.example/1"].entries()) {
    draw(frame, { text, scale: 6, at: [220 + 380 * index, 250] });
  }
  assert.deepEqual([...(await readQrCodes(frame))].sort(), ["https://a.example/1", "https://a.example/2"]);
});

test("where no code is, none is read", async () => {
  const random = seeded(2);
  const noisy = picture(300, 300);
  for (let place = 0; place < noisy.data.length; place += 1) noisy.data[place] = random(256);
  for (const frame of [picture(300, 300), noisy, picture(1, 1)]) {
    assert.equal(readQr(frame), null);
    assert.deepEqual(await readQrCodes(frame), []);
  }
});
