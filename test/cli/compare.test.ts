/** `bitexact compare`: real results of the other commands, exit codes, and what people read. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { CompareReport } from "../../src/compare/report.ts";
import { bitexact, bundled, type Outcome, scratch } from "./commandLine.ts";

const cnn = bundled("digits_cnn/w8a8_pc");
const folder = scratch();
const at = (name: string): string => join(folder, name);

async function write(name: string, ...words: string[]): Promise<string> {
  const { code, stderr } = await bitexact(...words, "--json", at(name));
  expect(code, stderr).toBe(0);
  return at(name);
}

// biome-ignore lint/suspicious/noExplicitAny: a document to damage.
function changed(file: string, name: string, change: (json: any) => void): string {
  const json = JSON.parse(readFileSync(file, "utf8"));
  change(json);
  writeFileSync(at(name), JSON.stringify(json));
  return at(name);
}

const model = [cnn.model, "-e", cnn.encodings];
let verified = "";
let ran = "";
let timed = "";
beforeAll(async () => {
  verified = await write("verify.json", "verify", ...model, "--random", "1");
  ran = await write("run.json", "run", ...model, "--random", "1", "--capture", "all", "--quantized");
  timed = await write("bench.json", "bench", ...model, "--runs", "3");
});

describe("compare", () => {
  test("a result equals itself, whatever its kind", async () => {
    for (const file of [verified, ran, timed]) {
      const { code, stdout, stderr } = await bitexact("compare", file, file);
      expect(code, stderr).toBe(0);
      expect(stdout).toMatch(/^NO REGRESSION: \d+ unchanged/m);
    }
  });

  test("the same model verified and run again, by another variant, gives the same results", async () => {
    const again = await write("again.json", "verify", ...model, "--random", "1", "--variant", "simd");
    expect(await bitexact("compare", verified, again)).toMatchObject({ code: 0 });
    const rerun = await write("rerun.json", "run", ...model, "--random", "1", "--capture", "all", "--quantized", "--variant", "simd");
    expect(await bitexact("compare", ran, rerun)).toMatchObject({ code: 0 });
  });

  test("another target is told from it, tensor by tensor", async () => {
    const other = await write("ort.json", "run", ...model, "--random", "2", "--capture", "all", "--quantized", "--target", "ort");
    const { code, stdout } = await bitexact("compare", ran, other);
    expect(code).toBe(1);
    expect(stdout).toContain("note target: exact → ort");
    expect(stdout).toMatch(/REGRESSION: \d+ worse/);
    for (const line of stdout.split("\n").slice(1)) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test("a layer that got worse: exit code 1, the layer in the table and in the document", async () => {
    const worse = changed(verified, "worse.json", (json) => {
      json.layers[2].local.unexplained = 3;
      json.verdict = "mismatch";
      json.layers.pop();
    });
    const { layers } = JSON.parse(readFileSync(verified, "utf8"));
    const { code, stdout } = await bitexact("compare", verified, worse);
    expect(code).toBe(1);
    expect(stdout).toMatch(/verdict +exact +mismatch/);
    expect(stdout).toMatch(/unexplained +0 +3/);
    expect(stdout).toContain(`layer ${layers.at(-1).tensor}`);
    expect(stdout).toMatch(/^REGRESSION: 2 worse, 1 vanished/m);
    const document = await bitexact("compare", verified, worse, "--json", "-");
    expect(document.code).toBe(1);
    const report = JSON.parse(document.stdout) as CompareReport;
    expect(report).toMatchObject({ schema: "bitexact-compare/1", kind: "verify", regression: true });
    expect(report.worse.map(({ subject }) => subject)).toEqual(["model", layers[2].tensor]);
    expect((await bitexact("compare", worse, verified)).code).toBe(0);
  });

  test("times: beyond the tolerance, and not within it", async () => {
    const slow = changed(timed, "slow.json", (json) => {
      json.rows[0].medianMs *= 1.5;
      json.rows[0].minMs *= 1.5;
    });
    const { code, stdout } = await bitexact("compare", timed, slow);
    expect(code).toBe(1);
    expect(stdout).toContain("+50.0 %");
    expect((await bitexact("compare", timed, slow, "--tolerance", "60%")).code).toBe(0);
    expect((await bitexact("compare", timed, slow, "--tolerance", "0.4")).code).toBe(1);
  });

  test("names in a file cannot steer the terminal", async () => {
    const hostile = changed(verified, "hostile.json", (json) => {
      json.layers[0].tensor = "\u001b[2Jgone\u0007";
      json.target = "\u001b]0;title";
    });
    const { code, stdout } = await bitexact("compare", verified, hostile);
    expect(code).toBe(1);
    expect(stdout).toContain("�[2Jgone�");
    expect(stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("what cannot be compared is refused with exit code 2 and no stack", async () => {
    writeFileSync(at("model.bin"), readFileSync(cnn.model));
    const refused: readonly (readonly [string[], RegExp])[] = [
      [[verified, ran], /compare\/kinds/],
      [[timed, verified], /compare\/kinds/],
      [[verified, at("model.bin")], /compare\/json/],
      [[cnn.encodings, cnn.encodings], /compare\/schema/],
      [[verified, at("nowhere.json")], /cli\/file/],
      [[folder, verified], /cli\/file/],
      [[verified, changed(ran, "short.json", (json) => delete json.tensors)], /compare\/kinds|compare\/field/],
      [[ran, changed(ran, "short.json", (json) => delete json.tensors)], /compare\/field.*tensors/],
      [[verified], /missing required argument/],
      [[verified, verified, "--tolerance", "lots"], /expected a share/],
      [[verified, verified, "--tolerance", "-1%"], /expected a share/],
      [[verified, verified, "--json", ""], /unset/],
    ];
    for (const [words, code] of refused) {
      const outcome: Outcome = await bitexact("compare", ...words);
      expect(outcome.stderr, words.join(" ")).toMatch(code);
      expect(outcome.stderr).not.toMatch(/\n\s+at /);
      expect(outcome.code).toBe(2);
    }
  });
});
