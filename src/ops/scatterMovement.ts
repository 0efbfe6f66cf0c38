/** Scattering to places that are known: all of the data, then the updates over it, where the places form a box of strides. */
import { stridesOf } from "../tensor/shape.ts";
import { required } from "./checks.ts";
import type { Movement, Numbers, Region, TypeInfo } from "./op.ts";

/** Extents and steps, the outermost first. */
interface Box {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
}

/** `offsets` as nested arithmetic progressions; null where they are none, or name a place twice. */
function boxOf(offsets: Int32Array): Box | null {
  const dims: number[] = [];
  const strides: number[] = [];
  let starts = offsets;
  while (starts.length > 1) {
    const stride = starts[1]! - starts[0]!;
    let run = 2;
    while (run < starts.length && starts[run]! - starts[run - 1]! === stride) run++;
    if (starts.length % run !== 0) return null;
    for (let i = 0; i < starts.length; i++) if (starts[i] !== starts[i - (i % run)]! + (i % run) * stride) return null;
    dims.unshift(run);
    strides.unshift(stride);
    starts = starts.filter((_, i) => i % run === 0);
  }
  return new Set(offsets).size === offsets.length ? { dims, strides } : null;
}

/** The movement of data (input 0) and updates (input 2) at the places that constant indices (input 1) name; undefined when they form no box. */
export function scatterMovement(
  inputs: readonly (TypeInfo | null)[],
  offsetsOf: (data: Numbers, indices: Numbers) => Int32Array,
): Movement[] | undefined {
  const [{ dims }, indices] = [required(inputs, 0), required(inputs, 1)];
  if (!indices.constant) return undefined;
  const offsets = offsetsOf({ dims, data: new Float32Array(0) }, { dims: indices.dims, data: indices.constant });
  const own = stridesOf(dims);
  const all: Region = { input: 0, inOffset: 0, inStrides: own, outOffset: 0, outStrides: own, dims };
  if (offsets.length === 0) return [{ regions: [all] }];
  const box = boxOf(offsets);
  if (!box) return undefined;
  const inStrides = stridesOf(box.dims);
  return [{ regions: [all, { input: 2, inOffset: 0, inStrides, outOffset: offsets[0]!, outStrides: box.strides, dims: box.dims }] }];
}
