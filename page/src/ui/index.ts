// The verifier's parts for people: <ca-verifier> is all of them; see app.ts for how they plug into each other.

export { Answered } from "./answer.js";
export { Verifier } from "./app.js";
export { Given, type Gift } from "./input.js";
export { LANGUAGES, type Language, languageOf, speak, words, Words } from "./words.js";
