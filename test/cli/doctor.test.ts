/** `bitexact doctor`: text, document, exit code. */
import { describe, expect, test } from "vitest";
import { describeDoctor } from "../../src/cli/doctor.ts";
import type { DoctorReport } from "../../src/index.ts";
import { bitexact } from "./commandLine.ts";

describe("doctor", () => {
  test("says what it found in 80 columns, and writes it as one document", async () => {
    const { code, stdout, stderr } = await bitexact("doctor", "--json", "-");
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as DoctorReport;
    expect(report).toMatchObject({ schema: "bitexact-doctor/1", healthy: true });
    expect(stderr).toContain(`HEALTHY: ${report.chosen} kernels`);
    expect(stderr).toContain(report.engine.name);
    for (const { variant, why } of report.variants) expect(stderr.replace(/\n +/g, " ")).toContain(`${variant}: ${why}`);
    for (const line of stderr.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  test("an engine on which nothing is exact is told so", async () => {
    const { stdout } = await bitexact("doctor", "--json", "-");
    const report = JSON.parse(stdout) as DoctorReport;
    const sick: DoctorReport = {
      ...report,
      healthy: false,
      chosen: null,
      relaxedDot: { cold: "unsigned", warm: "saturating" },
      variants: report.variants.map((one) => ({ ...one, exact: false, chosen: false, gops: null, why: "the engine rejects the module" })),
    };
    const text = describeDoctor(sick, 80);
    expect(text).toContain("NOT HEALTHY");
    expect(text.replace(/\n +/g, " ")).toMatch(
      /relaxed dot +changes when the engine optimizes: exact, second operand unsigned .*; then saturates/,
    );
  });

  test("takes no arguments", async () => {
    expect((await bitexact("doctor", "model.onnx")).code).toBe(2);
  });
});
