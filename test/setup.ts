/** Tests build graphs by hand and compile them without loadModel: everything that is loaded on demand is loaded before each file. */
import "../src/session/promote.ts";
import { loadFull } from "../src/full.ts";
import { loadFlaws } from "../src/onnx/deferred.ts";

await Promise.all([loadFull(), loadFlaws()]);
