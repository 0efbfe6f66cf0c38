/** Every block of code in docs/embedding.md is a file of an app that `npm run apps` builds and runs. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const text = readFileSync("docs/embedding.md", "utf8");
const blocks = [...text.matchAll(/(?:<!-- (\S+) -->\n)?```[\w ]*\n([\s\S]*?)```/g)];

/** A file without its first line, which says what it is for. */
const body = (file: string): string => readFileSync(file, "utf8").replace(/^\/\/.*\n/, "");

describe("docs/embedding.md", () => {
  test("has code", () => expect(blocks.length).toBeGreaterThan(4));

  for (const [, file, code] of blocks) {
    test(`shows ${file} as it is run`, () => {
      expect(file, code).toBeDefined();
      expect(code).toBe(body(file!));
    });
  }
});
