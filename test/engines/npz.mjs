// Minimal .npz reader for the engine checks: nothing but what every engine has, so that the checks need dist/ and nothing else.
const TYPES = {
  "|u1": ["uint8", Uint8Array],
  "|i1": ["int8", Int8Array],
  "<u2": ["uint16", Uint16Array],
  "<i2": ["int16", Int16Array],
  "<i4": ["int32", Int32Array],
  "<f4": ["float32", Float32Array],
};
const END_SIZE = 22; // of the zip's last record, which has no comment here
const text = (bytes) => new TextDecoder("latin1").decode(bytes);

function parseNpy(bytes, name) {
  const headerLength = bytes[8] + 256 * bytes[9];
  const header = text(bytes.subarray(10, 10 + headerLength));
  const descr = /'descr': '([^']+)'/.exec(header)?.[1];
  const shape = /'shape': \(([^)]*)\)/.exec(header)?.[1];
  const entry = TYPES[descr];
  if (!entry || shape === undefined || header.includes("True")) throw new Error(`${name}: cannot read npy header ${header}`);
  const [type, ArrayType] = entry;
  const data = new ArrayType(bytes.buffer.slice(bytes.byteOffset + 10 + headerLength, bytes.byteOffset + bytes.length));
  return {
    type,
    dims: shape
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean)
      .map(Number),
    data,
  };
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Map from member name (without ".npy") to { type, dims, data }. */
export async function readNpz(zip) {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = zip.length - END_SIZE;
  if (view.getUint32(end, true) !== 0x06054b50) throw new Error("no zip without a comment");
  const arrays = new Map();
  let at = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    const short = (offset) => view.getUint16(at + offset, true);
    const [method, size, nameLength, local] = [short(10), view.getUint32(at + 20, true), short(28), view.getUint32(at + 42, true)];
    const name = text(zip.subarray(at + 46, at + 46 + nameLength));
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const raw = zip.slice(start, start + size);
    arrays.set(name.replace(/\.npy$/, ""), parseNpy(method === 8 ? await inflated(raw) : new Uint8Array(raw), name));
    at += 46 + nameLength + short(30) + short(32);
  }
  return arrays;
}
