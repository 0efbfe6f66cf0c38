// Byte planes of one block to 8 codes at a time: X = Σ_p planeWeight[p]·acc[p], exact in double, then the vector form of mode near tie.
import { ADD, MAGIC64, MAX, MIN, MUL, NEAR, OUT_BYTES, SLOPE, WIDE, ZERO } from "../../numerics/epilogue";
import { storeQ8x8 } from "../../simd/q8";
import { RequantizeArgs } from "./args";

/** No blocks, integer bias, slope side, or values that the magic addition cannot round. */
export function isPlain(g: RequantizeArgs, header: usize, block: usize): bool {
  return g.blocks == 1 && !(<i32>g.base | <i32>g.blockFactor | load<i32>(block, SLOPE) | load<i32>(header, WIDE));
}

/** (v − RNE(v))² per lane; rounded = v + magic. */
@inline function tieDistance(v: v128, rounded: v128, magic: v128): v128 {
  const d = f64x2.sub(v, f64x2.sub(rounded, magic));
  return f64x2.mul(d, d);
}

@inline function codesOf(a: v128, b: v128, zero: v128): v128 {
  return i32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), zero);
}

/** Stores 8 codes of one row at c. acc: int32[8] of the first plane. Returns whether a lane is so near to a tie that only
 *  exact arithmetic can decide it. */
export function planesPanel(g: RequantizeArgs, acc: usize, header: usize, block: usize, c: usize): bool {
  const magic = v128.load64_splat(header, MAGIC64);
  let x0 = f64x2.sub(magic, magic), x1 = x0, x2 = x0, x3 = x0;
  for (let p = 0; p < g.planes; ++p) {
    const weight = v128.load64_splat(g.planeWeight + (<usize>p << 3));
    x0 = f64x2.add(x0, f64x2.mul(weight, f64x2.convert_low_i32x4_s(v128.load64_zero(acc))));
    x1 = f64x2.add(x1, f64x2.mul(weight, f64x2.convert_low_i32x4_s(v128.load64_zero(acc, 8))));
    x2 = f64x2.add(x2, f64x2.mul(weight, f64x2.convert_low_i32x4_s(v128.load64_zero(acc, 16))));
    x3 = f64x2.add(x3, f64x2.mul(weight, f64x2.convert_low_i32x4_s(v128.load64_zero(acc, 24))));
    acc += g.partStride;
  }
  x0 = f64x2.add(f64x2.mul(x0, v128.load(block, MUL)), v128.load(block, ADD));
  x1 = f64x2.add(f64x2.mul(x1, v128.load(block, MUL + 16)), v128.load(block, ADD + 16));
  x2 = f64x2.add(f64x2.mul(x2, v128.load(block, MUL + 32)), v128.load(block, ADD + 32));
  x3 = f64x2.add(f64x2.mul(x3, v128.load(block, MUL + 48)), v128.load(block, ADD + 48));
  const r0 = f64x2.add(x0, magic), r1 = f64x2.add(x1, magic), r2 = f64x2.add(x2, magic), r3 = f64x2.add(x3, magic);
  const zero = v128.load32_splat(header, ZERO), low = v128.load16_splat(header, MIN), high = v128.load16_splat(header, MAX);
  const left = codesOf(r0, r1, zero), right = codesOf(r2, r3, zero);
  if (load<i32>(header, OUT_BYTES) == 1) storeQ8x8(c, i16x8.min_s(i16x8.max_s(i16x8.narrow_i32x4_s(left, right), low), high));
  else v128.store(c, i16x8.min_u(i16x8.max_u(i16x8.narrow_i32x4_u(left, right), low), high));
  const far = f64x2.pmax(
    f64x2.pmax(tieDistance(x0, r0, magic), tieDistance(x1, r1, magic)),
    f64x2.pmax(tieDistance(x2, r2, magic), tieDistance(x3, r3, magic)),
  );
  const distance = load<f64>(header, NEAR);
  return v128.any_true(f64x2.ge(far, f64x2.splat(distance * distance * 0.9999999999999991)));
}
