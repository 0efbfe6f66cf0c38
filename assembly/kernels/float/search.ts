// Operators along lines: the first k in order, the position of the extreme, running sums. A line has `size` elements, `inner` apart;
// unit u = outer·inner + i is the line that starts at outer·size·inner + i.
import { fault } from "../../fault";

@unmanaged
class TopArgs {
  input: usize;
  values: usize; // k per line, laid as the input is
  indices: usize; // f64, likewise
  size: i32;
  inner: i32;
  k: i32; // ≤ size
  largest: i32;
  scratch: usize; // 2·size words
}

/** Whether a stands before b: NaN counts as above every number. Equal ones keep the order of their positions. */
@inline
function precedes<T>(a: T, b: T, largest: i32): bool {
  if (largest) return a > b || (a != a && b == b);
  return a < b || (b != b && a == a);
}

/** Positions 0 … size − 1 in order, by merging runs of 1, 2, 4 …: stable. Returns the address of the ordered words. */
function ordered<T>(line: usize, step: i32, size: i32, largest: i32, scratch: usize): usize {
  let from = scratch;
  let to = scratch + (<usize>size << 2);
  for (let i = 0; i < size; i++) store<i32>(from + (<usize>i << 2), i);
  for (let width = 1; width < size; width <<= 1) {
    for (let begin = 0; begin < size; begin += 2 * width) {
      merge<T>(line, step, from, to, begin, min(begin + width, size), min(begin + 2 * width, size), largest);
    }
    const other = from;
    from = to;
    to = other;
  }
  return from;
}

function merge<T>(line: usize, step: i32, from: usize, to: usize, begin: i32, middle: i32, end: i32, largest: i32): void {
  let a = begin;
  let b = middle;
  for (let o = begin; o < end; o++) {
    const x = load<i32>(from + (<usize>a << 2)); // one word beyond a run is another run or the other half of the scratch
    const y = load<i32>(from + (<usize>b << 2));
    const second = a == middle || (b < end && precedes<T>(load<T>(line + y * step), load<T>(line + x * step), largest));
    store<i32>(to + (<usize>o << 2), second ? y : x);
    if (second) b++;
    else a++;
  }
}

function top<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<TopArgs>(args);
  const step = p.inner * <i32>sizeof<T>();
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / p.inner;
    const i = unit - outer * p.inner;
    const line = p.input + <usize>(outer * p.size * p.inner + i) * sizeof<T>();
    const order = ordered<T>(line, step, p.size, p.largest, p.scratch);
    let at = outer * p.k * p.inner + i;
    for (let j = 0; j < p.k; j++, at += p.inner) {
      const index = load<i32>(order + (<usize>j << 2));
      store<T>(p.values + <usize>at * sizeof<T>(), load<T>(line + index * step));
      store<f64>(p.indices + (<usize>at << 3), <f64>index);
    }
  }
}

@unmanaged
class ArgArgs {
  input: usize;
  output: usize; // f64, one per line
  size: i32; // ≥ 1
  inner: i32;
  which: i32; // 0 largest, 1 smallest
  last: i32; // the last of equal ones
}

function arg<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ArgArgs>(args);
  const step = p.inner * <i32>sizeof<T>();
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / p.inner;
    let at = p.input + <usize>(outer * p.size * p.inner + unit - outer * p.inner) * sizeof<T>();
    let best = 0;
    let held = load<T>(at);
    for (let j = 1; j < p.size; j++) {
      at += step;
      const x = load<T>(at);
      if ((p.which ? x < held : x > held) || (p.last && x == held)) {
        best = j;
        held = x;
      }
    }
    store<f64>(p.output + (<usize>unit << 3), <f64>best);
  }
}

@unmanaged
class CumulateArgs {
  input: usize;
  output: usize; // in place allowed
  size: i32;
  inner: i32;
  exclusive: i32;
  reverse: i32;
  axis: usize; // f64: the axis is known in the run only, and size and inner follow from it; or 0
  rank: i32;
  dims: usize; // i32
}

/** The axis that was computed gives the lines; all of them are one unit. */
function cumulateAlong<T>(args: usize): void {
  const p = changetype<CumulateArgs>(args);
  const rank = <f64>p.rank;
  const given = load<f64>(p.axis);
  const axis = given < 0 ? given + rank : given;
  if (!(axis >= 0 && axis < rank)) {
    fault(args);
    return;
  }
  let inner = 1;
  let outer = 1;
  for (let i = 0; i < <i32>axis; i++) outer *= load<i32>(p.dims + (<usize>i << 2));
  for (let i = <i32>axis + 1; i < p.rank; i++) inner *= load<i32>(p.dims + (<usize>i << 2));
  cumulateLines<T>(p, load<i32>(p.dims + (<usize><i32>axis << 2)), inner, 0, outer * inner);
}

function cumulateLines<T>(p: CumulateArgs, size: i32, inner: i32, begin: i32, end: i32): void {
  const step = (p.reverse ? -inner : inner) * <i32>sizeof<T>();
  for (let unit = begin; unit < end; unit++) {
    const outer = unit / inner;
    const first = outer * size * inner + unit - outer * inner + (p.reverse ? (size - 1) * inner : 0);
    let from = p.input + <usize>first * sizeof<T>();
    let to = p.output + <usize>first * sizeof<T>();
    let acc = <T>0;
    for (let j = 0; j < size; j++, from += step, to += step) {
      const next = acc + load<T>(from);
      store<T>(to, p.exclusive ? acc : next);
      acc = next;
    }
  }
}

function cumulate<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<CumulateArgs>(args);
  if (p.axis) cumulateAlong<T>(args);
  else cumulateLines<T>(p, p.size, p.inner, begin, end);
}

export function top_f32(args: usize, begin: i32, end: i32): void {
  top<f32>(args, begin, end);
}

export function top_f64(args: usize, begin: i32, end: i32): void {
  top<f64>(args, begin, end);
}

export function arg_f32(args: usize, begin: i32, end: i32): void {
  arg<f32>(args, begin, end);
}

export function arg_f64(args: usize, begin: i32, end: i32): void {
  arg<f64>(args, begin, end);
}

export function cumulate_f32(args: usize, begin: i32, end: i32): void {
  cumulate<f32>(args, begin, end);
}

export function cumulate_f64(args: usize, begin: i32, end: i32): void {
  cumulate<f64>(args, begin, end);
}
