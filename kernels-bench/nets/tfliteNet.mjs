// Writes a network as an int8 TensorFlow Lite flatbuffer, by the field numbers of its schema; needs the peers' package flatbuffers.
import { drawWeights, randomOf } from "./networks.mjs";

const INT32 = 2;
const INT8 = 9;
const OP = { add: 0, average: 1, conv: 3, depthwise: 4, dense: 9, maximum: 17 };
const VERSION = { 0: 2, 1: 2, 3: 3, 4: 3, 9: 4, 17: 2 };
const OPTIONS = { conv: 1, depthwise: 2, pool: 5, dense: 8, add: 11 }; // members of the union of options
const RELU = 1;
const RELU6 = 3;
const CLAMPED = { scale: [6 / 255], zero: -128 };
const SIGNED = { scale: [0.05], zero: 0 };

/** A writer for buildNetwork. Values are indices of tensors. Builder: of the package flatbuffers. */
export function tfliteNet(Builder) {
  const net = { tensors: [], buffers: [new Uint8Array(0)], operators: [], codes: [], input: 0 };
  const random = randomOf(1);
  const tensor = (shape, type, { data, scale, zero = 0, axis = 0 }) => {
    const buffer = data ? net.buffers.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) - 1 : 0;
    const zeros = Array.from(scale, () => zero);
    return net.tensors.push({ shape, type, buffer, scale: Array.from(scale), zeros, axis }) - 1;
  };
  const activation = (shape, range) => tensor(shape, INT8, range);
  const operator = (code, inputs, output, union, options) => {
    if (!net.codes.includes(code)) net.codes.push(code);
    net.operators.push({ code: net.codes.indexOf(code), inputs, output, union, options });
    return output;
  };
  const biasOf = (bias, x, w) => {
    const [unit] = net.tensors[x].scale;
    return tensor([bias.length], INT32, { data: bias, scale: net.tensors[w].scale.map((s) => s * unit) });
  };
  const pool = (x, code, k, stride, valid) => {
    const { shape, scale, zeros } = net.tensors[x];
    const [, height, width, channels] = shape;
    const size = (length) => (valid ? Math.floor((length - k) / stride) + 1 : Math.ceil(length / stride));
    const output = activation([1, size(height), size(width), channels], { scale, zero: zeros[0] });
    const fields = [
      [1, 0, valid ? 1 : 0],
      [4, 1, stride],
      [4, 2, stride],
      [4, 3, k],
      [4, 4, k],
      [1, 5, 0],
    ];
    return operator(code, [x], output, OPTIONS.pool, fields);
  };

  return {
    image() {
      return (net.input = activation([1, 224, 224, 3], { scale: [0.02], zero: -14 }));
    },
    codes(size, channels) {
      return (net.input = activation([1, size, size, channels], SIGNED));
    },
    conv(x, { from, to, k, stride = 1, depthwise = false, relu = true }) {
      const { codes, scale, bias } = drawWeights(random, { from, to, k, depthwise });
      const [, height, width] = net.tensors[x].shape;
      const output = activation([1, Math.ceil(height / stride), Math.ceil(width / stride), to], relu ? CLAMPED : SIGNED);
      const shape = depthwise ? [1, k, k, to] : [to, k, k, from];
      const w = tensor(shape, INT8, { data: codes, scale, axis: depthwise ? 3 : 0 });
      const fused = relu ? RELU6 : 0;
      const strides = [
        [1, 0, 0],
        [4, 1, stride],
        [4, 2, stride],
      ];
      const tail = depthwise
        ? [
            [4, 3, 1],
            [1, 4, fused],
            [4, 5, 1],
            [4, 6, 1],
          ]
        : [
            [1, 3, fused],
            [4, 4, 1],
            [4, 5, 1],
          ];
      const kind = depthwise ? "depthwise" : "conv";
      return operator(OP[kind], [x, w, biasOf(bias, x, w)], output, OPTIONS[kind], [...strides, ...tail]);
    },
    add(a, b, relu) {
      const output = activation(net.tensors[a].shape, relu ? CLAMPED : SIGNED);
      return operator(OP.add, [a, b], output, OPTIONS.add, [[1, 0, relu ? RELU : 0]]);
    },
    maximum: (x) => pool(x, OP.maximum, 3, 2, false),
    average: (x) => pool(x, OP.average, 7, 7, true),
    dense(x, from, to) {
      const { codes, scale, bias } = drawWeights(random, { from, to, k: 1 });
      const w = tensor([to, from], INT8, { data: codes, scale: scale.subarray(0, 1) });
      const output = activation([1, to], { scale: [0.1], zero: 0 });
      const fields = [
        [1, 0, 0],
        [1, 1, 0],
      ];
      return operator(OP.dense, [x, w, biasOf(bias, x, w)], output, OPTIONS.dense, fields);
    },
    finish: (output) => encode(new Builder(1 << 20), net, output),
  };
}

function encode(b, net, output) {
  const vector = (list, bytes, add) => {
    b.startVector(bytes, list.length, bytes);
    for (let i = list.length - 1; i >= 0; i--) add(list[i]);
    return b.endVector();
  };
  const ints = (list) => vector(list, 4, (value) => b.addInt32(value));
  const offsets = (list) => vector(list, 4, (value) => b.addOffset(value));
  const table = (fields, fill) => {
    b.startObject(fields);
    fill();
    return b.endObject();
  };
  const buffers = offsets(net.buffers.map((data) => encodeBuffer(b, data, table)));
  const tensors = offsets(net.tensors.map((one, i) => encodeTensor(b, one, `t${i}`, { table, vector, ints })));
  const operators = offsets(net.operators.map((one) => encodeOperator(b, one, { table, ints })));
  const [inputs, outputs, name] = [ints([net.input]), ints([output]), b.createString("main")];
  const graph = table(5, () => {
    for (const [i, part] of [tensors, inputs, outputs, operators, name].entries()) b.addFieldOffset(i, part, 0);
  });
  const graphs = offsets([graph]);
  const codes = net.codes.map((code) =>
    table(4, () => {
      b.addFieldInt8(0, code, 0);
      b.addFieldInt32(2, VERSION[code], 1);
      b.addFieldInt32(3, code, 0);
    }),
  );
  const codeList = offsets(codes);
  const model = table(5, () => {
    b.addFieldInt32(0, 3, 0);
    b.addFieldOffset(1, codeList, 0);
    b.addFieldOffset(2, graphs, 0);
    b.addFieldOffset(4, buffers, 0);
  });
  b.finish(model, "TFL3");
  return b.asUint8Array();
}

function encodeBuffer(b, data, table) {
  if (data.length === 0) return table(1, () => {});
  b.startVector(1, data.length, 16);
  b.prep(1, 0);
  b.space -= data.length;
  b.bb.bytes().set(data, b.space);
  const bytes = b.endVector();
  return table(1, () => b.addFieldOffset(0, bytes, 0));
}

function encodeTensor(b, { shape, type, buffer, scale, zeros, axis }, name, { table, vector, ints }) {
  const scales = vector(scale, 4, (value) => b.addFloat32(value));
  const points = vector(zeros, 8, (value) => b.addInt64(BigInt(value)));
  const quantization = table(7, () => {
    b.addFieldOffset(2, scales, 0);
    b.addFieldOffset(3, points, 0);
    b.addFieldInt32(6, axis, 0);
  });
  const [dims, label] = [ints(shape), b.createString(name)];
  return table(8, () => {
    b.addFieldOffset(0, dims, 0);
    b.addFieldInt8(1, type, 0);
    b.addFieldInt32(2, buffer, 0);
    b.addFieldOffset(3, label, 0);
    b.addFieldOffset(4, quantization, 0);
  });
}

function encodeOperator(b, { code, inputs, output, union, options }, { table, ints }) {
  const settings = table(8, () => {
    for (const [bytes, field, value] of options) bytes === 1 ? b.addFieldInt8(field, value, -1) : b.addFieldInt32(field, value, -1);
  });
  const [ins, outs] = [ints(inputs), ints([output])];
  return table(9, () => {
    b.addFieldInt32(0, code, 0);
    b.addFieldOffset(1, ins, 0);
    b.addFieldOffset(2, outs, 0);
    b.addFieldInt8(3, union, 0);
    b.addFieldOffset(4, settings, 0);
  });
}
