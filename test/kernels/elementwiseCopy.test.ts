/** copy_strided, fill and the table kernels against plain loops. */
import { describe, expect, it } from "vitest";
import { copyDescriptor } from "../../src/kernels/elementwiseArgs.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import { stridesOf } from "../../src/tensor/shape.ts";
import { firstDifference, type Machine, machines, pack, storedOf, tier, unpack } from "./elementwiseMachine.ts";

const SIZES = [1, 2, 4, 8];

/** Bytes with period 251, a prime: swapped rows and columns show. */
function painted(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i % 251);
}

/** out[outOffset + Σ i·outStrides] = in[inOffset + Σ i·inStrides], element by element. */
function copyPlain(
  source: Uint8Array,
  target: Uint8Array,
  size: number,
  dims: readonly number[],
  inOffset: number,
  inStrides: readonly number[],
  outOffset: number,
  outStrides: readonly number[],
): void {
  const walk = (axis: number, from: number, to: number): void => {
    if (axis === dims.length) {
      for (let b = 0; b < size; b++) target[to * size + b] = source[from * size + b] as number;
      return;
    }
    for (let i = 0; i < (dims[axis] as number); i++)
      walk(axis + 1, from + i * (inStrides[axis] as number), to + i * (outStrides[axis] as number));
  };
  walk(0, inOffset, outOffset);
}

function checkCopy(
  machine: Machine,
  size: number,
  dims: readonly number[],
  inElements: number,
  inOffset: number,
  inStrides: readonly number[],
  outElements: number,
  outOffset: number,
  outStrides: readonly number[],
  skew = 0,
): void {
  machine.reset();
  const source = painted(inElements * size);
  const input = machine.put(source, skew);
  const output = machine.output(outElements * size, skew);
  const expected = machine.bytes(output, outElements * size);
  copyPlain(source, expected, size, dims, inOffset, inStrides, outOffset, outStrides);
  const copy = copyDescriptor(dims, inStrides, outStrides, size);
  const fields = {
    input: input + inOffset * size,
    output: output + outOffset * size,
    rank: copy.rank,
    shape: machine.put(copy.words),
    size,
  };
  machine.run("copy_strided", fields, copy.units);
  expect(
    firstDifference(machine.bytes(output, outElements * size), expected),
    `size ${size}, dims [${dims}], in [${inStrides}], out [${outStrides}]`,
  ).toBeNull();
}

describe.each(machines())("copies, $variant", (machine) => {
  it.each(SIZES)("copy_strided transposes rows × columns around every block edge, %i-byte elements", (size) => {
    for (const rows of [1, 2, 3, 4, 7, 8, 9, 16, 17, 33]) {
      for (const columns of [1, 3, 4, 5, 8, 15, 16, 31]) {
        checkCopy(machine, size, [rows, columns], rows * columns, 0, [1, rows], rows * columns, 0, [columns, 1], rows % 2 ? size : 0);
      }
    }
  });

  it("copy_strided transposes bytes around the edges of its tiles", () => {
    for (const rows of [7, 8, 9, 20]) {
      for (const columns of [7, 8, 9, 255, 256, 257, 264, 511, 520]) {
        checkCopy(machine, 1, [rows, columns], rows * columns, 0, [1, rows], rows * (columns + 3), 0, [columns + 3, 1], rows % 2);
      }
    }
  });

  it.each([1, 2])("flip_top flips the top bit of %i-byte elements and nothing else, runs of every length", (size) => {
    const mask = size === 1 ? 0x80808080 : 0x80008000;
    for (let count = 0; count <= 80; count++) {
      machine.reset();
      const bytes = painted(count * size);
      const address = machine.output(count * size);
      new Uint8Array(machine.memory.buffer, address, bytes.length).set(bytes);
      const flipped = bytes.map((byte, i) => (i % size === size - 1 ? byte ^ 0x80 : byte));
      machine.run("flip_top", { address, mask }, bytes.length);
      expect(firstDifference(machine.bytes(address, bytes.length), flipped), `${count} elements`).toBeNull();
    }
  });

  it.each(SIZES)("copy_strided copies runs of every length up to 300 elements, %i-byte elements", (size) => {
    for (const length of [1, 2, 15, 16, 17, 31, 32, 33, 64, 255, 256, 257, 300]) {
      checkCopy(machine, size, [3, length], 4 * (length + 1), 1, [length + 1, 1], 3 * (length + 5), 2, [length + 5, 1], size);
    }
  });

  it("copy_strided repeats, reverses and shifts", () => {
    for (const size of SIZES) {
      checkCopy(machine, size, [4, 5], 20, 0, [0, 1], 20, 0, [5, 1]); // expand rows
      checkCopy(machine, size, [4, 5], 20, 0, [5, 0], 20, 0, [5, 1]); // expand columns
      checkCopy(machine, size, [4, 5], 20, 19, [-5, -1], 20, 0, [5, 1]); // reverse
      checkCopy(machine, size, [4, 3], 40, 38, [-10, -3], 40, 1, [7, 2]); // strided on both sides
    }
  });

  it("copy_strided leaves the output alone when an axis is empty", () => {
    checkCopy(machine, 4, [3, 0, 5], 1, 0, [5, 5, 1], 15, 0, [5, 5, 1]);
    checkCopy(machine, 1, [0], 1, 0, [1], 4, 0, [1]);
  });

  const permutations = tier(60, 300, 3000);
  it(`copy_strided permutes ${permutations} random tensors of rank 1 to 6 (seed 11)`, () => {
    const random = createPcg32(11);
    for (let sample = 0; sample < permutations; sample++) {
      const rank = random.integer(1, 6);
      const dims = Array.from({ length: rank }, () => random.integer(1, sample % 5 === 0 ? 9 : 4));
      const order = dims.map((_, i) => i);
      for (let i = rank - 1; i > 0; i--) {
        const j = random.integer(0, i);
        [order[i], order[j]] = [order[j] as number, order[i] as number];
      }
      const total = dims.reduce((a, b) => a * b, 1);
      const permuted = order.map((axis) => dims[axis] as number);
      const outStrides = new Array<number>(rank);
      for (const [i, stride] of stridesOf(permuted).entries()) outStrides[order[i] as number] = stride;
      checkCopy(machine, SIZES[random.integer(0, 3)] as number, dims, total, 0, stridesOf(dims), total, 0, outStrides);
    }
  });

  it.each(SIZES)("fill writes units elements and nothing else, %i-byte elements", (size) => {
    for (const units of [0, 1, 2, 7, 64, 65]) {
      machine.reset();
      const output = machine.output(units * size);
      machine.run("fill", { output, size, low: 0x89abcdef | 0, high: 0x01234567 }, units);
      const word = Uint8Array.of(0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01);
      expect(
        firstDifference(
          machine.bytes(output, units * size),
          Uint8Array.from({ length: units * size }, (_, i) => word[i % size] as number),
        ),
      ).toBeNull();
    }
  });

  it("table_q8_q8: runs of every length around its unrolling, unaligned and in place (seed 12)", () => {
    const random = createPcg32(12);
    const stored = storedOf(machine, 8);
    const entries = Array.from({ length: 256 }, () => random.integer(stored.lowest, stored.highest));
    for (const length of [0, 1, 7, 8, 9, 127, 128, 129, 255, 256, 257, 263, 600]) {
      machine.reset();
      const codes = Array.from({ length }, () => random.integer(stored.lowest, stored.highest));
      const table = machine.put(pack(stored, entries));
      const output = machine.output(length, length % 3);
      machine.run("table_q8_q8", { input: machine.put(pack(stored, codes), length % 4), output, table }, length);
      const expected = codes.map((code) => entries[code - stored.lowest]!);
      expect(unpack(machine, stored, output, length), `${length}`).toEqual(expected);
      machine.run("table_q8_q8", { input: output, output, table }, length);
      expect(unpack(machine, stored, output, length), `${length} in place`).toEqual(expected.map((code) => entries[code - stored.lowest]!));
    }
  });

  it.each([
    [8, 8],
    [8, 16],
    [16, 8],
    [16, 16],
  ] as const)("table: every %i-bit code gives its %i-bit entry", (inBits, outBits) => {
    machine.reset();
    const from = storedOf(machine, inBits);
    const to = storedOf(machine, outBits);
    const entries = from.highest - from.lowest + 1;
    const span = to.highest - to.lowest + 1;
    const table = Array.from({ length: entries }, (_, i) => to.lowest + ((i * 40503 + 7) % span));
    const codes = Array.from({ length: entries + 3 }, (_, i) => from.lowest + (i % entries));
    const input = machine.put(pack(from, codes), from.bytes);
    const output = machine.output(codes.length * to.bytes, to.bytes);
    machine.run(`table_q${inBits}_q${outBits}`, { input, output, table: machine.put(pack(to, table)) }, codes.length);
    expect(
      firstDifference(
        unpack(machine, to, output, codes.length),
        codes.map((code) => table[code - from.lowest] as number),
      ),
    ).toBeNull();
  });
});
