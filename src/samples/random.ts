/** Random samples: the same bytes from the same seed on every engine, one generator per (seed, input, sample). */
import { gridOf } from "../encodings/encoding.ts";
import { modelError } from "../errors.ts";
import { type Feeds, type Model, Tensor, type ValueInfo } from "../index.ts";
import { createPcg32, type Pcg32 } from "../numerics/pcg32.ts";
import { integerType, newArray, type TypedArray } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";

/** Random elements per input: 1 GiB of float32. */
const MOST_ELEMENTS = 2 ** 28;

export interface RandomOptions {
  readonly seed: number;
  readonly samples: number;
  readonly shapes: Readonly<Record<string, readonly number[]>>; // of inputs with symbolic dimensions; others have these set to 1
  readonly bounds: ReadonlyMap<string, number>; // of index inputs: indices are drawn from [0, bound)
}

/** Samples uniform over each input's encoded range; [−1, 1) without an encoding; [0, bound) for index inputs; 0 or 1 for bool. */
export function randomSamples(model: Model, options: RandomOptions): Feeds[] {
  return Array.from({ length: options.samples }, (_, sample) => {
    const feeds: Record<string, Tensor> = {};
    model.inputs.forEach((input, index) => {
      feeds[input.name] = randomTensor(input, createPcg32(options.seed, index * 2 ** 32 + sample), options);
    });
    return feeds;
  });
}

function randomTensor(input: ValueInfo, random: Pcg32, options: RandomOptions): Tensor {
  const dims = options.shapes[input.name] ?? input.shape.map((dim) => (typeof dim === "number" ? dim : 1));
  const size = sizeOf(dims);
  if (size > MOST_ELEMENTS) {
    throw modelError(
      "cli/shape",
      `--shape: input '${input.name}' of shape [${dims.join(", ")}] has ${size} elements, at most ${MOST_ELEMENTS} are drawn.`,
    );
  }
  const data = newArray(input.type, size);
  fill(data, input, random, options.bounds.get(input.name));
  return new Tensor(input.type, data, dims);
}

function fill(data: TypedArray, input: ValueInfo, random: Pcg32, bound: number | undefined): void {
  const integer = integerType(input.type);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < data.length; i++) data[i] = BigInt(random.integer(0, (bound ?? 2) - 1));
  } else if (integer || input.type === "bool") {
    for (let i = 0; i < data.length; i++) data[i] = random.integer(0, (bound ?? 2) - 1);
  } else {
    const [lo, hi] = realRange(input);
    // 24-bit draws: lo + (hi − lo)·u is the same double everywhere, and [−1, 1) is exact in float32, so 1 is never reached.
    for (let i = 0; i < data.length; i++) data[i] = lo + (hi - lo) * ((random.uint32() >>> 8) / 2 ** 24);
  }
}

function realRange({ encoding }: ValueInfo): readonly [number, number] {
  const scale = encoding?.scale[0];
  if (!encoding || scale === undefined) return [-1, 1];
  const { qmin, qmax } = gridOf(encoding.type);
  const zeroPoint = encoding.zeroPoint[0] ?? 0;
  return [scale * (qmin - zeroPoint), scale * (qmax - zeroPoint)];
}
