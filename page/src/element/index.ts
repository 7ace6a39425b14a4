// The module that other sites embed, as the npm package credanchor-verify: the element, and what is beneath it without a
// face. Importing it registers the element.

export { CheckingError } from "../checking/check.js";
export { csvOf, jsonOf } from "../checking/output.js";
export type {
  Anchor,
  Answer,
  Basis,
  CheckEvent,
  Checker,
  Checking,
  CheckRequest,
  Facts,
  HolderMatch,
  Input,
  Outcome,
  Problem,
  Report,
  Source,
  Trouble,
} from "../model/model.js";
export { createChecker, type CheckerOptions } from "./createChecker.js";
export { type Given, type Trouble as TroubleDetail, CredanchorVerify } from "./credanchorVerify.js";
