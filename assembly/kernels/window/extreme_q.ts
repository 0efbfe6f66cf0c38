// Maximum or minimum of stored codes over a window; padding never wins because only taps on data are read.
import { Q8_SIGNED } from "../../geometry";
import { elementSize, loadCode, storeCode } from "../linear/codes";
import { base, firstRow, innerStep, innerTaps, isPlane, locate, nextTapRow, outerStep, outerTaps } from "./window";

@unmanaged
class ExtremeQArgs {
  input: usize;
  output: usize;
  kind: i32;
  rank: i32; // 0..5
  axes: usize;
  run: i32;
  which: i32; // 0 maximum, 1 minimum
  min: i32;
  max: i32;
}

export function extreme_q(args: usize, begin: i32, end: i32): void {
  const p = changetype<ExtremeQArgs>(args);
  const size = elementSize(p.kind);
  const lanes = 16 / size;
  for (let unit = begin; unit < end; unit++) {
    const any = locate(p.axes, p.rank, unit);
    const output = p.output + unit * p.run * size;
    let i = 0;
    if (any && p.run >= lanes) {
      for (; i < p.run; i += lanes) {
        const at = min(i, p.run - lanes) * size; // the last vector may begin inside the one before
        v128.store(output + at, extremeLanes(p, p.input + at));
      }
    }
    for (; i < p.run; i++) {
      const code = any ? extremeOne(p, p.input + i * size) : p.which ? p.max : p.min;
      storeCode(p.kind, output + i * size, max(p.min, min(p.max, code)));
    }
  }
}

@inline
function larger(kind: i32, a: v128, b: v128): v128 {
  if (kind) return i16x8.max_u(a, b);
  return Q8_SIGNED ? i8x16.max_s(a, b) : i8x16.max_u(a, b);
}

@inline
function smaller(kind: i32, a: v128, b: v128): v128 {
  if (kind) return i16x8.min_u(a, b);
  return Q8_SIGNED ? i8x16.min_s(a, b) : i8x16.min_u(a, b);
}

@inline
function splat(kind: i32, code: i32): v128 {
  return kind ? i16x8.splat(<i16>code) : i8x16.splat(<i8>code);
}

/** 16 bytes of the run over all taps, clamped. */
function extremeLanes(p: ExtremeQArgs, input: usize): v128 {
  if (isPlane()) {
    if (p.kind) return clamped(p, p.which ? planeLanes(input, 1, true) : planeLanes(input, 1, false));
    return clamped(p, p.which ? planeLanes(input, 0, true) : planeLanes(input, 0, false));
  }
  const taps = innerTaps();
  const size = elementSize(p.kind);
  const step = innerStep() * size;
  const least = p.which == 1;
  let offset = firstRow();
  let best = v128.load(input + offset * size);
  for (; offset >= 0; offset = nextTapRow()) {
    let pointer = input + offset * size;
    for (let t = 0; t < taps; t++, pointer += step) {
      const next = v128.load(pointer);
      best = least ? smaller(p.kind, best, next) : larger(p.kind, best, next);
    }
  }
  return clamped(p, best);
}

@inline
function clamped(p: ExtremeQArgs, best: v128): v128 {
  return larger(p.kind, splat(p.kind, p.min), smaller(p.kind, splat(p.kind, p.max), best));
}

/** As extremeLanes for a window of two axes, without the odometer; `kind` and `least` are literals. */
@inline
function planeLanes(input: usize, kind: i32, least: bool): v128 {
  const size = elementSize(kind);
  const taps = innerTaps(), step = innerStep() * size, rows = outerTaps(), rowStep = outerStep() * size;
  let row = input + base() * size;
  let best = v128.load(row);
  for (let r = 0; r < rows; r++, row += rowStep) {
    let pointer = row;
    for (let t = 0; t < taps; t++, pointer += step) {
      const next = v128.load(pointer);
      best = least ? smaller(kind, best, next) : larger(kind, best, next);
    }
  }
  return best;
}

function extremeOne(p: ExtremeQArgs, input: usize): i32 {
  const taps = innerTaps();
  const size = elementSize(p.kind);
  const step = innerStep() * size;
  let offset = firstRow();
  let best = loadCode(p.kind, input + offset * size);
  for (; offset >= 0; offset = nextTapRow()) {
    let pointer = input + offset * size;
    for (let t = 0; t < taps; t++, pointer += step) {
      const next = loadCode(p.kind, pointer);
      best = p.which ? min(best, next) : max(best, next);
    }
  }
  return best;
}
