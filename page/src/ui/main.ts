// What runs when the page is opened.

import { WorkerChecker } from "../checking/index.js";
import { startWorker } from "./startWorker.js";

const checker = new WorkerChecker(startWorker);
document.querySelector("ca-verifier")?.setAttribute("data-ready", String(checker !== null));
