// Flips the top bit of every 8- or 16-bit element in place: codes of the other signedness, x ± half the range.

@unmanaged
class FlipTopArgs {
  address: usize;
  mask: u32; // 0x80808080 for bytes, 0x80008000 for 16-bit elements
}

/** Units are bytes; a slice may begin anywhere in an element. */
export function flip_top(args: usize, begin: i32, end: i32): void {
  const p = changetype<FlipTopArgs>(args);
  const mask = rotr<u32>(p.mask, <u32>(begin << 3)); // modulo 32
  const lanes = i32x4.splat(mask);
  const stop = p.address + end;
  let at = p.address + begin;
  for (; at + 32 <= stop; at += 32) {
    v128.store(at, v128.xor(v128.load(at), lanes));
    v128.store(at, v128.xor(v128.load(at, 16), lanes), 16);
  }
  for (let byte: u32 = mask; at < stop; at++) {
    store<u8>(at, <u8>(<u32>load<u8>(at) ^ byte));
    byte = rotr<u32>(byte, 8);
  }
}
