// Reductions and pools on float32 or float64: taps in ascending row-major order, every operation rounded to T.
import { exp, log } from "../../numerics/elementary";
import { Interior, base, countedTaps, firstRow, innerStep, innerTaps, interiorOf, locate, nextTapRow } from "../window/window";
import { ReduceArgs } from "./args";
import { L1, L2, MAX, MEAN, MIN, PROD, SUM_SQUARE, hasLanes, reduceLanes } from "./reduceLanes";

// Opcodes beside those with lanes (src/kernels/floatModes.ts REDUCE).
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
  const lanes = 16 / <i32>sizeof<T>();
  const laned = hasLanes(p.op);
  if (laned && p.run == 1) return reduceNeighbours<T>(p, begin, end);
  for (let unit = begin; unit < end; unit++) {
    const any = locate(p.axes, p.rank, unit);
    const output = p.output + <usize>(unit * p.run) * sizeof<T>();
    if (any && laned && p.run >= lanes) {
      for (let i = 0; i < p.run; i += lanes) {
        const at = <usize>min(i, p.run - lanes) * sizeof<T>(); // the last vector may begin inside the one before
        v128.store(output + at, reduceLanes<T>(p.op, p.input + at, sizeof<T>()));
      }
      continue;
    }
    for (let i = 0; i < p.run; i++) store<T>(output + i * sizeof<T>(), reduceAt<T>(p.op, p.input + i * sizeof<T>(), any));
  }
}

function reduceAt<T>(op: i32, input: usize, any: bool): T {
  return finish<T>(op, any ? reduceOne<T>(op, input) : initial<T>(op));
}

/** Outputs without a run behind them: neighbours along one axis in lanes where all of their taps along it lie on data, others one by one. */
function reduceNeighbours<T>(p: ReduceArgs, begin: i32, end: i32): void {
  const lanes = 16 / <i32>sizeof<T>();
  const interior = interiorOf(p.axes, p.rank);
  const step = interior.step * <i32>sizeof<T>();
  let unit = begin;
  while (unit < end) {
    const at = unit % interior.out;
    const count = at < interior.first ? 0 : min(interior.last - at, end - unit);
    const any = locate(p.axes, p.rank, unit);
    if (count < lanes || !any) {
      store<T>(p.output + <usize>unit * sizeof<T>(), reduceAt<T>(p.op, p.input, any));
      unit++;
      continue;
    }
    for (let i = 0; i < count; i += lanes) {
      const first = min(i, count - lanes); // the last vector may begin inside the one before
      v128.store(p.output + <usize>(unit + first) * sizeof<T>(), reduceLanes<T>(p.op, p.input + first * step, step));
    }
    unit += count;
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
