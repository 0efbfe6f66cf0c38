// Elements named by computed indices: where they lie, fetching them, and scattering updates over them. Addresses are checked where offsets are
// made, so that nothing outside the operands is ever read or written.
import { fault } from "../../fault";

@unmanaged
class IndexOffsetsArgs {
  indices: usize; // f64 integers, `length` per tuple
  offsets: usize; // i32 per tuple, in elements
  base: usize; // i32 per tuple, or 0
  length: i32;
  axes: usize; // (extent, stride) per index of a tuple
}

/** offset = base + Σ wrap(index)·stride; negative indices count from the end. One outside [−extent, extent) is a fault and reads as 0. */
export function index_offsets(args: usize, begin: i32, end: i32): void {
  const p = changetype<IndexOffsetsArgs>(args);
  const length = p.length;
  for (let i = begin; i < end; i++) {
    let at = p.base ? load<i32>(p.base + (<usize>i << 2)) : 0;
    for (let j = 0; j < length; j++) {
      const extent = load<i32>(p.axes + (<usize>j << 3));
      const index = load<f64>(p.indices + (<usize>(i * length + j) << 3));
      const wrapped = index < 0 ? index + <f64>extent : index;
      const inside = wrapped >= 0 && wrapped < <f64>extent;
      if (!inside) fault(args);
      else at += <i32>wrapped * load<i32>(p.axes + (<usize>j << 3), 4);
    }
    store<i32>(p.offsets + (<usize>i << 2), at);
  }
}

@unmanaged
class PickArgs {
  input: usize;
  offsets: usize; // i32 per unit, in elements
  output: usize;
  size: i32; // bytes of an element
  run: i32; // bytes copied per unit
}

export function pick(args: usize, begin: i32, end: i32): void {
  const p = changetype<PickArgs>(args);
  const run = p.run;
  let to = p.output + <usize>begin * run;
  for (let i = begin; i < end; i++, to += run) {
    const from = p.input + <usize>(load<i32>(p.offsets + (<usize>i << 2)) * p.size);
    if (run == 4) store<u32>(to, load<u32>(from));
    else if (run == 8) store<u64>(to, load<u64>(from));
    else memory.copy(to, from, run);
  }
}

@unmanaged
class ScatterArgs {
  updates: usize;
  offsets: usize; // i32 per tuple
  output: usize; // holds the data
  count: i32; // tuples
  run: i32; // elements per tuple
  op: i32;
}

// Opcodes (src/kernels/elementwise.ts SCATTER).
const ADD: i32 = 1;
const MUL: i32 = 2;
const MAX: i32 = 3;
const MIN: i32 = 4;

@inline
function combined<T>(op: i32, a: T, b: T): T {
  if (op == ADD) return a + b;
  if (op == MUL) return a * b;
  if (op == MAX) return max<T>(a, b);
  return op == MIN ? min<T>(a, b) : b;
}

/** One unit: tuples may name the same elements, in order. */
function scatter<T>(args: usize): void {
  const p = changetype<ScatterArgs>(args);
  let from = p.updates;
  for (let i = 0; i < p.count; i++) {
    let to = p.output + <usize>load<i32>(p.offsets + (<usize>i << 2)) * sizeof<T>();
    for (let j = p.run; j > 0; j--, from += sizeof<T>(), to += sizeof<T>()) store<T>(to, combined<T>(p.op, load<T>(to), load<T>(from)));
  }
}

export function scatter_f32(args: usize, begin: i32, end: i32): void {
  scatter<f32>(args);
}

export function scatter_f64(args: usize, begin: i32, end: i32): void {
  scatter<f64>(args);
}
