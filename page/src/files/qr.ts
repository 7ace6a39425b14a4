// QR codes in pictures and camera frames. What is in one is shown before anything is done with it.

import decodeQR, { decodeQRBatch } from "qr/decode.js";

/** For one picture that somebody waits for; a camera's frame gets what the library takes for one. */
const PICTURE_MS = 1_500;
const PICTURE_EFFORT = 8;

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly data: Uint8ClampedArray;
}

/** Give the text of the code in a camera's frame; null if none is seen. */
export function readQr({ width, height, data }: Frame): string | null {
  try {
    return decodeQR({ width, height, data });
  } catch {
    // The library throws where it sees no code, which is so in most frames.
    return null;
  }
}

/** Give the texts of all codes in a picture, each once. */
export async function readQrCodes({ width, height, data }: Frame): Promise<readonly string[]> {
  const [results = []] = await decodeQRBatch([{ width, height, data }], {
    format: "RGBA",
    timeLimit: PICTURE_MS,
    effort: PICTURE_EFFORT,
  });
  return [...new Set(results.filter((each) => typeof each === "string"))];
}
