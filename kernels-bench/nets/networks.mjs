// The networks the peers are compared on, described once: shapes of real models, random weights. A writer puts them in its format.

const MOBILENET = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];
const RESNET = [
  [64, 3, 1],
  [128, 4, 2],
  [256, 6, 2],
  [512, 3, 2],
];

/** Single layers: input channels, output channels, kernel, stride, image size, depthwise. */
export const LAYERS = {
  "pointwise-16-96-112": [16, 96, 1, 1, 112, false],
  "pointwise-24-144-56": [24, 144, 1, 1, 56, false],
  "stem-3-32-224-s2": [3, 32, 3, 2, 224, false],
  "depthwise-144-56": [144, 144, 3, 1, 56, true],
  "depthwise-96-112-s2": [96, 96, 3, 2, 112, true],
};

/** A seeded generator of numbers in [0, 1). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 4294967296;
}

/** Int8 weights of a layer in OHWI order, one scale a channel, int32 biases; the sums stay near the unit scale of activations. */
export function drawWeights(random, { from, to, k, depthwise }) {
  const perChannel = (depthwise ? 1 : from) * k * k;
  const codes = Int8Array.from({ length: to * perChannel }, () => Math.floor(random() * 255) - 127);
  const scale = Float32Array.from({ length: to }, () => ((0.8 + 0.4 * random()) * 1.5) / (73 * Math.sqrt(perChannel)));
  const bias = Int32Array.from({ length: to }, () => Math.floor(random() * 4000) - 2000);
  return { codes, scale, bias };
}

function mobilenetv2(net) {
  let x = net.conv(net.image(), { from: 3, to: 32, k: 3, stride: 2 });
  let channels = 32;
  for (const [widen, to, count, first] of MOBILENET)
    for (let i = 0; i < count; i++) {
      const wide = channels * widen;
      let y = widen === 1 ? x : net.conv(x, { from: channels, to: wide, k: 1 });
      y = net.conv(y, { from: wide, to: wide, k: 3, stride: i ? 1 : first, depthwise: true });
      y = net.conv(y, { from: wide, to, k: 1, relu: false });
      x = i ? net.add(y, x, false) : y;
      channels = to;
    }
  return net.dense(net.average(net.conv(x, { from: 320, to: 1280, k: 1 })), 1280, 1000);
}

function resnet50(net) {
  let x = net.maximum(net.conv(net.image(), { from: 3, to: 64, k: 7, stride: 2 }));
  let channels = 64;
  for (const [width, count, first] of RESNET)
    for (let i = 0; i < count; i++) {
      const stride = i ? 1 : first;
      let y = net.conv(x, { from: channels, to: width, k: 1 });
      y = net.conv(y, { from: width, to: width, k: 3, stride });
      y = net.conv(y, { from: width, to: 4 * width, k: 1, relu: false });
      const skip = i ? x : net.conv(x, { from: channels, to: 4 * width, k: 1, stride, relu: false });
      x = net.add(y, skip, true);
      channels = 4 * width;
    }
  return net.dense(net.average(x), 2048, 1000);
}

/** Writes a network, "mobilenetv2", "resnet50" or a name of LAYERS, through `net`. Returns the bytes. */
export function buildNetwork(name, net) {
  if (name === "mobilenetv2") return net.finish(mobilenetv2(net));
  if (name === "resnet50") return net.finish(resnet50(net));
  const [from, to, k, stride, size, depthwise] = LAYERS[name];
  return net.finish(net.conv(net.codes(size, from), { from, to, k, stride, depthwise }));
}
