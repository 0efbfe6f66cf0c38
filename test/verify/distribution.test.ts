/** What a report says of its mismatches as a whole: where they lie, how far from a tie; what quantization costs; that one can be aborted. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineFor } from "../../src/api.ts";
import { loadModel, runReference, simulate, Tensor, verify } from "../../src/index.ts";
import { readNpz } from "../../src/io/npz.ts";
import { addToHeatmap, addToHistogram, emptyHeatmap, emptyHistogram } from "../../src/verify/distribution.ts";
import { verifyModel } from "../../src/verify/verify.ts";

const folder = join(import.meta.dirname, "../../models/digits_cnn/w8a8_pc");
const loaded = () => loadModel(join(folder, "model.onnx"), { encodings: join(folder, "model.encodings") });
const inputs = readNpz(readFileSync(join(folder, "inputs.npz")), "inputs.npz").get("input")!;
const feeds = { input: new Tensor("float32", inputs.data.slice(0, 64), [1, 1, 8, 8]) };

describe("a heatmap", () => {
  it("counts a mismatch in the cell of its channel and position, at most 32 by 32 cells", () => {
    const map = emptyHeatmap([2, 64, 8, 16]);
    expect(map).toMatchObject({ rowAxis: 1, rowSize: 64, columnAxes: [2, 3], columnSize: 128, rows: 32, columns: 32 });
    addToHeatmap(map, (1 * 64 + 63) * 128 + 127);
    addToHeatmap(map, (0 * 64 + 62) * 128 + 124);
    addToHeatmap(map, 4);
    expect(map.counts.length).toBe(1024);
    expect(map.counts.at(-1)).toBe(2);
    expect(map.counts[1]).toBe(1);
  });

  it.each([
    [[], 1, 1],
    [[7], 1, 7],
    [[3, 40], 3, 32],
    [[1, 5, 6], 5, 6],
  ])("of shape %j has %i × %i cells, and every element has one", (dims, rows, columns) => {
    const map = emptyHeatmap(dims);
    const size = dims.reduce((a, b) => a * b, 1);
    for (let i = 0; i < size; i++) addToHeatmap(map, i);
    expect([map.rows, map.columns]).toEqual([rows, columns]);
    expect(map.counts.reduce((a, b) => a + b, 0)).toBe(size);
    expect(Math.min(...map.counts)).toBeGreaterThan(0);
  });
});

describe("a histogram", () => {
  it("counts every distance from 0 up in the bin that begins at or below it", () => {
    const ties = emptyHistogram();
    for (const distance of [0, 1e-12, 3e-9, 0.5, 3, 1e6]) addToHistogram(ties, distance);
    expect(ties.counts[0]).toBe(2);
    expect(ties.counts[1]).toBe(1);
    expect(ties.counts[ties.from.indexOf(0.3)]).toBe(1);
    expect(ties.counts.at(-1)).toBe(2);
  });
});

describe("a verification", () => {
  it("places a planted error and its distance, and reports nothing of the kind for layers that are equal", async () => {
    const report = await verifyModel(
      await loaded(),
      [feeds],
      await engineFor("auto"),
      { against: "sim-f64", rounding: "halfEven", mode: "local", target: "exact" },
      (tensor, codes) => {
        if (tensor === "/pw/Conv_output_0") codes.data[65]!++;
      },
    );
    for (const { tensor, local } of report.layers) {
      const planted = tensor === "/pw/Conv_output_0";
      expect(
        local!.map?.counts.reduce((a, b) => a + b, 0),
        tensor,
      ).toBe(planted ? 1 : undefined);
      expect(
        local!.ties?.counts.reduce((a, b) => a + b, 0),
        tensor,
      ).toBe(planted ? 1 : undefined);
      if (planted) expect(local!.map!.counts[1 * local!.map!.columns]).toBe(1);
    }
  });

  it("measures the noise of quantization: of a layer alone from its exact values, of all from the float network", async () => {
    const model = await loaded();
    const report = await verify(model, [feeds], { noise: true });
    const bare = await simulate(await loadModel(join(folder, "model.onnx")), feeds, { capture: report.layers.map(({ tensor }) => tensor) });
    const whole = await runReference(model, feeds, { capture: "all" });
    for (const { tensor, noise } of report.layers) {
      let signal = 0;
      let distance = 0;
      const codes = whole[tensor]!.encoding ? whole[tensor]!.toFloat().data : whole[tensor]!.data;
      for (const [i, value] of (bare[tensor]!.data as Float32Array).entries()) {
        signal += value ** 2;
        distance += (value - (codes[i] as number)) ** 2;
      }
      expect(noise!.cumulativeDb, tensor).toBeCloseTo(10 * Math.log10(signal / distance), 2);
      expect(noise!.localDb ?? Number.POSITIVE_INFINITY, tensor).toBeGreaterThan(20);
    }
    expect((await verify(model, [feeds])).layers.every(({ noise }) => noise === undefined)).toBe(true);
  });

  it("stops soon after its signal is raised from a timer", async () => {
    const controller = new AbortController();
    const pending = verify(await loaded(), new Array(2000).fill(feeds), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(pending).rejects.toMatchObject({ code: "session/aborted" });
  });
});
