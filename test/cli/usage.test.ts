/** The command line's manners: help, version, usage errors and their exit codes. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bitexact } from "./commandLine.ts";

describe("usage", () => {
  test("without arguments the help is printed and nothing fails", async () => {
    const { code, stdout } = await bitexact();
    expect(code).toBe(0);
    for (const word of ["inspect", "run", "verify", "bench", "Examples:", "Exit codes:"]) expect(stdout).toContain(word);
  });

  test("--version prints the version of package.json", async () => {
    const { code, stdout } = await bitexact("--version");
    expect(code).toBe(0);
    expect(stdout.trim()).toBe((JSON.parse(readFileSync("package.json", "utf8")) as { version: string }).version);
  });

  test.each(["inspect", "run", "verify", "bench"])("%s --help names its options and gives examples", async (command) => {
    const { code, stdout } = await bitexact(command, "--help");
    expect(code).toBe(0);
    for (const word of ["--encodings", "--target", "--variant", "--json", "Examples:", `bitexact ${command}`])
      expect(stdout).toContain(word);
  });

  test.each([
    ["an unknown command", ["explode"]],
    ["an unknown option", ["run", "model.onnx", "--colour"]],
    ["a missing model", ["verify"]],
    ["an unknown target", ["run", "model.onnx", "--target", "tosa"]],
    ["an unknown variant", ["run", "model.onnx", "--variant", "avx"]],
    ["an unknown tie rule", ["verify", "model.onnx", "--rounding", "up"]],
    ["an unknown mode", ["verify", "model.onnx", "--mode", "global"]],
    ["a seed that is no number", ["verify", "model.onnx", "--random", "seven"]],
    ["no run at all", ["bench", "model.onnx", "--runs", "0"]],
    ["a negative sample count", ["verify", "model.onnx", "--random", "7", "--samples", "-1"]],
    ["an input without a name", ["run", "model.onnx", "--input", "x.npy"]],
    ["a shape without dimensions", ["run", "model.onnx", "--shape", "x=a,b"]],
  ])("%s is bad input and says what was expected", async (_, words) => {
    const { code, stderr } = await bitexact(...words);
    expect(code).toBe(2);
    expect(stderr).toMatch(/error/i);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
