// Finds the credentials in what was given: files, archives, pictures, bundles, links, QR codes.

export { type Found, InputError } from "./found.js";
export { matchHolder } from "./holder.js";
export { readInputs } from "./inputs.js";
export { isBundle, ourFormat, parseBundleFile, parseFile } from "./parse.js";
export { type Frame, readQr, readQrCodes } from "./qr.js";
export { statedBy } from "./stated.js";
