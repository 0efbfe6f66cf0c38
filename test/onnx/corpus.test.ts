/** Every ONNX file of the data folder decodes or is refused with a typed error; what decodes survives encoding. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { printGraph } from "../../src/graph/print.ts";
import { nodeExternalData } from "../../src/io/modelFolder.ts";
import { decodeOnnx } from "../../src/onnx/decode.ts";
import { encodeOnnx } from "../../src/onnx/encode.ts";

const DATA = process.env.BITEXACT_DATA ?? "../shared/data";
const present = existsSync(DATA);
if (!present) console.warn(`ONNX corpus skipped: no ${DATA}`);
const EVERY = process.env.BITEXACT_TIER === "fast" ? 8 : 1; // fast: every eighth file

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : entry.name.endsWith(".onnx") ? [path] : [];
  });
}

const REFUSED = new Set(["onnx/opset", "onnx/value-type", "onnx/external-missing", "onnx/external-path"]);

describe.skipIf(!present)("recorded ONNX files", () => {
  test("all recorded AIMET models decode", () => {
    const files = filesUnder(join(DATA, "aimet"));
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) expect(decodeOnnx(readFileSync(file)).nodes.length, file).toBeGreaterThan(0);
  });

  test("every corpus file decodes and comes back equal after encoding, or is refused for its opset, value types or missing data", async () => {
    const files = filesUnder(join(DATA, "corpora")).filter((_, i) => i % EVERY === 0);
    let decoded = 0;
    for (const file of files) {
      const externalData = await nodeExternalData(dirname(file));
      try {
        const graph = decodeOnnx(readFileSync(file), { externalData });
        const text = printGraph(graph);
        expect(printGraph(decodeOnnx(encodeOnnx(graph))) === text, file).toBe(true);
        decoded++;
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        expect(
          error.issues.filter((issue) => !REFUSED.has(issue.code)),
          file,
        ).toEqual([]);
      }
    }
    expect(decoded / files.length).toBeGreaterThan(0.8);
  });
});
