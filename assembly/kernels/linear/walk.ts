// The walk over a broadcast shape: rows along the last axis, operand positions kept beside.

/** Fields every binary kernel on codes starts with (src/kernels/elementwise.ts BINARY_CODES). */
@unmanaged
export class BinaryCodes {
  a: usize;
  b: usize;
  output: usize;
  aKind: i32;
  bKind: i32;
  outKind: i32;
  rank: i32; // 1..8
  shape: usize; // dims[rank], aStrides[rank], bStrides[rank], in elements
  aZero: i32;
  bZero: i32;
  outZero: i32;
  min: i32;
  max: i32;
}

/** Scratch page: counter of each axis but the last, then the positions (elements) of up to three operands. */
const COUNTERS: usize = SCRATCH + 960;
const POSITIONS: usize = SCRATCH + 992;

/** Position of operand `which` at the start of the current row. */
@inline
export function position(which: i32): i32 {
  return load<i32>(POSITIONS + (<usize>which << 2));
}

/** Elements in the rows of one unit; axis 0 is the row itself when the rank is 1. */
export function rowsPerUnit(shape: usize, rank: i32): i32 {
  let rows = 1;
  for (let axis = 1; axis < rank - 1; axis++) rows *= load<i32>(shape + (<usize>axis << 2));
  return rows;
}

/** Stands at the first row of `unit`. */
export function startWalk(shape: usize, rank: i32, operands: i32, unit: i32): void {
  for (let axis = 1; axis < rank - 1; axis++) store<i32>(COUNTERS + (<usize>axis << 2), 0);
  for (let which = 0; which < operands; which++) {
    store<i32>(POSITIONS + (<usize>which << 2), unit * strideOf(shape, rank, which, 0));
  }
}

/** Moves to the next row; after the last row of a unit the positions are those of the next unit. */
export function nextRow(shape: usize, rank: i32, operands: i32): void {
  for (let axis = rank - 2; axis >= 0; axis--) {
    const counter = COUNTERS + (<usize>axis << 2);
    const dim = load<i32>(shape + (<usize>axis << 2));
    for (let which = 0; which < operands; which++) move(which, strideOf(shape, rank, which, axis));
    if (axis == 0) return;
    const count = load<i32>(counter) + 1;
    store<i32>(counter, count < dim ? count : 0);
    if (count < dim) return;
    for (let which = 0; which < operands; which++) move(which, -dim * strideOf(shape, rank, which, axis));
  }
}

@inline
function move(which: i32, by: i32): void {
  const slot = POSITIONS + (<usize>which << 2);
  store<i32>(slot, load<i32>(slot) + by);
}

@inline
export function strideOf(shape: usize, rank: i32, which: i32, axis: i32): i32 {
  return load<i32>(shape + (<usize>(rank * (which + 1) + axis) << 2));
}
