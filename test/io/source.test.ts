/** Sources of bytes, and attacks through the paths of external data. */
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { ModelError } from "../../src/errors.ts";
import { nodeExternalData } from "../../src/io/modelFolder.ts";
import { readSource } from "../../src/io/source.ts";

const top = realpathSync(mkdtempSync(join(tmpdir(), "bitexact-source-")));
const folder = join(top, "model");
const secret = Uint8Array.of(83);
mkdirSync(join(folder, "sub"), { recursive: true });
mkdirSync(join(top, "outside"));
writeFileSync(join(top, "secret.bin"), secret);
writeFileSync(join(top, "outside", "w.bin"), secret);
writeFileSync(join(folder, "w.bin"), Uint8Array.of(1, 2));
writeFileSync(join(folder, "sub", "w.bin"), Uint8Array.of(3));
symlinkSync(join(top, "secret.bin"), join(folder, "link.bin"));
symlinkSync("w.bin", join(folder, "inside-link.bin"));
symlinkSync(join(top, "outside"), join(folder, "linked-folder"));
symlinkSync(join(folder, "nowhere"), join(folder, "broken.bin"));
symlinkSync("/dev/zero", join(folder, "zero.bin"));
linkSync(join(top, "secret.bin"), join(folder, "hard.bin"));

afterAll(() => rmSync(top, { recursive: true }));

async function outcome(read: () => unknown): Promise<string> {
  try {
    await read();
  } catch (error) {
    if (error instanceof ModelError) return error.code;
    throw error;
  }
  return "read";
}

describe("external data in a folder", () => {
  test("regular files inside are read, once each; absent ones are undefined", async () => {
    const read = await nodeExternalData(folder);
    expect(read("w.bin")).toEqual(Uint8Array.of(1, 2));
    expect(read("w.bin")).toBe(read("w.bin"));
    expect(read("sub/w.bin")).toEqual(Uint8Array.of(3));
    expect(read("./sub/../w.bin".replace("sub/../", ""))).toEqual(Uint8Array.of(1, 2));
    expect(read("absent.bin")).toBeUndefined();
  });

  const attacks = [
    "../secret.bin",
    "sub/../../secret.bin",
    "..",
    "../model/w.bin",
    "sub/..",
    "..\\secret.bin",
    "sub\\..\\..\\secret.bin",
    "/etc/passwd",
    "//etc/passwd",
    "\\etc\\passwd",
    "C:\\secret.bin",
    "c:secret.bin",
    "file:///etc/passwd",
    "http://localhost/w.bin",
    "w.bin\0.txt",
    "\0",
    "",
    ".",
    "./",
    "sub/.",
    "link.bin",
    "./link.bin",
    "inside-link.bin",
    "linked-folder/w.bin",
    "linked-folder",
    "broken.bin",
    "zero.bin",
    "hard.bin",
    "sub",
    "linked-folder/../w.bin",
    join(top, "secret.bin"),
    join(folder, "w.bin"),
  ];
  test.each(attacks)("%j is refused", async (location) => {
    const read = await nodeExternalData(folder);
    expect(await outcome(() => read(location))).toBe("onnx/external-path");
  });

  test("a folder that is itself reached through a link is fine", async () => {
    symlinkSync(folder, join(top, "alias"));
    expect((await nodeExternalData(join(top, "alias")))("w.bin")).toEqual(Uint8Array.of(1, 2));
  });
});

describe("sources", () => {
  test("bytes, buffers, paths, file URLs, data URLs, blobs and responses give the same bytes", async () => {
    const path = join(folder, "w.bin");
    const bytes = Uint8Array.of(1, 2);
    const sources = [
      bytes,
      bytes.buffer as ArrayBuffer,
      path,
      pathToFileURL(path),
      pathToFileURL(path).href,
      "data:application/octet-stream;base64,AQI=",
      new Blob([bytes]),
      new Response(bytes),
    ];
    for (const source of sources) expect(await readSource(source)).toEqual(bytes);
  });

  test("absent files, failed responses and other values are typed errors", async () => {
    for (const source of [join(folder, "absent"), folder, new Response("", { status: 404 }), 7 as unknown as string]) {
      expect(await outcome(() => readSource(source))).toBe("source/unreadable");
    }
  });

  test("an aborted signal rejects with its reason", async () => {
    await expect(readSource(Uint8Array.of(1), AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  });
});
