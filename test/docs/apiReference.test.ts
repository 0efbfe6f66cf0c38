/** docs/api.md is what the sources say, and names everything that the entries export. BITEXACT_RECORD=1 writes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type ApiEntry, apiEntries, apiReference } from "../../scripts/apiDocs.ts";
import { declarationOf, exportsOf } from "../../scripts/apiSources.ts";

const root = resolve(import.meta.dirname, "../..");
const document = resolve(root, "docs/api.md");
const entries = apiEntries(JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")));
const write = process.env.BITEXACT_RECORD === "1";

describe("docs/api.md", () => {
  test("is what npm run docs:api writes", () => {
    const text = apiReference(root, entries);
    if (write) writeFileSync(document, text);
    expect(readFileSync(document, "utf8") === text, "docs/api.md is stale: npm run docs:api").toBe(true);
  });

  test.each(entries)("$name: every value it exports has a heading or is said to be documented above", async ({ name, file }: ApiEntry) => {
    const names = exportsOf(resolve(root, file)).map((one) => one.name);
    const text = readFileSync(document, "utf8").split(`\n## ${name}\n`)[1]?.split("\n## ")[0] ?? "";
    for (const one of names) expect(text.includes(`\n#### ${one}\n`) || text.includes(`\`${one}\``), one).toBe(true);
    if (name !== "bitexact") return;
    const api = await import("../../src/index.ts");
    expect(names).toEqual(expect.arrayContaining(Object.keys(api)));
  });

  test("bodies, private members and internal ones are left out; members of base classes are there", () => {
    const { text } = declarationOf(resolve(root, "src/api.ts"), "Session");
    expect(text).toMatch(/runSync\(feeds: Feeds, options\?: RunOptions\): Record<string, Tensor>;/);
    expect(text).toMatch(/readonly variant: Variant;/);
    expect(text).not.toMatch(/private|protected|machine|@internal|constructor|await|anatomy/);
  });
});
