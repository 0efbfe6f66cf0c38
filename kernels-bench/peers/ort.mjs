// ONNX Runtime: onnxruntime-web (its WebAssembly provider) and onnxruntime-node (the native one) share one interface.
const ARRAYS = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array, int64: BigInt64Array };

/** Both packages register in one onnxruntime-common: each gets a copy of its own. */
function fresh(require, name) {
  for (const key of Object.keys(require.cache)) if (key.includes("onnxruntime-common")) delete require.cache[key];
  return require(name);
}

export async function create({ require, fill, threads = 1, name = "onnxruntime-web", provider = "wasm" }) {
  const ort = fresh(require, name);
  if (ort.env?.wasm) Object.assign(ort.env.wasm, { numThreads: threads, proxy: false });
  if (ort.env) ort.env.logLevel = "error";
  return {
    async load(bytes) {
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: [provider],
        graphOptimizationLevel: "all",
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      });
      const feeds = {};
      for (const { name: input, type, shape } of session.inputMetadata) {
        const dims = shape.map((dim) => (typeof dim === "number" && dim > 0 ? dim : 1));
        const data = fill(new ARRAYS[type](dims.reduce((a, b) => a * b, 1)));
        feeds[input] = new ort.Tensor(type, data, dims);
      }
      const output = session.outputNames[0];
      return { run: async () => (await session.run(feeds))[output].data, dispose: () => session.release() };
    },
  };
}
