// Sums of products of up to four operands: per output, terms in ascending order from acc = 0, factors from left to right, every product and sum
// rounded to T. Where operands lie is said by tables: element = outer[output] + inner[term].

@unmanaged
class EinsumArgs {
  a: usize;
  b: usize;
  c: usize;
  d: usize;
  output: usize;
  operands: i32; // 1..4
  terms: i32;
  outer: usize; // i32 × operands per output
  inner: usize; // i32 × operands per term
}

@inline
function factor<T>(base: usize, outer: usize, inner: usize, which: i32): T {
  const at = load<i32>(outer + (<usize>which << 2)) + load<i32>(inner + (<usize>which << 2));
  return load<T>(base + <usize>at * sizeof<T>());
}

function einsum<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<EinsumArgs>(args);
  const step = <usize>p.operands << 2;
  for (let o = begin; o < end; o++) {
    const outer = p.outer + <usize>o * step;
    let inner = p.inner;
    let acc = <T>0;
    for (let s = 0; s < p.terms; s++, inner += step) {
      let product = factor<T>(p.a, outer, inner, 0);
      if (p.operands > 1) product *= factor<T>(p.b, outer, inner, 1);
      if (p.operands > 2) product *= factor<T>(p.c, outer, inner, 2);
      if (p.operands > 3) product *= factor<T>(p.d, outer, inner, 3);
      acc += product;
    }
    store<T>(p.output + <usize>o * sizeof<T>(), acc);
  }
}

export function einsum_f32(args: usize, begin: i32, end: i32): void {
  einsum<f32>(args, begin, end);
}

export function einsum_f64(args: usize, begin: i32, end: i32): void {
  einsum<f64>(args, begin, end);
}
