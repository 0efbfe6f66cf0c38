// Chunks of up to 32 elements between stored form and scratch: operands as float32 differences, results as int32 codes.
import { Q8_SIGNED } from "../../geometry";

/** Kinds of operands and results (src/kernels/elementwise.ts KIND). */
export const Q8: i32 = 0;
export const Q16: i32 = 1;

export const CHUNK: i32 = 32;
/** Scratch page: operands as float32[32] each, results as int32[32]. */
export const LEFT: usize = SCRATCH + 128;
export const RIGHT: usize = SCRATCH + 256;
export const CODES: usize = SCRATCH + 384;

@inline
export function elementSize(kind: i32): i32 {
  return kind == Q8 ? 1 : kind == Q16 ? 2 : 4;
}

@inline
export function loadCode(kind: i32, pointer: usize): i32 {
  if (kind == Q16) return load<u16>(pointer);
  if (Q8_SIGNED) return load<i8>(pointer);
  return load<u8>(pointer);
}

@inline
export function storeCode(kind: i32, pointer: usize, code: i32): void {
  if (kind == Q16) store<u16>(pointer, <u16>code);
  else store<u8>(pointer, <u8>code);
}

/** Writes float32(stored − zero) of `count` elements to `target`, exact: |stored − zero| < 2^17. float32 operands as they are.
 *  stride in elements. Lanes beyond `count` keep what they held; nobody reads results there. */
export function loadChunk(kind: i32, input: usize, stride: i32, count: i32, zero: i32, target: usize): void {
  if (stride == 1) {
    loadRun(kind, input, count, zero, target);
  } else if (stride == 0) {
    const value = f32x4.splat(loadNumber(kind, input, zero));
    for (let i = 0; i < count; i += 4) v128.store(target + (<usize>i << 2), value);
  } else {
    const step = stride * elementSize(kind);
    for (let i = 0; i < count; i++, input += step) store<f32>(target + (<usize>i << 2), loadNumber(kind, input, zero));
  }
}

@inline
function loadNumber(kind: i32, pointer: usize, zero: i32): f32 {
  return kind > Q16 ? load<f32>(pointer) : <f32>(loadCode(kind, pointer) - zero);
}

function loadRun(kind: i32, input: usize, count: i32, zero: i32, target: usize): void {
  const zeros = i32x4.splat(zero);
  let i = 0;
  if (kind == Q8) {
    for (; i <= count - 8; i += 8, target += 32) {
      const wide = Q8_SIGNED ? v128.load_ext<i8>(input + i) : v128.load_ext<u8>(input + i);
      v128.store(target, f32x4.convert_i32x4_s(i32x4.sub(i32x4.extend_low_i16x8_s(wide), zeros)));
      v128.store(target, f32x4.convert_i32x4_s(i32x4.sub(i32x4.extend_high_i16x8_s(wide), zeros)), 16);
    }
  } else if (kind == Q16) {
    for (; i <= count - 4; i += 4, target += 16) {
      v128.store(target, f32x4.convert_i32x4_s(i32x4.sub(v128.load_ext<u16>(input + (<usize>i << 1)), zeros)));
    }
  } else {
    for (; i <= count - 4; i += 4, target += 16) v128.store(target, v128.load(input + (<usize>i << 2)));
  }
  const size = elementSize(kind);
  for (; i < count; i++, target += 4) store<f32>(target, loadNumber(kind, input + i * size, zero));
}

/** Narrows `count` codes at `codes` (already clamped to the stored range) to `output`. */
export function storeChunk(kind: i32, codes: usize, count: i32, output: usize): void {
  let i = 0;
  if (kind == Q8) {
    for (; i <= count - 8; i += 8, codes += 32) {
      const pairs = i16x8.narrow_i32x4_s(v128.load(codes), v128.load(codes, 16));
      const bytes = Q8_SIGNED ? i8x16.narrow_i16x8_s(pairs, pairs) : i8x16.narrow_i16x8_u(pairs, pairs);
      store<i64>(output + i, i64x2.extract_lane(bytes, 0));
    }
    for (; i < count; i++, codes += 4) store<u8>(output + i, load<u8>(codes));
  } else {
    for (; i <= count - 8; i += 8, codes += 32) {
      v128.store(output + (<usize>i << 1), i16x8.narrow_i32x4_u(v128.load(codes), v128.load(codes, 16)));
    }
    for (; i < count; i++, codes += 4) store<u16>(output + (<usize>i << 1), load<u16>(codes));
  }
}
