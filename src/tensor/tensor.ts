/** Tensor: typed elements with a shape; integer codes carry their encoding. */
import type { Encoding } from "../encodings/encoding.ts";
import { modelError } from "../errors.ts";
import { dequantize, scaleIndexer } from "../numerics/affine.ts";
import { halfToFloat } from "../numerics/half.ts";
import { arrayType, type ElementType, type TypedArray } from "./dtype.ts";
import type { ImageOptions, ImageSource } from "./image.ts";
import { formatShape } from "./shape.ts";

/** A tensor in row-major order. Sub-byte integers take one byte an element; float16 travels as bits in a Uint16Array.
 *  throws ModelError "tensor/type" (array of another type) and "tensor/shape" (length is not the product of dims), "tensor/encoding". */
export class Tensor {
  readonly type: ElementType;
  readonly data: TypedArray;
  readonly dims: readonly number[];
  readonly encoding?: Encoding;

  constructor(type: ElementType, data: ArrayBufferView, dims: readonly number[], encoding?: Encoding) {
    const expected = typeof type === "string" ? arrayType(type) : undefined;
    if (expected === undefined) throw modelError("tensor/type", `tensor: element type '${String(type)}' is unknown`);
    if (!(data instanceof expected)) {
      throw modelError("tensor/type", `tensor: ${type} data must be a ${expected.name}, found ${data?.constructor?.name ?? typeof data}`);
    }
    if (!Array.isArray(dims) || dims.some((dim) => !Number.isSafeInteger(dim) || dim < 0)) {
      throw modelError("tensor/shape", `tensor: dims must be non-negative integers, found ${formatShape(Array.isArray(dims) ? dims : [])}`);
    }
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (data.length !== size) {
      throw modelError("tensor/shape", `tensor: ${data.length} elements do not fill shape ${formatShape(dims)} (${size})`);
    }
    if (encoding && !(encoding.type === type && encoding.scale instanceof Float32Array && encoding.zeroPoint instanceof Int32Array)) {
      throw modelError("tensor/encoding", `tensor: found ${type} data with an encoding of ${encoding.type}, expected a ${type} encoding`);
    }
    this.type = type;
    this.data = data;
    this.dims = dims;
    if (encoding) this.encoding = encoding;
  }

  /** A tensor of an image, resized, normalized and, given an encoding, quantized; see ImageOptions. throws ModelError "image/…". */
  static async fromImage(image: ImageSource, options?: ImageOptions): Promise<Tensor> {
    return (await import("./image.ts")).imageTensor(image, options);
  }

  /** The elements as float32: scale · (q − zeroPoint) of codes, rounded once; other types converted. */
  toFloat(): Tensor {
    const { data, encoding, dims, type } = this;
    const out = new Float32Array(data.length);
    if (encoding) {
      const index = scaleIndexer(encoding, dims);
      for (let i = 0; i < out.length; i++) {
        const s = index(i);
        out[i] = dequantize(Number(data[i]), encoding.scale[s]!, encoding.zeroPoint[s]!);
      }
    } else for (let i = 0; i < out.length; i++) out[i] = type === "float16" ? halfToFloat(data[i] as number) : Number(data[i]);
    return new Tensor("float32", out, dims);
  }
}
