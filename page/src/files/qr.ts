// QR codes in pictures and camera frames. What is in one is shown before anything is done with it.

import decodeQR from "qr/decode.js";

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly data: Uint8ClampedArray;
}

/** Give the text of the code in a picture; null if none is seen. */
export function readQr({ width, height, data }: Frame): string | null {
  try {
    return decodeQR({ width, height, data });
  } catch {
    // The library throws where it sees no code, which is so in most frames.
    return null;
  }
}
