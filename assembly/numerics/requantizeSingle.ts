// Epilogues in float32: v = f32(acc)·m (+ b), rounded by adding 1.5·2^23, two rows of int32[8] at a time.
//   Target ort is this arithmetic. Target exact uses it with a margin: u = 2^-24; the conversion, the product, the sum and the two constants each err by a
//   factor 1 + u at most, so that |v − t| ≤ 4u·(|t| + 2|b|) =: E wherever t lies on the grid, and a value farther than E from its tie is rounded as t is.
//   |v| < 2^22 (the plan proves it), so v + 1.5·2^23 holds RNE(v) in its low bits; saturating values may lie anywhere beyond the grid.
import { Q8_SIGNED } from "../geometry";
import { ABS32, ADD32, MAGIC32, MAX, MIN, MUL32, NARROW, NEAR_SINGLE, ZERO32 } from "./epilogue";

@inline function scaled(acc: usize, mul: v128, add: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(v128.load(acc)), mul), add);
}

/** |v − RNE(v)|, exact. */
@inline function distance(v: v128, rounded: v128, magic: v128, positive: v128): v128 {
  return v128.and(f32x4.sub(v, f32x4.sub(rounded, magic)), positive);
}

@inline function clamped(narrow: bool, codes: v128, low: v128, high: v128): v128 {
  return narrow ? i16x8.min_s(i16x8.max_s(codes, low), high) : codes;
}

/** Stores `rows` rows of 8 one-byte codes. near (literal): whether some lane is within E of a tie is returned. Clamps to [min, max] where
 *  that lies inside the stored range; otherwise saturation is the clamp. */
@inline export function single(near: bool, acc: usize, rows: i32, header: usize, block: usize, c: usize, ldc: i32): bool {
  const m0 = v128.load(block, MUL32), m1 = v128.load(block, MUL32 + 16), b0 = v128.load(block, ADD32), b1 = v128.load(block, ADD32 + 16);
  const magic = v128.load32_splat(header, MAGIC32), positive = v128.load32_splat(header, ABS32), zero = v128.load32_splat(header, ZERO32);
  const low = v128.load16_splat(header, MIN), high = v128.load16_splat(header, MAX);
  const narrow = load<i32>(header, NARROW) != 0;
  let far = i32x4.splat(0);
  for (let i = 0; i < rows; i += 2) {
    const second = i + 1 < rows;
    const next = second ? acc + 32 : acc;
    const v0 = scaled(acc, m0, b0), v1 = scaled(acc + 16, m1, b1);
    const v2 = scaled(next, m0, b0), v3 = scaled(next + 16, m1, b1);
    const r0 = f32x4.add(v0, magic), r1 = f32x4.add(v1, magic), r2 = f32x4.add(v2, magic), r3 = f32x4.add(v3, magic);
    if (near) {
      far = f32x4.pmax(far, f32x4.pmax(distance(v0, r0, magic, positive), distance(v1, r1, magic, positive)));
      far = f32x4.pmax(far, f32x4.pmax(distance(v2, r2, magic, positive), distance(v3, r3, magic, positive)));
    }
    const first = clamped(narrow, i16x8.narrow_i32x4_s(i32x4.add(r0, zero), i32x4.add(r1, zero)), low, high);
    const other = clamped(narrow, i16x8.narrow_i32x4_s(i32x4.add(r2, zero), i32x4.add(r3, zero)), low, high);
    const codes = Q8_SIGNED ? i8x16.narrow_i16x8_s(first, other) : i8x16.narrow_i16x8_u(first, other);
    v128.store64_lane(c, codes, 0);
    v128.store64_lane(second ? c + ldc : c, codes, 1);
    acc += 64;
    c += ldc << 1;
  }
  return near ? v128.any_true(f32x4.ge(far, v128.load32_splat(header, NEAR_SINGLE))) : false;
}
