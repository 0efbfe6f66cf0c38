/** The page in Chromium: files dropped, numbers read back, and the same as the command line's. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VerifyReport } from "../../src/index.ts";
import type { InspectReport } from "../../src/inspectReport.ts";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import { bitexact, bundled, type Paths, scratch } from "../cli/commandLine.ts";
import { CHROMIUM, type Mode, type Stage, stage } from "./open.ts";

const cnn = bundled("digits_cnn/w8a8_pc");
const conv = bundled("conv1d/w8a16_pc");
const transformer = bundled("tiny_transformer/w8a8_pc");
const all = ({ model, encodings, inputs, sim }: Paths): string[] => [model, encodings, inputs, sim];

async function json<T>(...words: string[]): Promise<T> {
  const { stdout, stderr } = await bitexact(...words, "--json", "-");
  expect(stderr).not.toMatch(/^(internal )?error/m);
  return JSON.parse(stdout) as T;
}

/** A verification by the command line, with the noise that the page measures too. */
const verified = (paths: Paths, ...words: string[]) =>
  json<VerifyReport>("verify", paths.model, "-e", paths.encodings, ...words, "--report", join(scratch(), "r.html"));

/** Decibels are sums of doubles in the order of layers and elements, the same everywhere; kernels may differ. */
const comparable = ({ variant: _, ...report }: VerifyReport) => report;

if (!CHROMIUM) console.log("test/web: skipped, no Chromium is installed (BITEXACT_CHROMIUM names one elsewhere)");

describe.skipIf(!CHROMIUM)("the page", () => {
  let there: Stage;
  beforeAll(async () => {
    there = await stage();
  });
  afterAll(() => there?.close());

  const dropped = async (mode: Mode, files: readonly string[]) => {
    const opened = await there.open(mode);
    await opened.page.setInputFiles("#picker", [...files]);
    await opened.page.waitForSelector("main[data-state=ready], main[data-state=failed]");
    return opened;
  };

  for (const mode of ["plain", "isolated", "csp"] as const) {
    it(`inspects and verifies dropped files as the command line does, under ${mode} headers, without a word on the console`, async () => {
      const { page, complaints, result } = await dropped(mode, all(cnn));
      const { inspect } = await result("ready");
      const expected = await json<InspectReport>("inspect", cnn.model, "-e", cnn.encodings);
      for (const key of ["operators", "coverage", "macs", "islands", "unmatched", "inputs", "outputs"] as const)
        expect(inspect![key], key).toEqual(expected[key]);
      expect(await page.inputValue("#against")).toBe("recorded");
      await page.click("text=Verify");
      const { verify } = await result();
      const own = await verified(cnn, "--inputs", cnn.inputs, "--against", cnn.sim);
      expect(comparable(verify!)).toEqual(comparable(own));
      expect(await page.getAttribute("[data-verdict]", "data-verdict")).toBe("exact");
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(mode === "isolated");
      expect(complaints).toEqual([]);
      await page.context().close();
    });
  }

  it.each([
    ["16-bit activations against the simulation in single precision", conv, "sim-f32"],
    ["a transformer against the reference", transformer, "reference"],
    ["a convolutional network against the simulation in double precision", cnn, "sim-f64"],
  ] as const)("draws the same random samples from a seed and finds the same: %s", async (_, paths, against) => {
    const { page, result } = await dropped("csp", [paths.model, paths.encodings]);
    await page.fill("label:has-text('Seed') input", "7");
    await page.fill("label:has-text('Samples') input", "6");
    await page.selectOption("#against", against);
    await page.click("text=Verify");
    const { verify } = await result();
    expect(comparable(verify!)).toEqual(comparable(await verified(paths, "--random", "7", "--samples", "6", "--against", against)));
    const rows = await page.$$eval("[data-panel=verify] tbody[data-layer]", (bodies) =>
      bodies.map((body) => [
        (body as HTMLElement).dataset.layer!,
        ...Array.from(body.querySelectorAll<HTMLElement>(":scope > tr:first-child td.figure"), ({ textContent }) =>
          Number(textContent!.replaceAll(",", "")),
        ),
      ]),
    );
    const figures = new Map(rows.map(([name, ...cells]) => [name, cells]));
    for (const { tensor, local, endToEnd } of verify!.layers) {
      const { elements, equal, explained, undecided, unexplained, maxLsb } = local!;
      expect(figures.get(tensor), tensor).toEqual([elements, equal, explained, undecided, unexplained, maxLsb, endToEnd!.differing]);
    }
    await page.context().close();
  });

  it("runs a sample to the same bytes as the command line", async () => {
    const { page, result } = await dropped("plain", [cnn.model, cnn.encodings, cnn.inputs]);
    await page.fill("label:has-text('Sample') input", "0");
    await page.click("#run button:has-text('Run')");
    const { run } = await result();
    const first = readNpz(readFileSync(cnn.inputs), "inputs").get("input")!;
    const file = join(scratch(), "one.npz");
    writeFileSync(file, writeNpz(new Map([["input", { ...first, dims: [1, 1, 8, 8], data: first.data.slice(0, 64) }]])));
    const own = await json<{ tensors: { name: string; sha256: string }[] }>("run", cnn.model, "-e", cnn.encodings, "--inputs", file);
    expect(run!.outputs.map(({ name, sha256 }) => ({ name, sha256 }))).toEqual(own.tensors.map(({ name, sha256 }) => ({ name, sha256 })));
    await page.context().close();
  });

  it("tells the whole story of the sample at one press: inspected, run, verified, timed", async () => {
    const { page, complaints, result } = await there.open("csp");
    await page.click("text=Try the sample");
    await page.waitForSelector("[data-panel=speed]");
    await page.waitForSelector("[data-panel=doctor][data-healthy=true]");
    const { inspect, run, verify, bench } = await result();
    expect(inspect!.coverage.activations).toEqual({ encoded: 11, total: 11 });
    expect(run!.outputs[0]!.top[0]!.index).toBe(0); // the first test digit is a zero
    expect(verify).toMatchObject({ verdict: "exact", samples: 16 });
    expect(bench!.rows.filter(({ suite }) => suite === "layer").length).toBe(11);
    for (const { medianMs, suite } of bench!.rows) if (suite !== "kernel") expect(medianMs).toBeGreaterThan(0);
    for (const panel of ["inspect", "verify", "sqnr", "speed", "doctor"])
      expect(await page.isVisible(`[data-panel=${panel}]`), panel).toBe(true);
    expect(bench!.rows[0]!.engine).toMatch(/^Chromium \d/);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("shows where a layer differs and how far from a tie; by keyboard, filter and sorted", async () => {
    const arrays = readNpz(readFileSync(cnn.sim), "sim");
    const codes = arrays.get("/pw/Conv_output_0")!;
    const data = codes.data.slice() as Uint8Array;
    data[700] = data[700]! + 1;
    const planted = join(scratch(), "planted.npz");
    writeFileSync(planted, writeNpz(new Map([...arrays, ["/pw/Conv_output_0", { ...codes, data }]])));
    const { page, complaints, result } = await dropped("plain", [cnn.model, cnn.encodings, cnn.inputs, planted]);
    await page.click("text=Verify");
    expect((await result()).verify).toMatchObject({ verdict: "mismatch" });
    const toggle = page.getByRole("button", { name: "/pw/Conv_output_0: show where it differs" });
    await toggle.focus();
    await page.keyboard.press("Enter");
    expect(await toggle.getAttribute("aria-expanded")).toBe("true");
    const detail = page.locator("tbody[data-layer='/pw/Conv_output_0'] .detail");
    await detail.getByRole("img", { name: /1 mismatch in 1 of 16 rows, 1 of 512 cells/ }).waitFor();
    await detail.getByRole("img", { name: /Distances of the exact value/ }).waitFor();
    expect(await detail.locator(".worst tbody td").allTextContents()).toEqual(expect.arrayContaining(["[0, 10, 7, 4]"]));
    const shown = () =>
      page.$$eval("[data-panel=verify] tbody[data-layer]", (bodies) =>
        bodies.filter((body) => !(body as HTMLElement).hidden).map((body) => (body as HTMLElement).dataset.layer),
      );
    await page.fill("[data-panel=verify] [data-filter]", "relu");
    expect(await shown()).toHaveLength(5);
    await page.fill("[data-panel=verify] [data-filter]", "");
    await page.check("[data-panel=verify] [data-differing]");
    expect(await shown()).toEqual(["/relu2/Relu_output_0", "/pw/Conv_output_0"]); // the second reads what was planted in the first
    await page.uncheck("[data-panel=verify] [data-differing]");
    await page.click("[data-panel=verify] th button:has-text('elements')");
    await page.click("[data-panel=verify] th button:has-text('elements')");
    expect((await shown())[0]).toBe("output");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("takes a picture, and a frame of the camera", async () => {
    const { page, complaints, result } = await dropped("plain", [cnn.model, cnn.encodings]);
    await page.check("text=picture or camera");
    const picture = await page.screenshot({ clip: { x: 0, y: 0, width: 120, height: 90 } });
    await page.setInputFiles("#picture", { name: "picture.png", mimeType: "image/png", buffer: picture });
    await page.click("#run button:text-is('Run')");
    const first = (await result()).run!.outputs[0]!;
    expect(first.sha256).toMatch(/^[0-9a-f]{64}$/);
    await page.click("text=Start the camera");
    await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
    await page.click("text=Take this frame");
    await page.click("#run button:text-is('Run')");
    await page.waitForSelector("main[data-state=done]");
    await page.click("text=Stop the camera");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it("says what is wrong with files it cannot use, and goes on", async () => {
    const broken = join(scratch(), "broken.onnx");
    writeFileSync(broken, "no model at all");
    const { page, result } = await dropped("plain", [broken]);
    await page.waitForSelector("main[data-state=failed]");
    expect(await page.textContent("[role=alert]")).toContain("onnx/");
    await page.setInputFiles("#picker", [cnn.encodings]);
    await page.waitForSelector("main[data-state=failed]");
    await page.setInputFiles("#picker", [cnn.model, cnn.encodings]);
    expect((await result("ready")).inspect!.macs).toBe(91_968);
    expect(await page.textContent("[role=alert]")).toBe("");
    await page.context().close();
  });

  it("stops a verification when asked, says so, and works on", async () => {
    const { page, result } = await dropped("plain", [cnn.model, cnn.encodings]);
    await page.fill("label:has-text('Samples') input", "1000");
    await page.click("text=Verify");
    await page.waitForFunction(() => document.querySelector(".status")?.textContent?.includes("layer"));
    const start = Date.now();
    await page.click("text=Stop");
    await page.waitForSelector("main[data-state=failed]");
    expect(Date.now() - start).toBeLessThan(3000);
    expect(await page.textContent("[role=alert]")).toContain("session/aborted");
    await page.click("#run button:text-is('Run')");
    expect((await result()).run!.outputs).toHaveLength(1);
    await page.context().close();
  });

  it("says where ONNX Runtime Web must lie when it is not there", async () => {
    const { page } = await dropped("plain", [cnn.model, cnn.encodings]);
    await page.route("**/ort/**", (route) => route.fulfill({ status: 404 }));
    await page.click("text=Compare with ONNX Runtime Web");
    await page.waitForSelector("main[data-state=failed]");
    expect(await page.textContent("[role=alert]")).toContain("not served beside this page");
    await page.context().close();
  });

  it("saves a report file that opens by itself, from a disk, and says the same", async () => {
    const { page } = await dropped("csp", all(cnn));
    await page.click("text=Verify");
    await page.waitForSelector("[data-panel=verify]");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Save as a report file")]);
    const file = join(scratch(), "saved.html");
    await download.saveAs(file);
    const saved = await (await there.browser.newContext({ offline: true })).newPage();
    const complaints: string[] = [];
    saved.on("console", (message) => complaints.push(message.text()));
    saved.on("pageerror", (error) => complaints.push(String(error)));
    await saved.goto(`file://${file}`);
    expect(await saved.getAttribute("[data-verdict]", "data-verdict")).toBe("exact");
    await saved.fill("[data-panel=verify] [data-filter]", "gemm");
    expect(await saved.textContent("[data-panel=verify] [data-shown]")).toBe("1 of 9 shown");
    const panels = (on: typeof page) => on.locator("[data-panel=sqnr]").innerText();
    expect(await panels(saved)).toBe(await panels(page));
    expect(complaints).toEqual([]);
    await saved.context().close();
    await page.context().close();
  });
});
