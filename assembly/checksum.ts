// The checksum of compiled models: 16 lanes of 32 bits over whole blocks of 64 bytes, at the speed of memory. For src/bex only.

/** A lane's state x after the word w: x = (x ⊕ w)·P mod 2³², then x ⊕= x >> 15. Each step is a bijection of x and of w (P is odd), so no change
 *  that is confined to one word goes unnoticed; the shift lets high bits reach low ones. */
// @ts-ignore: decorator
@inline
function mixed(x: v128, w: v128, p: v128): v128 {
  const y = i32x4.mul(v128.xor(x, w), p);
  return v128.xor(y, i32x4.shr_u(y, 15));
}

/** Continues the 16 lanes at `state` (64 bytes) over the words of [from, end), a multiple of 64 bytes: lane i takes every 16th word from word i on. */
export function checksum(state: usize, from: usize, end: usize): void {
  let a = v128.load(state), b = v128.load(state, 16), c = v128.load(state, 32), d = v128.load(state, 48);
  const p = i32x4.splat(0x9e3779b1);
  for (; from < end; from += 64) {
    a = mixed(a, v128.load(from), p);
    b = mixed(b, v128.load(from, 16), p);
    c = mixed(c, v128.load(from, 32), p);
    d = mixed(d, v128.load(from, 48), p);
  }
  v128.store(state, a);
  v128.store(state, b, 16);
  v128.store(state, c, 32);
  v128.store(state, d, 48);
}
