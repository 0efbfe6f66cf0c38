// Rounding of sums over blocks that double cannot hold: lanes near a tie are decided over all products.
import {
  ADD, B1, B2, F1, HIGH, LOW, MODE_NEAR_TIE, MUL, NEAR, OUT_BYTES, OUT_SCALE, SLOPE, SLOPE_SET, ZERO,
} from "../../numerics/epilogue";
import { sumSign } from "../../numerics/expansion";
import { sideOfTie, storeCode } from "../../numerics/requantizeScalar";
import { RequantizeArgs } from "./args";

/** Codes of X[8], modes double and near tie; v = X·mul + add with mul = slope/outScale. */
export function decideSums(g: RequantizeArgs, mode: i32, x: usize, n: i32, header: usize, block: usize, c: usize): void {
  for (let lane = 0; lane < 8; ++lane) {
    const sum = load<f64>(x + (<usize>lane << 3));
    let at = block + (<usize>lane << 3);
    let v = sum * load<f64>(at, MUL) + load<f64>(at, ADD);
    if (v < 0 && load<i32>(block, SLOPE)) {
      at += SLOPE_SET;
      v = sum * load<f64>(at, MUL) + load<f64>(at, ADD);
    }
    v = min(max(v, load<f64>(header, LOW)), load<f64>(header, HIGH));
    let rounded = nearest(v);
    if (mode == MODE_NEAR_TIE && n + lane < g.n && abs(v - rounded) >= load<f64>(header, NEAR)) {
      const k = floor(v);
      rounded = sideOfTie(k, signOfSums(g, n, lane, at, k + 0.5, load<f64>(header, OUT_SCALE)));
    }
    storeCode(c, lane, load<i32>(header, OUT_BYTES), <i32>rounded + load<i32>(header, ZERO));
  }
}

/** Sign of slope·Σ_b F_b·T_b + b1 + b2 − tie·outScale. slope·T_b is two exact doubles: slope is a float32 (24 bits), T_b < 2^53 is cut into a
 *  multiple of 2^24 (at most 29 bits) and a rest of at most 24 bits. */
function signOfSums(g: RequantizeArgs, n: i32, lane: i32, at: usize, tie: f64, outScale: f64): i32 {
  const slope = load<f64>(at, F1);
  const stride = <usize>((g.n + 7) & ~7) << 3;
  const products = g.scratch + (<usize>g.blocks << 6);
  let end = products;
  for (let b = 0; b < g.blocks; ++b) {
    const t = load<f64>(g.scratch + (<usize>b << 6) + (<usize>lane << 3));
    const factor = load<f64>(g.blockFactor + <usize>b * stride + (<usize>(n + lane) << 3));
    const upper = nearest(t * 5.9604644775390625e-8) * 16777216.0;
    end = push(push(end, upper * slope, factor), (t - upper) * slope, factor);
  }
  end = push(push(end, load<f64>(at, B1), 1), load<f64>(at, B2), 1);
  end = push(end, -tie, outScale);
  return sumSign(products, <i32>((end - products) >> 4));
}

@inline function push(end: usize, a: f64, b: f64): usize {
  store<f64>(end, a);
  store<f64>(end, b, 8);
  return end + 16;
}
