/** The kernels of target ort against src/numerics/single.ts: all pairs of 8-bit codes, ties, edge sizes, guards around outputs. */
import { describe, expect, it } from "vitest";
import { type Encoding, perTensor } from "../../src/encodings/encoding.ts";
import { levelsOf } from "../../src/forms/codes.ts";
import type { LinearData, LinearOperand } from "../../src/forms/linear.ts";
import { type SingleForm, singleCode, singleReals } from "../../src/forms/single.ts";
import { SINGLE } from "../../src/kernels/elementwise.ts";
import { broadcastDescriptor, windowDescriptor } from "../../src/kernels/elementwiseArgs.ts";
import { quantizeFloat32 } from "../../src/numerics/affine.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { averageSingle, meanFactor, meanSingle } from "../../src/numerics/single.ts";
import { firstDifference, type Machine, machines, pack, type Stored, storedOf, tier, unpack } from "./elementwiseMachine.ts";

const f = Math.fround;
/** (sa, sb, sy): ratios ½ ¼ ⅛ 1 1/49 make ties; the last is out of the vectors' reach. */
const SCALES: readonly (readonly [number, number, number])[] = [
  [f(0.0235), f(0.0117), f(0.0307)],
  [0.5, 0.5, 1],
  [1 / 8, 1 / 4, 1 / 2],
  [f(1 / 49), f(1 / 49), 1],
  [1, 1, 1],
  [f(0.003), f(0.9), f(0.05)],
  [f(0.7), f(0.7), f(1.4)],
  [3, 5, f(0.001)],
];

function operand(id: string, encoding: Encoding): LinearOperand {
  const { scale, zeroPoint } = levelsOf(encoding);
  return { id, encoding, scale, zeroPoint, largest: 255 };
}

/** A layer of uint8 grids, as the form hands it to the kernel. */
function formOf(op: SingleForm["op"], scales: readonly [number, number, number], zeros: readonly [number, number, number]): SingleForm {
  const [a, b, y] = scales.map((scale, i) => perTensor("uint8", scale, zeros[i]!)) as [Encoding, Encoding, Encoding];
  const name = op === SINGLE.product || op === SINGLE.mul ? "mul" : op === SINGLE.sub ? "sub" : "add";
  const data: LinearData = { node: "n", op: name, a: operand("a", a), b: operand("b", b), output: "y", encoding: y, levels: levelsOf(y) };
  return { data, op };
}

const clamp = (code: number): number => Math.max(0, Math.min(255, code));

/** Stored value of uint8 code 0. */
const originOf = (stored: Stored): number => stored.lowest;

function runPairs(machine: Machine, form: SingleForm, columns: number): number[] {
  const stored = storedOf(machine, 8);
  const origin = originOf(stored);
  machine.reset();
  const codes = Array.from({ length: 256 }, (_, i) => i + origin);
  const walk = broadcastDescriptor([256, columns], [1, 0], [0, 1]);
  const output = machine.output(256 * columns, 3);
  const { a, b, levels } = form.data;
  const fields = {
    a: machine.put(pack(stored, codes), 5),
    b: machine.put(pack(stored, codes), 7),
    output,
    aKind: stored.kind,
    bKind: stored.kind,
    outKind: stored.kind,
    rank: walk.rank,
    shape: machine.put(walk.words),
    aZero: a.zeroPoint + origin,
    bZero: b.zeroPoint + origin,
    outZero: levels.zeroPoint + origin,
    min: origin,
    max: origin + 255,
    op: form.op,
    outOrigin: origin,
    reals: machine.put(singleReals(form)),
  };
  machine.run("binary_single", fields, walk.units);
  return unpack(machine, stored, output, 256 * columns).map((code) => code - origin);
}

describe.each(machines())("target ort, $variant", (machine) => {
  const stored = storedOf(machine, 8);
  const origin = originOf(stored);

  it.each(Object.entries(SINGLE))(`binary_single %s: all 65,536 pairs of codes on ${tier(3, 8, 8)} sets of scales`, (_name, op) => {
    for (const [n, scales] of SCALES.slice(0, tier(3, 8, 8)).entries()) {
      for (const columns of n === 0 ? [256, 1, 15, 17, 33] : [256]) {
        const form = formOf(op, scales, [(n * 37) % 256, (n * 91 + 128) % 256, (n * 53 + 127) % 256]);
        const { a, b } = form.data;
        const code = singleCode(form);
        const expected = Array.from({ length: 256 * columns }, (_, i) =>
          clamp(code(Math.floor(i / columns) - a.zeroPoint, (i % columns) - b.zeroPoint)),
        );
        expect(firstDifference(runPairs(machine, form, columns), expected), `scales ${scales}, ${columns} columns`).toBeNull();
      }
    }
  });

  it("mean_single: sums of codes and averages of reals over planes, runs of 1 to 19", () => {
    const random = createPcg32(41, 0);
    const [from, to] = [perTensor("uint8", f(0.021), 120), perTensor("uint8", f(0.013), 11)].map(levelsOf) as [
      ReturnType<typeof levelsOf>,
      ReturnType<typeof levelsOf>,
    ];
    for (const run of [1, 7, 8, 9, 19]) {
      const axis = (size: number) => ({ size, out: size - 2, window: 3, stride: 1, dilation: 1, padBegin: 0 });
      const through = { size: run, out: run, window: 1, stride: 1, dilation: 1, padBegin: 0 };
      const walk = windowDescriptor([axis(5), axis(4), through], [4 * run, run, 1], null);
      const codes = Array.from({ length: 20 * run }, () => random.integer(0, 255));
      for (const mode of [0, 1]) {
        machine.reset();
        const output = machine.output(6 * run, 1);
        const fields = {
          input: machine.put(
            pack(
              stored,
              codes.map((code) => code + origin),
            ),
          ),
          output,
          inKind: stored.kind,
          outKind: stored.kind,
          rank: walk.rank,
          axes: machine.put(walk.words),
          run: walk.run,
          inZero: from.zeroPoint + origin,
          outZero: to.zeroPoint + origin,
          min: origin,
          max: origin + 255,
          mode,
          factors: machine.put(Float32Array.of(meanFactor(from, to, 9))),
          countMin: 9,
          reals: machine.put(Float64Array.of(from.scale, to.scale)),
          outOrigin: origin,
        };
        machine.run("mean_single", fields, walk.units);
        const expected = Array.from({ length: 6 * run }, (_, i) => {
          const [row, column, at] = [Math.floor(i / (2 * run)), Math.floor(i / run) % 2, i % run];
          const taps = Array.from({ length: 9 }, (_, t) => codes[((row + Math.floor(t / 3)) * 4 + column + (t % 3)) * run + at]!);
          const sum = taps.reduce((total, code) => total + code - from.zeroPoint, 0);
          return clamp(mode ? averageSingle(from, to, taps, 9) : meanSingle(from, to, sum, 9));
        });
        expect(
          firstDifference(
            unpack(machine, stored, output, 6 * run).map((code) => code - origin),
            expected,
          ),
          `run ${run}, mode ${mode}`,
        ).toBeNull();
      }
    }
  });

  it("quantize_single: ties, infinities, NaN and counts from 1 to 67", () => {
    const scale = f(2 / 255);
    const values = [Number.NaN, Infinity, -Infinity, -0, 1e30, ...Array.from({ length: 62 }, (_, i) => f((i * 4 - 127.5) / 127.5))];
    for (const count of [1, 3, 4, 31, 32, 33, 67]) {
      machine.reset();
      const output = machine.output(count);
      const fields = {
        input: machine.put(Float32Array.from(values.slice(0, count))),
        output,
        outKind: stored.kind,
        zero: 128 + origin,
        min: origin,
        max: origin + 255,
        scale: machine.put(Float64Array.of(scale)),
      };
      machine.run("quantize_single", fields, count);
      const expected = values.slice(0, count).map((x) => quantizeFloat32(x, scale, 128, 0, 255, "halfEven"));
      expect(
        firstDifference(
          unpack(machine, stored, output, count).map((code) => code - origin),
          expected,
        ),
        `${count}`,
      ).toBeNull();
    }
  });
});
