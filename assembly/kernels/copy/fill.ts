// Fills a run of elements with one value.

@unmanaged
class FillArgs {
  output: usize;
  size: i32; // bytes of an element: 1, 2, 4, 8
  low: u32; // bits of the element
  high: u32; // upper 32 bits of an 8-byte element
}

export function fill(args: usize, begin: i32, end: i32): void {
  const p = changetype<FillArgs>(args);
  const output = p.output;
  const count = end - begin;
  if (p.size == 1) memory.fill(output + begin, <u8>p.low, count);
  else if (p.size == 2) for (let i = begin; i < end; i++) store<u16>(output + (<usize>i << 1), <u16>p.low);
  else if (p.size == 4) for (let i = begin; i < end; i++) store<u32>(output + (<usize>i << 2), p.low);
  else {
    const bits = (<u64>p.high << 32) | <u64>p.low;
    for (let i = begin; i < end; i++) store<u64>(output + (<usize>i << 3), bits);
  }
}
