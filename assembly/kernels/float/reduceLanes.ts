// Reductions of neighbouring windows in lanes: each lane folds the taps of its own window, in the order and with the operations of the
// scalar kernel (reduce.ts), so every result has its bits.
import { base, countedTaps, firstRow, innerStep, innerTaps, isPlane, nextTapRow, outerStep, outerTaps } from "../window/window";

// Opcodes (src/kernels/floatModes.ts REDUCE). Those above SUM_SQUARE take elementary functions and have no lanes.
export const MEAN: i32 = 0;
export const SUM: i32 = 1;
export const MAX: i32 = 2;
export const MIN: i32 = 3;
export const PROD: i32 = 4;
export const L1: i32 = 5;
export const L2: i32 = 6;
export const SUM_SQUARE: i32 = 7;

@inline
export function hasLanes(op: i32): bool {
  return op <= SUM_SQUARE;
}

/** Elements `step` bytes apart. With two elements between, one element behind the last is read too. */
@inline
export function strided<T>(from: usize, step: i32): v128 {
  if (sizeof<T>() == 8) return step == 8 ? v128.load(from) : v128.load64_lane(from + step, v128.load64_zero(from), 1);
  if (step == 4) return v128.load(from);
  if (step == 8) return v128.shuffle<f32>(v128.load(from), v128.load(from, 16), 0, 2, 4, 6);
  const pair = v128.load32_lane(from + step, v128.load32_zero(from), 1);
  return v128.load32_lane(from + 3 * step, v128.load32_lane(from + 2 * step, pair, 2), 3);
}

@inline
function initialLanes<T>(op: i32): v128 {
  if (op == MAX) return v128.splat<T>(<T>-Infinity);
  if (op == MIN) return v128.splat<T>(<T>Infinity);
  return v128.splat<T>(op == PROD ? <T>1 : <T>0);
}

@inline
function foldLanes<T>(op: i32, acc: v128, x: v128): v128 {
  if (op == MAX) return v128.max<T>(acc, x);
  if (op == MIN) return v128.min<T>(acc, x);
  if (op == PROD) return v128.mul<T>(acc, x);
  if (op == L1) return v128.add<T>(acc, v128.abs<T>(x));
  return v128.add<T>(acc, op >= L2 ? v128.mul<T>(x, x) : x);
}

@inline
function finishLanes<T>(op: i32, acc: v128): v128 {
  if (op == MEAN) return v128.div<T>(acc, v128.splat<T>(<T>countedTaps()));
  return op == L2 ? v128.sqrt<T>(acc) : acc;
}

/** The located window and the ones `step` bytes behind it, lane by lane: all have the same taps. `input` is what its taps count from. */
export function reduceLanes<T>(op: i32, input: usize, step: i32): v128 {
  if (isPlane()) {
    if (op == MAX) return largestLanes<T>(input, step);
    if (op == MEAN) return finishLanes<T>(MEAN, planeLanes<T>(SUM, input, step));
  }
  const taps = innerTaps();
  const tapStep = innerStep() * sizeof<T>();
  let acc = initialLanes<T>(op);
  for (let offset = firstRow(); offset >= 0; offset = nextTapRow()) {
    let pointer = input + offset * sizeof<T>();
    for (let t = taps; t > 0; t--, pointer += tapStep) acc = foldLanes<T>(op, acc, strided<T>(pointer, step));
  }
  return finishLanes<T>(op, acc);
}

/** The same for windows of two axes, without the odometer; `op` is a literal. */
@inline
function planeLanes<T>(op: i32, input: usize, step: i32): v128 {
  const taps = innerTaps();
  const tapStep = innerStep() * sizeof<T>();
  const rowStep = outerStep() * sizeof<T>();
  let acc = initialLanes<T>(op);
  let row = input + base() * sizeof<T>();
  for (let r = outerTaps(); r > 0; r--, row += rowStep) {
    let pointer = row;
    for (let t = taps; t > 0; t--, pointer += tapStep) acc = foldLanes<T>(op, acc, strided<T>(pointer, step));
  }
  return acc;
}

/** The maximum of a window of two axes. An engine's max takes eight instructions, for NaN and signs of zeros. pmax takes one: of numbers it is right but for
 *  the sign of a zero, which is − where the signs of all taps are. Where there is NaN, the sum of the taps is too. */
@inline
function largestLanes<T>(input: usize, step: i32): v128 {
  const taps = innerTaps();
  const tapStep = innerStep() * sizeof<T>();
  const rowStep = outerStep() * sizeof<T>();
  let row = input + base() * sizeof<T>();
  let best = strided<T>(row, step), signs = best, sum = v128.splat<T>(<T>0);
  for (let r = outerTaps(); r > 0; r--, row += rowStep) {
    let pointer = row;
    for (let t = taps; t > 0; t--, pointer += tapStep) {
      const x = strided<T>(pointer, step);
      best = v128.pmax<T>(best, x);
      signs = v128.and(signs, x);
      sum = v128.add<T>(sum, x);
    }
  }
  if (v128.any_true(v128.ne<T>(sum, sum))) return planeLanes<T>(MAX, input, step);
  return v128.bitselect(v128.and(signs, v128.splat<T>(<T>-0.0)), best, v128.eq<T>(best, v128.splat<T>(<T>0)));
}
