/** Tables, numbers and wrapping on a terminal of 80 columns; the progress line. */
import { describe, expect, test } from "vitest";
import { progressLine } from "../../src/cli/progress.ts";
import { formatBytes, formatCount, formatLsb, formatPercent, formatTable, plural, shorten, wrap } from "../../src/cli/table.ts";

describe("text", () => {
  test("a table of 200,000 rows is written", () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => [String(i)]);
    expect(formatTable([{ title: "row" }], rows, 80).length).toBeGreaterThan(1_000_000);
  });

  test("a table that is too wide shortens its soft column and nothing else", () => {
    const name = `/features/${"very_".repeat(20)}long/Conv_output_0`;
    const table = formatTable(
      [{ title: "layer", align: "left", shrink: true }, { title: "elements" }],
      [
        [name, "12,345"],
        ["x", "1"],
      ],
      80,
    );
    const lines = table.split("\n");
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[2]).toContain("…");
    expect(lines[2]).toContain("Conv_output_0");
    expect(lines[2]?.endsWith("12,345")).toBe(true);
    expect(lines[3]?.endsWith(" 1")).toBe(true);
  });

  test("shorten keeps both ends and the exact width", () => {
    expect(shorten("abcdefghij", 10)).toBe("abcdefghij");
    expect(shorten("abcdefghijk", 7)).toBe("ab…hijk");
  });

  test("numbers read as people write them", () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([1, 2].map((n) => plural(n, "layer"))).toEqual(["1 layer", "2 layers"]);
    expect([512, 1536, 3 * 1024 ** 2].map(formatBytes)).toEqual(["512 B", "1.5 KiB", "3.0 MiB"]);
    expect([0, 0.000123, 0.5, 1, 300].map(formatLsb)).toEqual(["0", "0.00012", "0.50", "1", "300"]);
    expect([formatPercent(1, 3), formatPercent(0, 0)]).toEqual(["33.3 %", "–"]);
  });

  test("wrapped lines stay within the width and lose no word", () => {
    const text = "one two three four five six seven eight nine ten";
    const wrapped = wrap(text, 15, "  ");
    for (const line of wrapped.split("\n")) expect(line.length).toBeLessThanOrEqual(15);
    expect(wrapped.split(/\s+/).join(" ")).toBe(text);
  });

  test("nothing is written to a stream that is not a terminal", () => {
    let text = "";
    const line = progressLine({
      write: (part) => {
        text += part;
      },
    });
    for (let i = 0; i < 1000; i++) line.update(i, 1000, "layer");
    line.clear();
    expect(text).toBe("");
  });
});
