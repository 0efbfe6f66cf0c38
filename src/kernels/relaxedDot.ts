/** What this engine's relaxed dot product computes, seen from its answers: the CPU's own instruction shows through. */

/** (memory 1) dot: 16 bytes at 0 times 16 bytes at 16, four products to each lane, plus 4 lanes at 32, to 48. */
const MODULE = new Uint8Array([
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...[1, 4, 1, 96, 0, 0],
  ...[3, 2, 1, 0],
  ...[5, 3, 1, 0, 1],
  ...[7, 9, 2, 1, 109, 2, 0, 1, 102, 0, 0], // exports "m", the memory, and "f", the function
  ...[10, 31, 1, 29, 0],
  ...[65, 48], // i32.const 48, where the result goes
  ...[65, 0, 253, 0, 0, 0], // v128.load 0
  ...[65, 16, 253, 0, 0, 0], // v128.load 16
  ...[65, 32, 253, 0, 0, 0], // v128.load 32
  ...[253, 147, 2], // i32x4.relaxed_dot_i8x16_i7x16_add_s
  ...[253, 11, 0, 0, 11], // v128.store
]);

/** unsigned, signed: exact, the second operand read as uint8 or int8. saturating: read as uint8, sums of two products clamped to 16 bits (x86 without VNNI).
 *  wrapping: read as int8, sums of two products wrapped to 16 bits. other: none of these. absent: the engine refuses the instruction. */
export type RelaxedDot = "unsigned" | "signed" | "saturating" | "wrapping" | "other" | "absent";

/** x · y + z · w of int8 x, z with bytes y, w, for each behaviour: magnitudes stay below 2^17. */
const PAIRS: Readonly<Record<Exclude<RelaxedDot, "other" | "absent">, (x: number, y: number, z: number, w: number) => number>> = {
  unsigned: (x, y, z, w) => x * y + z * w,
  signed: (x, y, z, w) => x * int8(y) + z * int8(w),
  saturating: (x, y, z, w) => Math.max(-32768, Math.min(32767, x * y + z * w)),
  wrapping: (x, y, z, w) => ((x * int8(y) + z * int8(w)) << 16) >> 16,
};

function int8(byte: number): number {
  return (byte << 24) >> 24;
}

interface Question {
  readonly a: Int8Array;
  readonly b: Uint8Array;
  readonly c: Int32Array;
}

/** Operands that tell the behaviours apart: extremes of both signs alone and mixed, and fixed pseudorandom bytes. */
const QUESTIONS: readonly Question[] = [
  question(
    () => 127,
    () => 255,
    () => -2147483648,
  ),
  question(
    () => -128,
    () => 128,
    () => 2147483647,
  ),
  question(
    (i) => (i & 1 ? 127 : -128),
    (i) => (i & 2 ? 255 : 128),
    (i) => i << 28,
  ),
  question(
    (i) => int8(Math.imul(i + 1, 0x9e3779b1) >>> 24),
    (i) => (Math.imul(i + 1, 0x85ebca6b) >>> 13) & 255,
    (i) => Math.imul(i + 1, 0xc2b2ae35),
  ),
];

function question(a: (i: number) => number, b: (i: number) => number, c: (i: number) => number): Question {
  const index = Array.from({ length: 16 }, (_, i) => i);
  return { a: Int8Array.from(index.map(a)), b: Uint8Array.from(index.map(b)), c: Int32Array.from(index.slice(0, 4).map(c)) };
}

const WARM_CALLS = 30_000;

/** What the dot product does at once, and after the engine had reason and time to optimize it. */
export async function relaxedDot(): Promise<{ readonly cold: RelaxedDot; readonly warm: RelaxedDot }> {
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(MODULE)) return { cold: "absent", warm: "absent" };
  const { exports } = new WebAssembly.Instance(await WebAssembly.compile(MODULE));
  const [dot, memory] = [exports.f as () => void, exports.m as WebAssembly.Memory];
  const ask = (): RelaxedDot => behaviour(QUESTIONS.map((one) => ({ ...one, answer: answer(one, dot, memory) })));
  const cold = ask();
  for (let i = 0; i < WARM_CALLS; i++) dot();
  await new Promise((resolve) => setTimeout(resolve, 0));
  return { cold, warm: ask() };
}

function answer({ a, b, c }: Question, dot: () => void, { buffer }: WebAssembly.Memory): Int32Array {
  new Int8Array(buffer).set(a, 0);
  new Uint8Array(buffer).set(b, 16);
  new Int32Array(buffer).set(c, 8);
  dot();
  return new Int32Array(buffer.slice(48, 64));
}

/** The first behaviour that explains every lane of every answer. */
export function behaviour(answers: readonly (Question & { readonly answer: Int32Array })[]): RelaxedDot {
  const explains = (pair: (typeof PAIRS)["signed"]): boolean =>
    answers.every(({ a, b, c, answer }) =>
      answer.every((found, lane) => {
        const half = (i: number): number => pair(a[i]!, b[i]!, a[i + 1]!, b[i + 1]!);
        return found === ((half(4 * lane) + half(4 * lane + 2) + c[lane]!) | 0);
      }),
    );
  const names = Object.keys(PAIRS) as (keyof typeof PAIRS)[];
  return names.find((name) => explains(PAIRS[name])) ?? "other";
}
