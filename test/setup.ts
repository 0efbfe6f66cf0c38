/** Tests build graphs by hand and compile them without loadModel: everything beyond the core is loaded before each file. */
import { loadFull } from "../src/full.ts";

await loadFull();
