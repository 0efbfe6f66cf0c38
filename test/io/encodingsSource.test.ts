/** Encodings come as a parsed object or as any source of bytes, and mean the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadModel } from "../../src/model.ts";

const folder = new URL("../../models/digits_cnn/w8a8_pc/", import.meta.url);

test("encodings as an object, bytes, a path, a URL, a Blob or a Response give the same model", async () => {
  const file = new URL("model.encodings", folder);
  const bytes = readFileSync(file);
  const model = readFileSync(new URL("model.onnx", folder));
  const expected = await loadModel(model, { encodings: JSON.parse(bytes.toString()) });
  expect(expected.inputs[0]!.encoding).toBeDefined();
  for (const encodings of [new Uint8Array(bytes), file.pathname, file, new Blob([bytes]), new Response(bytes)]) {
    const { inputs, outputs, warnings } = await loadModel(model, { encodings });
    expect({ inputs, outputs, warnings }).toEqual({ inputs: expected.inputs, outputs: expected.outputs, warnings: expected.warnings });
  }
});

test("null in the place of encodings is a typed error", async () => {
  const model = readFileSync(new URL("model.onnx", folder));
  await expect(loadModel(model, { encodings: null as unknown as object })).rejects.toThrow(/encodings/);
});
