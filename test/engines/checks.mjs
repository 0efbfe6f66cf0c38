// The exactness checks themselves, for whatever build of the package is handed in: every bundled model, target and variant.
import { readNpz } from "./npz.mjs";

const MODELS = ["digits_cnn/w8a8_pc", "digits_cnn/w4a8_pc", "conv1d/w8a16_pc", "tiny_transformer/w8a8_pc"];
const TARGETS = ["exact", "fixed-single", "fixed-double"];
const VARIANTS = ["simd", "usdot", "sdot"];
const DIGITS = 12; // real samples per checksum
const RANDOM = 12; // random samples per checksum
const SEED = 20240607;

/** xorshift32, uniform in [−1, 2): beyond the encoded range on both sides, so that clamps are exercised. */
function randomInput(size, seed) {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length: size }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 8) / 2 ** 24) * 3 - 1;
  });
}

async function samplesFor({ Tensor }, model, host) {
  const { name, shape } = model.inputs[0];
  const size = shape.reduce((a, b) => a * b, 1);
  const images = (await readNpz(await host.read("models/digits/test.npz"))).get("images").data;
  const digits = Array.from({ length: DIGITS }, (_, i) =>
    Float32Array.from(images.subarray(i * size, (i + 1) * size), (p) => (p / 16) * 2 - 0.5),
  );
  const random = Array.from({ length: RANDOM }, (_, i) => randomInput(size, SEED + i));
  return [...digits, ...random].map((data) => ({ [name]: new Tensor("float32", data, shape) }));
}

/** SHA-256 over name, type, shape and codes of every captured tensor of every sample, in order of name. */
async function checksum(session, samples) {
  const parts = [];
  for (const feeds of samples) {
    const values = session.runSync(feeds, { capture: "all", quantized: true });
    for (const name of Object.keys(values).sort()) {
      const { type, dims, data } = values[name];
      parts.push(`${name}|${type}|${dims.join(",")}|`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }
  const hash = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function recordedSamples({ Tensor }, folder, host) {
  const inputs = await readNpz(await host.read(`${folder}/inputs.npz`));
  const sim = await readNpz(await host.read(`${folder}/sim.npz`));
  const cut = ({ type, dims, data }, i, count) => {
    if (dims[0] % count !== 0) return new Tensor(type, data, dims);
    const step = data.length / count;
    return new Tensor(type, data.slice(i * step, (i + 1) * step), [dims[0] / count, ...dims.slice(1)]);
  };
  const count = [...inputs.values()][0].dims[0];
  const record = (arrays, i) => Object.fromEntries([...arrays].map(([name, array]) => [name, cut(array, i, count)]));
  return Array.from({ length: count }, (_, i) => ({ feeds: record(inputs, i), recorded: record(sim, i) }));
}

const load = ({ loadModel }, name, { address }) =>
  loadModel(address(`models/${name}/model.onnx`), { encodings: address(`models/${name}/model.encodings`) });

async function checkModel(api, name, variants, checksums, check, host) {
  const { Session, verify } = api;
  const model = await load(api, name, host);
  const samples = await samplesFor(api, model, host);
  for (const target of TARGETS) {
    for (const variant of variants) {
      const session = await Session.create(model, { target, variant });
      const sum = await checksum(session, samples);
      // Again after the code is warm: an optimizing compiler must not change a bit.
      check(`${name} ${target} ${variant}: warm run gives the same bytes`, (await checksum(session, samples)) === sum, sum);
      session.dispose();
      const known = checksums[name]?.[target];
      checksums[name] = { ...checksums[name], [target]: known ?? sum };
      check(`${name} ${target} ${variant}: all variants give one SHA-256`, known === undefined || known === sum, sum);
    }
  }
  const pairs = await recordedSamples(api, `models/${name}`, host);
  const report = await verify(
    model,
    pairs.map(({ feeds }) => feeds),
    { against: pairs.map(({ recorded }) => recorded), mode: "local" },
  );
  const { elements, equal, explained, undecided, unexplained } = report.totals.local;
  const wide = model.inputs[0].encoding.type.endsWith("16");
  const ok = elements > 0 && unexplained === 0 && undecided === 0 && (wide || equal === elements);
  check(
    `${name}: recorded simulation, local`,
    ok,
    `${equal} of ${elements} equal, ${explained} explained, ${undecided} undecided, ${unexplained} unexplained`,
  );
}

async function acceptedVariants({ Session }, model) {
  const accepted = [];
  const refused = {};
  for (const variant of VARIANTS) {
    try {
      (await Session.create(model, { variant })).dispose();
      accepted.push(variant);
    } catch (error) {
      refused[variant] = error.message.split("\n")[0];
    }
  }
  return { accepted, refused };
}

/** Runs everything. `host`: { address(path): what loadModel takes, read(path): Promise of bytes } of files of the repository. Returns { variant, accepted, refused, checksums, checks: [{ name, ok, found }] }. */
export async function runChecks(api, host) {
  const checks = [];
  const check = (name, ok, found) => checks.push({ name, ok, found: String(found) });
  const probe = await load(api, MODELS[0], host);
  const { accepted, refused } = await acceptedVariants(api, probe);
  const automatic = await api.Session.create(probe);
  const variant = automatic.variant;
  automatic.dispose();
  check("the variant chosen is one that was accepted", accepted.includes(variant), variant);
  const checksums = {};
  for (const name of MODELS) await checkModel(api, name, accepted, checksums, check, host);
  const expected = JSON.parse(new TextDecoder().decode(await host.read("test/engines/checksums.json"))).sha256;
  for (const name of MODELS) {
    for (const target of TARGETS) {
      const found = checksums[name][target];
      check(`${name} ${target}: SHA-256 over all intermediate tensors as committed`, expected[name]?.[target] === found, found);
    }
  }
  return { variant, accepted, refused, checksums, checks };
}
