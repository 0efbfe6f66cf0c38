/** The doctor: its report agrees with what sessions do here, its probes tell behaviours apart, and nothing an engine lacks makes it throw. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { browserName } from "../../src/doctor/engine.ts";
import { memoryReport, threadsReport, whyOne } from "../../src/doctor/limits.ts";
import { doctor } from "../../src/doctor.ts";
import { Session } from "../../src/index.ts";
import { behaviour, relaxedDot } from "../../src/kernels/relaxedDot.ts";
import { kernelsFor } from "../../src/runtime/kernelSource.ts";
import { VERSION } from "../../src/version.ts";

const MODEL = "models/digits_cnn/w8a8_pc/model";

afterEach(() => vi.unstubAllGlobals());

describe("doctor", () => {
  test("agrees with the choice that sessions make, and with the package", async () => {
    const report = await doctor();
    const { variant } = await kernelsFor("auto");
    expect(report).toMatchObject({ schema: "bitexact-doctor/1", version: VERSION, healthy: true, chosen: variant });
    expect(VERSION).toBe(JSON.parse(readFileSync("package.json", "utf8")).version);
    expect(report.variants.map((one) => one.variant)).toEqual(["usdot", "sdot", "simd"]);
    for (const one of report.variants) {
      expect(one.chosen).toBe(one.variant === variant);
      expect(one.why.length).toBeGreaterThan(5);
      if (one.exact) expect(one.gops).toBeGreaterThan(0.1);
      else expect(one.gops).toBeNull();
      const accepted = await kernelsFor(one.variant).then(
        () => true,
        () => false,
      );
      expect(one.exact, one.variant).toBe(accepted);
    }
    expect(report.variants.at(-1)).toMatchObject({ variant: "simd", exact: true });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("what the relaxed dot computes decides which relaxed variant is exact", async () => {
    const { variants, relaxedDot: dot } = await doctor();
    const exact = (name: string): boolean | undefined => variants.find(({ variant }) => variant === name)?.exact;
    expect(exact("usdot")).toBe(dot.cold === "unsigned" && dot.warm === "unsigned");
    if (dot.cold === "signed" && dot.warm === "signed") expect(exact("sdot")).toBe(true);
    if (dot.warm === "absent") expect(variants.filter((one) => one.testMs === null).map((one) => one.variant)).toEqual(["usdot", "sdot"]);
  });

  test("an engine without WebAssembly, or whose policy forbids to compile, is not healthy and the report says why", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    const none = await doctor();
    expect(none).toMatchObject({ healthy: false, chosen: null, webAssembly: { compiles: false }, relaxedDot: { cold: "absent" } });
    expect(none.memory).toEqual({ largestBytes: 0 });
    for (const one of none.variants) expect(one).toMatchObject({ exact: false, chosen: false, gops: null });
    vi.unstubAllGlobals();
    const refuse = (): never => {
      throw new WebAssembly.CompileError("refused by the policy");
    };
    vi.spyOn(WebAssembly, "compile").mockImplementation(async () => refuse());
    const forbidden = await doctor();
    vi.restoreAllMocks();
    expect(forbidden).toMatchObject({ healthy: false, webAssembly: { compiles: false } });
    expect(forbidden.webAssembly.why).toMatch(/refused by the policy.*wasm-unsafe-eval/);
    expect(forbidden.variants.at(-1)?.why).toContain("refused by the policy");
  });
});

describe("relaxed dot", () => {
  test("this engine's answer is one of the known behaviours, and the same cold and warm", async () => {
    const { cold, warm } = await relaxedDot();
    expect(cold).toBe(warm);
    expect(["unsigned", "signed", "saturating", "wrapping", "absent"]).toContain(warm);
  });

  /** Answers of an imagined engine to operands in which every pair is the same. */
  const answers = (pairs: readonly (readonly [x: number, y: number, answer: number])[]) =>
    pairs.map(([x, y, answer]) => ({
      a: new Int8Array(16).fill(x),
      b: new Uint8Array(16).fill(y),
      c: new Int32Array(4).fill(5),
      answer: new Int32Array(4).fill(answer + 5),
    }));

  test("behaviours are told apart by hand-computed answers", () => {
    expect(
      behaviour(
        answers([
          [127, 255, 4 * 127 * 255],
          [-128, 128, -4 * 128 * 128],
        ]),
      ),
    ).toBe("unsigned");
    expect(
      behaviour(
        answers([
          [127, 255, -4 * 127],
          [-128, 128, 4 * 128 * 128],
        ]),
      ),
    ).toBe("signed");
    expect(
      behaviour(
        answers([
          [127, 255, 2 * 32767],
          [-128, 255, -2 * 32768],
        ]),
      ),
    ).toBe("saturating");
    expect(
      behaviour(
        answers([
          [127, 255, -4 * 127],
          [-128, 128, -4 * 128 * 128],
        ]),
      ),
    ).toBe("wrapping");
    expect(
      behaviour(
        answers([
          [127, 255, 0],
          [-128, 128, 1],
        ]),
      ),
    ).toBe("other");
  });
});

describe("limits", () => {
  test("one thread: the first reason that matters is given", () => {
    const all = { cores: 8, sharedArrayBuffer: true, crossOriginIsolated: true, sharedMemory: true, workers: true };
    expect(whyOne(all)).toBeNull();
    expect(whyOne({ ...all, sharedArrayBuffer: false, crossOriginIsolated: false, sharedMemory: false })).toMatch(
      /Cross-Origin-Opener-Policy/,
    );
    expect(whyOne({ ...all, crossOriginIsolated: null, sharedArrayBuffer: false })).toMatch(/SharedArrayBuffer/);
    expect(whyOne({ ...all, sharedMemory: false })).toMatch(/shared WebAssembly.Memory/);
    expect(whyOne({ ...all, workers: false })).toMatch(/workers/);
    expect(whyOne({ ...all, cores: 1 })).toMatch(/one core/);
  });

  test("threads are to be had where a session gets them, and for the same reason not", async () => {
    const { geometry } = await kernelsFor("auto");
    const session = await Session.create(`${MODEL}.onnx`, { encodings: `${MODEL}.encodings`, threads: 2 });
    const report = await threadsReport(geometry);
    expect(report).toMatchObject({ sharedArrayBuffer: true, sharedMemory: true, crossOriginIsolated: null, workers: true });
    if (report.cores !== 1) expect(report.why).toBe(session.threadsReason);
    expect(report.available).toBe(session.threads === 1 ? 1 : Math.min(report.cores!, 8));
    session.dispose();
  });

  test("without kernels there is one thread", async () => {
    expect(await threadsReport(null)).toMatchObject({ available: 1, why: "no kernels are exact here" });
  });

  test("the memory grows to the last page the engine gives, and no further", () => {
    const { largestBytes } = memoryReport();
    expect(largestBytes % 65536).toBe(0);
    expect(largestBytes).toBeGreaterThanOrEqual(1 << 26);
    expect(largestBytes).toBeLessThanOrEqual(2 ** 32);
  });

  test("an engine that gives 300 pages is found to give 300, and one that gives none to give none", () => {
    const limited = (limit: number) =>
      class {
        buffer = { byteLength: 65536 };
        constructor({ maximum }: { maximum: number }) {
          if (maximum > 2 * limit) throw new RangeError("no address space");
        }
        grow(pages: number): void {
          const bytes = this.buffer.byteLength + pages * 65536;
          if (bytes > limit * 65536) throw new RangeError("no memory");
          this.buffer.byteLength = bytes;
        }
      };
    vi.stubGlobal("WebAssembly", { Memory: limited(300) });
    expect(memoryReport()).toEqual({ largestBytes: 300 * 65536 });
    vi.stubGlobal("WebAssembly", { Memory: limited(0) });
    expect(memoryReport()).toEqual({ largestBytes: 0 });
  });
});

describe("engines by their user agents", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  test.each([
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/156.0.0.0 Safari/537.36`, "Chromium 156"],
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/156.0.0.0 Safari/537.36`, "Chromium 156"],
    [`Mozilla/5.0 (Windows NT 10.0) ${webkit} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0`, "Edge 150"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "Firefox 153.0"],
    ["Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15", "Safari 18.3"],
    ["curl/8", "unknown engine"],
  ])("%s", (userAgent, name) => expect(browserName(userAgent)).toBe(name));
});
