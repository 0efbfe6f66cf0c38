// Copies rows named by computed indices: output[u][i] = input[u][index(i)] for `count` indices, rows of `run` bytes.
// Indices are doubles; negative ones count from the end. An index out of range is a fault and reads the nearest row, so that no address leaves
// the input.
import { fault } from "../../fault";

@unmanaged
class GatherRowsArgs {
  input: usize;
  indices: usize;
  output: usize;
  count: i32; // indices
  extent: i32; // rows of one unit, ≥ 1
  run: i32; // bytes of a row
}

export function gather_rows(args: usize, begin: i32, end: i32): void {
  const p = changetype<GatherRowsArgs>(args);
  const run = <usize>p.run;
  const count = p.count;
  const extent = p.extent;
  let to = p.output + <usize>begin * <usize>count * run;
  for (let u = begin; u < end; u++) {
    const from = p.input + <usize>u * <usize>extent * run;
    for (let i = 0; i < count; i++) {
      let index = <i32>load<f64>(p.indices + (<usize>i << 3));
      if (index < 0) index += extent;
      if (index < 0 || index >= extent) {
        fault(args);
        index = index < 0 ? 0 : extent - 1;
      }
      memory.copy(to, from + <usize>index * run, run);
      to += run;
    }
  }
}
