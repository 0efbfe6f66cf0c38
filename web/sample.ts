/** The bundled sample: a small network and 397 handwritten digits, served beside the page. */
import { readNpz, writeNpz } from "../src/io/npz.ts";

const FOLDER = "sample/";

async function bytesOf(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(`${FOLDER}${name}`, document.baseURI));
  if (!response.ok)
    throw { problems: [{ code: "page/sample", message: `${FOLDER}${name}: HTTP status ${response.status}. Build the page again.` }] };
  return new Uint8Array(await response.arrayBuffer());
}

/** Files as if they had been dropped: the model, its encodings, and the digits as its inputs (models/README.md tells how). */
export async function sampleFiles(): Promise<File[]> {
  const [model, encodings, digits] = await Promise.all(["model.onnx", "model.encodings", "test.npz"].map(bytesOf));
  const images = readNpz(digits!, "test.npz").get("images")!;
  const [count = 0] = images.dims;
  const data = Float32Array.from(images.data as Uint8Array, (pixel) => (pixel / 16) * 2 - 0.5);
  const inputs = writeNpz(new Map([["input", { type: "float32", dims: [count, 1, 8, 8], data }]])) as Uint8Array<ArrayBuffer>;
  return [new File([model!], "digits_cnn.onnx"), new File([encodings!], "digits_cnn.encodings"), new File([inputs], "digits.npz")];
}
