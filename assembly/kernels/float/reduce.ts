// Reductions and pools on float32 or float64: taps in ascending row-major order, every operation rounded to T.
import { exp, log } from "../../numerics/elementary";
import { base, countedTaps, firstRow, innerStep, innerTaps, locate, nextTapRow } from "../window/window";
import { ReduceArgs } from "./args";

// Opcodes (src/kernels/elementwise.ts REDUCE).
const MEAN: i32 = 0;
const MAX: i32 = 2;
const MIN: i32 = 3;
const PROD: i32 = 4;
const L1: i32 = 5;
const L2: i32 = 6;
const SUM_SQUARE: i32 = 7;
const LOG_SUM: i32 = 8;
const LOG_SUM_EXP: i32 = 9;

@inline
function initial<T>(op: i32): T {
  if (op == MAX) return <T>-Infinity;
  if (op == MIN) return <T>Infinity;
  return op == PROD ? <T>1 : <T>0;
}

@inline
function fold<T>(op: i32, acc: T, x: T): T {
  switch (op) {
    case MAX: return max<T>(acc, x);
    case MIN: return min<T>(acc, x);
    case PROD: return acc * x;
    case L1: return acc + abs<T>(x);
    case L2:
    case SUM_SQUARE: return acc + x * x;
    case LOG_SUM_EXP: return acc + <T>exp(<f64>x);
    default: return acc + x;
  }
}

@inline
function finish<T>(op: i32, acc: T): T {
  if (op == MEAN) return acc / <T>countedTaps();
  if (op == L2) return sqrt<T>(acc);
  return op == LOG_SUM || op == LOG_SUM_EXP ? <T>log(<f64>acc) : acc;
}

function reduceOne<T>(op: i32, input: usize): T {
  const taps = innerTaps();
  const step = innerStep() * sizeof<T>();
  let acc = initial<T>(op);
  for (let offset = firstRow(); offset >= 0; offset = nextTapRow()) {
    let pointer = input + offset * sizeof<T>();
    for (let t = 0; t < taps; t++, pointer += step) acc = fold<T>(op, acc, load<T>(pointer));
  }
  return acc;
}

function reduce<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ReduceArgs>(args);
  for (let unit = begin; unit < end; unit++) {
    const any = locate(p.axes, p.rank, unit);
    for (let i = 0; i < p.run; i++) {
      const acc = any ? reduceOne<T>(p.op, p.input + i * sizeof<T>()) : initial<T>(p.op);
      store<T>(p.output + (unit * p.run + i) * sizeof<T>(), finish<T>(p.op, acc));
    }
  }
}

/** Position in the input of the largest tap, the first of equal ones, as f64: NaN is larger than all; the first tap where none exceeds −∞. */
function reduceIndex<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ReduceArgs>(args);
  for (let unit = begin; unit < end; unit++) {
    const any = locate(p.axes, p.rank, unit);
    for (let i = 0; i < p.run; i++) {
      store<f64>(p.output + (<usize>(unit * p.run + i) << 3), any ? <f64>(indexOne<T>(p.input + i * sizeof<T>()) + i) : 0);
    }
  }
}

function indexOne<T>(input: usize): i32 {
  const taps = innerTaps();
  const step = innerStep();
  let best = <T>-Infinity;
  let at = base();
  for (let offset = firstRow(); offset >= 0; offset = nextTapRow()) {
    for (let t = 0; t < taps; t++) {
      const x = load<T>(input + <usize>(offset + t * step) * sizeof<T>());
      if (x > best || x != x) {
        best = x;
        at = offset + t * step;
        if (x != x) return at;
      }
    }
  }
  return at;
}

export function reduce_index_f32(args: usize, begin: i32, end: i32): void {
  reduceIndex<f32>(args, begin, end);
}

export function reduce_index_f64(args: usize, begin: i32, end: i32): void {
  reduceIndex<f64>(args, begin, end);
}

export function reduce_f32(args: usize, begin: i32, end: i32): void {
  reduce<f32>(args, begin, end);
}

export function reduce_f64(args: usize, begin: i32, end: i32): void {
  reduce<f64>(args, begin, end);
}
