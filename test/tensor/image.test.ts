/** Images as tensors: pixels, order, normalization, resizing by exact formulas, and codes equal to those a run makes of the float32 elements. */
import { describe, expect, it } from "vitest";
import { perTensor } from "../../src/encodings/encoding.ts";
import { GraphBuilder } from "../../src/graph/build.ts";
import { type ImageOptions, ModelError, Session, type Target, Tensor } from "../../src/index.ts";
import { modelOf } from "../../src/model.ts";
import type { ElementType } from "../../src/tensor/dtype.ts";
import { imageTensor } from "../../src/tensor/image.ts";

/** Every byte value occurs in every channel. */
function picture(width: number, height: number, step: 1 | 3 | 4, seed = 1) {
  return {
    width,
    height,
    data: Uint8Array.from({ length: width * height * step }, (_, i) => (i * 89 + seed * (i >> 3) + 7 * (i % 5)) & 255),
  };
}

function ramp() {
  return {
    width: 16,
    height: 16,
    data: Uint8Array.from({ length: 256 * 4 }, (_, i) => (i % 4 === 3 ? 255 : ((i >> 2) + 85 * (i % 4)) & 255)),
  };
}

/** y = x on grid `type`, so that quantized outputs are the codes the session makes of its input. */
async function codesOfRun(x: Tensor, type: ElementType, scale: number, zero: number, target: Target): Promise<ArrayLike<unknown>> {
  const b = new GraphBuilder();
  b.input("x", [...x.dims]);
  b.encoding("x", perTensor(type, scale, zero));
  b.output(b.node("Relu", ["x"], { outputs: ["y"] }));
  b.encoding("y", perTensor(type, scale, zero));
  const session = await Session.create(modelOf(b.build()), { target });
  return session.runSync({ x }, { capture: ["x"], quantized: true }).x!.data;
}

function refused(options: unknown, image: unknown = picture(2, 2, 4)): string {
  try {
    imageTensor(image as never, options as ImageOptions);
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("Tensor.fromImage", () => {
  it("gives pixels over 255 as float32, channels first, and leaves alpha out", async () => {
    const image = picture(3, 2, 4);
    const tensor = await Tensor.fromImage(image);
    expect(tensor.dims).toEqual([1, 3, 2, 3]);
    expect(tensor.type).toBe("float32");
    for (let c = 0; c < 3; c++) for (let i = 0; i < 6; i++) expect(tensor.data[c * 6 + i]).toBe(Math.fround(image.data[4 * i + c]! / 255));
  });

  it("places channels in every order and both layouts", () => {
    const image = picture(3, 2, 4);
    const at = (order: readonly number[], nhwc: boolean) =>
      Uint8Array.from({ length: 6 * order.length }, (_, i) =>
        nhwc
          ? image.data[4 * Math.floor(i / order.length) + order[i % order.length]!]!
          : image.data[4 * (i % 6) + order[Math.floor(i / 6)]!]!,
      );
    for (const [channels, order] of [
      ["RGB", [0, 1, 2]],
      ["BGR", [2, 1, 0]],
      ["RGBA", [0, 1, 2, 3]],
    ] as const)
      for (const layout of ["NCHW", "NHWC"] as const)
        expect(imageTensor(image, { channels, layout, type: "uint8" }).data).toEqual(at(order, layout === "NHWC"));
    const [r, g, b] = [image.data[0]!, image.data[1]!, image.data[2]!];
    const gray = imageTensor(image, { channels: "gray", type: "uint8" });
    expect(gray.dims).toEqual([1, 1, 2, 3]);
    expect(gray.data[0]).toBe((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
    expect(imageTensor({ width: 1, height: 1, data: Uint8Array.of(9) }, { channels: "RGBA", type: "uint8" }).data).toEqual(
      Uint8Array.of(9, 9, 9, 255),
    );
    expect(imageTensor({ width: 1, height: 1, data: Uint8Array.of(9) }, { channels: "gray", type: "uint8" }).data).toEqual(
      Uint8Array.of(9),
    );
  });

  it("normalizes each channel by mean and std, in units of the range", () => {
    const image = picture(4, 4, 3);
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    const unit = imageTensor(image, { mean, std });
    const pixel = imageTensor(image, { mean: 127.5, std: 127.5, range: 255, layout: "NHWC" });
    for (let i = 0; i < 16; i++)
      for (let c = 0; c < 3; c++) {
        expect(unit.data[c * 16 + i]).toBe(Math.fround((image.data[3 * i + c]! / 255 - mean[c]!) / std[c]!));
        expect(pixel.data[3 * i + c]).toBe(Math.fround((image.data[3 * i + c]! - 127.5) / 127.5));
      }
  });

  it.each([
    ["uint8", 1 / 255, 0, "exact"],
    ["uint8", 0.0187, 114, "exact"],
    ["int8", 0.0187, -3, "exact"],
    ["int8", 0.5, 0, "exact"],
    ["uint16", 7e-5, 30000, "exact"],
    ["int16", 1.2e-4, 0, "exact"],
    ["uint4", 0.25, 8, "exact"],
    ["uint8", 0.0187, 114, "ort"],
    ["int8", 1 / 64, 5, "ort"],
  ] as const)(
    "gives the codes a run makes of the float32 elements: %s, scale %f, zero point %i, target %s",
    async (type, scale, zero, target) => {
      for (const options of [
        {},
        { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
        { range: 255, mean: 128, std: 32, layout: "NHWC" },
      ] as ImageOptions[]) {
        const codes = imageTensor(ramp(), { ...options, encoding: perTensor(type, scale, zero), target });
        expect(codes.type).toBe(type);
        expect(codes.data).toEqual(await codesOfRun(imageTensor(ramp(), options), type, scale, zero, target));
      }
    },
  );

  it("passes bytes through where the grid of a uint8 input is that of the pixels, and a session takes them", async () => {
    const encoding = perTensor("uint8", 1 / 255, 0);
    const codes = imageTensor(ramp(), { encoding });
    expect(codes.data).toEqual(imageTensor(ramp(), { type: "uint8" }).data);
    expect(await codesOfRun(codes, "uint8", 1 / 255, 0, "exact")).toEqual(codes.data);
  });

  it("writes to a tensor it is given", () => {
    const into = new Tensor("float32", new Float32Array(12), [1, 3, 2, 2]);
    expect(imageTensor(picture(2, 2, 4), { into })).toBe(into);
    expect(into.data).toEqual(imageTensor(picture(2, 2, 4)).data);
    expect(refused({ into: new Tensor("float32", new Float32Array(12), [1, 2, 2, 3]) })).toBe("image/into");
    expect(refused({ into, encoding: perTensor("uint8", 1, 0) })).toBe("image/into");
  });

  it("refuses what it cannot read, with one code each", () => {
    expect(refused({ channels: "HSV" })).toBe("image/channels");
    expect(refused({ layout: "CHW" })).toBe("image/layout");
    expect(refused({ type: "int8" })).toBe("image/type");
    expect(refused({ mean: [1, 2] })).toBe("image/mean");
    expect(refused({ std: 0 })).toBe("image/std");
    expect(refused({ std: Number.NaN })).toBe("image/std");
    expect(refused({ range: 0 })).toBe("image/range");
    expect(refused({ resize: { width: 0, height: 2 } })).toBe("image/resize");
    expect(refused({ resize: { width: 3, height: 2, method: "cubic" } })).toBe("image/resize");
    expect(refused({ encoding: perTensor("int32", 1, 0) })).toBe("image/encoding");
    for (const encoding of [{}, 5, { type: "uint8" }, { type: "toString", scale: [1], zeroPoint: [0] }, perTensor("uint8", Number.NaN, 0)])
      expect(refused({ encoding })).toBe("image/encoding");
    for (const channels of ["toString", "constructor", "__proto__", null]) expect(refused({ channels })).toBe("image/channels");
    for (const resize of [null, 5, { width: 65535, height: 65535 }]) expect(refused({ resize })).toBe("image/resize");
    expect(refused({ target: "best" })).toBe("image/target");
    expect(refused(null)).toBe("option/type");
    const givenAway = new Tensor("float32", new Float32Array(12), [1, 3, 2, 2]);
    structuredClone(null, { transfer: [givenAway.data.buffer] });
    expect(refused({ into: givenAway })).toBe("image/into");
    expect(refused({}, { width: 2, height: 2, data: new Uint8Array(8) })).toBe("image/source");
    expect(refused({}, { width: 2, height: 2, data: new Float32Array(16) })).toBe("image/source");
    expect(refused({}, null)).toBe("image/source");
  });
});

/** The bilinear byte at (x, y) in exact rationals: floor(mean + ½). */
function bilinear(image: ReturnType<typeof picture>, step: number, width: number, height: number, x: number, y: number, c: number): number {
  const axis = (at: number, from: number, to: number): { low: number; numerator: bigint; unit: bigint } => {
    const position = Math.min(Math.max((2 * at + 1) * from - to, 0), (from - 1) * 2 * to);
    return { low: Math.floor(position / (2 * to)), numerator: BigInt(position % (2 * to)), unit: BigInt(2 * to) };
  };
  const [h, v] = [axis(x, image.width, width), axis(y, image.height, height)];
  const pixel = (i: number, j: number): bigint =>
    BigInt(image.data[(Math.min(j, image.height - 1) * image.width + Math.min(i, image.width - 1)) * step + c]!);
  const top = pixel(h.low, v.low) * (h.unit - h.numerator) + pixel(h.low + 1, v.low) * h.numerator;
  const bottom = pixel(h.low, v.low + 1) * (h.unit - h.numerator) + pixel(h.low + 1, v.low + 1) * h.numerator;
  return Number((2n * (top * (v.unit - v.numerator) + bottom * v.numerator) + h.unit * v.unit) / (2n * h.unit * v.unit));
}

describe("resizing", () => {
  it.each([
    [7, 5, 3, 2],
    [3, 2, 7, 5],
    [8, 8, 4, 4],
    [4, 4, 8, 8],
    [1, 1, 3, 3],
    [5, 1, 1, 5],
    [6, 4, 6, 3],
  ])("is the exact weighted mean, halves up: %i × %i to %i × %i", (w, h, width, height) => {
    for (const step of [1, 3, 4] as const) {
      const image = picture(w, h, step, 3);
      const channels = step === 1 ? "gray" : "RGB";
      const { data } = imageTensor(image, { type: "uint8", layout: "NHWC", channels, resize: { width, height } });
      const kept = step === 1 ? 1 : 3;
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          for (let c = 0; c < kept; c++) expect(data[(y * width + x) * kept + c]).toBe(bilinear(image, step, width, height, x, y, c));
    }
  });

  it("takes the nearest pixel by ⌊(2x + 1)·w / 2w'⌋", () => {
    const image = picture(7, 5, 1);
    const { data } = imageTensor(image, { type: "uint8", channels: "gray", resize: { width: 4, height: 3, method: "nearest" } });
    for (let y = 0; y < 3; y++)
      for (let x = 0; x < 4; x++)
        expect(data[4 * y + x]).toBe(image.data[Math.floor(((2 * y + 1) * 5) / 6) * 7 + Math.floor(((2 * x + 1) * 7) / 8)]);
  });
});
