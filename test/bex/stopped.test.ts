/** A plan that leaves its memory is stopped with one typed error, in whatever way it is run. */
import { describe, expect, test } from "vitest";
import { checksumOf } from "../../src/bex/checksum.ts";
import { type BexHeader, PREAMBLE, PREAMBLE_BYTES } from "../../src/bex/format.ts";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { compileModel, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import { loadCompiled } from "../../src/runtimeEntry.ts";

const SIZE = 64;
const codes = (): Tensor => new Tensor("uint8", new Uint8Array(SIZE), [1, SIZE]);

/** h_out = x + h_in, on codes. */
function accumulator() {
  const b = new GraphBuilder("accumulator");
  const grid = perTensor("uint8", 1 / 64, 100);
  for (const name of ["x", "h_in"]) {
    b.input(name, [1, SIZE]);
    b.encoding(name, grid);
  }
  b.output(b.node("Add", ["x", "h_in"], { outputs: ["h_out"] }));
  b.encoding("h_out", grid);
  return modelOf(b.build());
}

/** The file with every word of its image leading far out of memory, its checksums right. */
function poisoned(whole: Uint8Array): Uint8Array {
  const bytes = whole.slice();
  const view = new DataView(bytes.buffer);
  const size = view.getUint32(PREAMBLE.headerBytes, true);
  const text = bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + size);
  const header: BexHeader = JSON.parse(new TextDecoder().decode(text));
  let at = PREAMBLE_BYTES + size;
  const sections = header.sections.map(([length]) => {
    for (const end = at + length; at < end; at += 4) view.setUint32(at, 0x7fffff00, true);
    return [length, checksumOf(bytes.subarray(at - length, at))];
  });
  text.fill(0x20).set(new TextEncoder().encode(JSON.stringify({ ...header, sections })));
  view.setBigUint64(PREAMBLE.checksum, BigInt(`0x${checksumOf(text)}`), true);
  return bytes;
}

describe("a compiled model whose args lead out of memory", async () => {
  const whole = await compileModel(accumulator(), { variants: ["simd"] });
  const session = await loadCompiled(poisoned(whole));
  const feeds = { x: codes(), h_in: codes() };
  const trap = { code: "bex/trap", name: "ModelError" };

  test("is stopped in run, in runSync, and in runs that pause", async () => {
    expect(() => session.runSync(feeds)).toThrow(expect.objectContaining(trap));
    await expect(session.run(feeds)).rejects.toMatchObject(trap);
    await expect(session.run(feeds, { signal: new AbortController().signal })).rejects.toMatchObject(trap);
    await expect(session.run(feeds, { onProgress: () => {} })).rejects.toMatchObject(trap);
    const floats = { ...feeds, x: new Tensor("float32", new Float32Array(SIZE), [1, SIZE]) };
    await expect(session.run(floats)).rejects.toMatchObject(trap); // in the steps that quantize it
  });

  test("is stopped in streams, which stay usable", async () => {
    const stream = await session.stream();
    for (const options of [{}, { signal: new AbortController().signal }])
      await expect(stream.run({ x: codes() }, options)).rejects.toMatchObject(trap);
    expect(() => stream.runSync({ x: codes() })).toThrow(expect.objectContaining(trap));
    expect(stream.state().h_in?.data).toEqual(new Float32Array(SIZE));
    stream.dispose();
  });

  test("is no fault of the file as it was", async () => {
    expect((await loadCompiled(whole)).runSync(feeds).h_out?.data.length).toBe(SIZE);
  });
});
