// What runs in the worker.

import { serve, type WorkerScope } from "./worker.js";

serve(globalThis as unknown as WorkerScope);
