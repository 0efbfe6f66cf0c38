/** conv, matmul and resample of the float family against the operators' own float evaluation, bit for bit, at both precisions. */
import { describe, expect, it } from "vitest";
import type { Attr } from "../../src/graph/graph.ts";
import { convDescriptor, resampleTaps } from "../../src/kernels/floatArgs.ts";
import { createPcg32 } from "../../src/numerics/pcg32.ts";
import type { ConvGeometry, Precision, WindowAxis } from "../../src/ops/op.ts";
import { type CoordinateMode, filterTaps } from "../../src/ops/resizeAxis.ts";
import { sizeOf } from "../../src/tensor/shape.ts";
import { arrayOf, type Floats, kernelOf, operator, outputOf, read, TYPES, uniform } from "./elementwiseFloats.ts";
import { firstDifference, type Machine, machines } from "./elementwiseMachine.ts";

describe.each(machines())("float products, $variant", (machine) => {
  for (const type of TYPES) {
    it.each(CONVOLUTIONS)(`conv_${type}: %s (seed 76)`, (_name, geometry, op, attrs) => {
      const random = createPcg32(76);
      const { batch, groups, inChannels, outChannels, spatial, transposed } = geometry;
      const xDims = [batch, inChannels, ...spatial.map((axis) => axis.size)];
      const wDims = [
        ...(transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups]),
        ...spatial.map((axis) => axis.window),
      ];
      const outs = sizeOf([batch, outChannels, ...spatial.map((axis) => axis.out)]);
      const x = { dims: xDims, data: uniform(random, type, sizeOf(xDims)) };
      const w = { dims: wDims, data: uniform(random, type, sizeOf(wDims)) };
      for (const bias of [null, { dims: [outChannels], data: uniform(random, type, outChannels) }]) {
        machine.reset();
        const input = machine.put(x.data);
        const weight = machine.put(w.data);
        const fields = {
          input,
          weight,
          bias: bias ? machine.put(bias.data) : 0,
          output: outputOf(machine, type, outs),
          geometry: machine.put(convDescriptor(geometry)),
        };
        machine.run(kernelOf("conv", type), fields, batch * outChannels);
        expect(firstDifference(read(machine, type, fields.output, outs), operator(op, attrs, [x, w, bias], type))).toBeNull();
      }
    });

    it.each(["linear", "cubic"] as const)(`resample_${type}: %s Resize axis by axis equals the operator (seed 78)`, (kind) => {
      const random = createPcg32(78);
      for (const coordinates of ["half_pixel", "align_corners", "asymmetric"] as CoordinateMode[]) {
        for (const [dims, out] of [
          [
            [3, 5],
            [7, 5],
          ],
          [
            [2, 4, 6],
            [2, 9, 11],
          ],
          [
            [4, 3, 7],
            [2, 3, 3],
          ],
          [
            [2, 1, 19],
            [3, 1, 19],
          ],
        ] as number[][][]) {
          const x = { dims: dims as number[], data: uniform(random, type, sizeOf(dims as number[])) };
          const sizes = { dims: [out!.length], data: Float64Array.from(out as number[]) };
          const attrs = { mode: kind, coordinate_transformation_mode: coordinates };
          const filter = { kind, a: -0.75, antialias: false, excludeOutside: false };
          let current = x;
          for (const [axis, extent] of (out as number[]).entries()) {
            if (extent !== current.dims[axis]) current = resample(machine, type, current, axis, extent, coordinates, filter);
          }
          const expected = operator("Resize", attrs, [x, null, null, sizes], type);
          expect(firstDifference(current.data, expected), `${coordinates} [${dims}] to [${out}]`).toBeNull();
        }
      }
    });

    it(`resample_${type} gives the outside value where there are no taps`, () => {
      machine.reset();
      const { spans, indices, weights } = resampleTaps([
        { indices: [], weights: [] },
        { indices: [1, 0], weights: [2, 0.5] },
      ]);
      const output = outputOf(machine, type, 10);
      machine.run(
        kernelOf("resample", type),
        {
          input: machine.put(arrayOf(type, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])),
          output,
          size: 2,
          out: 2,
          inner: 5,
          spans: machine.put(spans),
          indices: machine.put(indices),
          weights: machine.put(arrayOf(type, weights)),
          outside: machine.put(Float64Array.of(-7)),
        },
        1,
      );
      expect([...read(machine, type, output, 10)]).toEqual([-7, -7, -7, -7, -7, 12.5, 15, 17.5, 20, 22.5]);
    });

    it.each([
      { aTurned: false, bTurned: false },
      { aTurned: true, bTurned: true },
      { aTurned: false, bTurned: true },
    ])(`matmul_${type}: batches, odd sizes, panels, %o (seed 77)`, ({ aTurned, bTurned }) => {
      const random = createPcg32(77);
      for (const [batches, m, n, k, columns] of [
        [1, 1, 1, 1, 8],
        [2, 3, 17, 5, 8],
        [1, 4, 33, 7, 16],
        [3, 2, 16, 0, 8],
        [1, 5, 40, 64, 40],
        [2, 4, 8, 1, 8],
        [1, 9, 23, 6, 24],
        [1, 7, 7, 3, 8],
      ] as [number, number, number, number, number][]) {
        const a = uniform(random, type, batches * m * k);
        const b = uniform(random, type, batches * k * n);
        machine.reset();
        const output = outputOf(machine, type, batches * m * n);
        const offsets = Int32Array.from(Array.from({ length: batches }, (_, i) => [i * m * k, i * k * n, i * m * n]).flat());
        const [aStrideM, aStrideK] = aTurned ? [1, m] : [k, 1];
        const [bStrideK, bStrideN] = bTurned ? [1, k] : [n, 1];
        const scratch = aTurned || type === "f64" ? 0 : machine.output(4 * k * columns);
        const fields = { output, offsets: machine.put(offsets), m, n, k, aStrideM, aStrideK, bStrideK, bStrideN, scratch, columns };
        machine.run(kernelOf("matmul", type), { a: machine.put(a), b: machine.put(b), ...fields }, batches * m);
        const x = { dims: [batches, m, k], data: aTurned ? transpose(a, k, m) : a };
        const y = { dims: [batches, k, n], data: bTurned ? transpose(b, n, k) : b };
        expect(
          firstDifference(read(machine, type, output, batches * m * n), operator("MatMul", {}, [x, y], type)),
          `${batches}x${m}x${n}x${k}`,
        ).toBeNull();
      }
    });
  }
});

/** Each [rows, columns] matrix of a batch as [columns, rows]. */
function transpose(data: Floats, rows: number, columns: number): Floats {
  return data.map((_, i) => {
    const [batch, rest] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
    return data[batch * rows * columns + (rest % rows) * columns + Math.floor(rest / rows)] as number;
  }) as Floats;
}

function resample(
  machine: Machine,
  type: Precision,
  x: { dims: number[]; data: Floats },
  axis: number,
  out: number,
  coordinates: CoordinateMode,
  filter: Parameters<typeof filterTaps>[2],
): { dims: number[]; data: Floats } {
  const size = x.dims[axis] as number;
  const taps = filterTaps({ size, out, scale: out / size, exact: true, start: 0, end: 1 }, coordinates, filter);
  const { spans, indices, weights } = resampleTaps(taps);
  const dims = x.dims.map((dim, i) => (i === axis ? out : dim));
  const outer = sizeOf(dims.slice(0, axis));
  machine.reset();
  const output = outputOf(machine, type, sizeOf(dims));
  machine.run(
    kernelOf("resample", type),
    {
      input: machine.put(x.data),
      output,
      size,
      out,
      inner: sizeOf(dims.slice(axis + 1)),
      spans: machine.put(spans),
      indices: machine.put(indices),
      weights: machine.put(arrayOf(type, weights)),
      outside: machine.put(Float64Array.of(0)),
    },
    outer,
  );
  return { dims, data: read(machine, type, output, sizeOf(dims)) };
}

function axis(
  size: number,
  window: number,
  stride: number,
  dilation: number,
  pads: readonly [number, number],
  transposed: boolean,
): WindowAxis {
  const reach = dilation * (window - 1) + 1;
  const out = transposed ? (size - 1) * stride + reach - pads[0] - pads[1] : Math.floor((size + pads[0] + pads[1] - reach) / stride) + 1;
  return { size, out, window, stride, dilation, padBegin: pads[0] };
}

type Convolution = readonly [string, ConvGeometry, "Conv" | "ConvTranspose", Record<string, Attr>];

function convolution(
  name: string,
  batch: number,
  groups: number,
  inChannels: number,
  outChannels: number,
  sizes: readonly number[],
  windows: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
  begins: readonly number[],
  ends: readonly number[],
  transposed = false,
): Convolution {
  const spatial = sizes.map((size, i) =>
    axis(size, windows[i] as number, strides[i] as number, dilations[i] as number, [begins[i] as number, ends[i] as number], transposed),
  );
  return [
    name,
    { kind: "conv", batch, groups, inChannels, outChannels, spatial, transposed },
    transposed ? "ConvTranspose" : "Conv",
    { group: groups, strides, dilations, pads: [...begins, ...ends] },
  ];
}

const CONVOLUTIONS: readonly Convolution[] = [
  convolution("3x3 padded, wide rows", 2, 1, 3, 4, [5, 41], [3, 3], [1, 1], [1, 1], [1, 1], [1, 1]),
  convolution("1x1", 1, 1, 7, 3, [4, 16], [1, 1], [1, 1], [1, 1], [0, 0], [0, 0]),
  convolution("stride 2, asymmetric pads", 1, 1, 2, 3, [9, 37], [3, 3], [2, 2], [1, 1], [0, 1], [1, 0]),
  convolution("depthwise dilated", 1, 4, 4, 4, [11, 30], [3, 3], [1, 1], [2, 3], [2, 3], [2, 3]),
  convolution("grouped", 2, 2, 4, 6, [6, 20], [2, 5], [1, 1], [1, 1], [0, 2], [1, 2]),
  convolution("1-D", 2, 1, 3, 2, [50], [4], [1], [1], [2], [1]),
  convolution("3-D", 1, 1, 2, 2, [4, 5, 18], [2, 3, 3], [1, 2, 1], [1, 1, 1], [0, 1, 1], [1, 1, 1]),
  convolution("window wider than the input", 1, 1, 1, 1, [2, 3], [3, 5], [1, 1], [1, 1], [1, 2], [1, 2]),
  convolution("transposed stride 2", 1, 1, 3, 2, [5, 6], [3, 3], [2, 2], [1, 1], [1, 1], [1, 1], true),
  convolution("transposed grouped dilated", 2, 2, 4, 6, [4, 7], [3, 2], [2, 3], [2, 1], [0, 1], [1, 0], true),
  convolution("transposed 1-D", 1, 1, 2, 3, [9], [4], [3], [1], [0], [0], true),
];
