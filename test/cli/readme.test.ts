/** The README says what is true: its commands, options and files exist. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bitexact } from "./commandLine.ts";

const readme = readFileSync("README.md", "utf8");

describe("README", () => {
  test("links to files that exist", () => {
    const pages = readdirSync("docs").filter((name) => name.endsWith(".md"));
    const documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "models/README.md", ...pages.map((name) => `docs/${name}`)];
    for (const document of documents) {
      const folder = document.includes("/") ? `${document.split("/")[0]}/` : "";
      for (const [, link] of readFileSync(document, "utf8").matchAll(/\]\(([^)#:\s]+)\)/g)) {
        expect(existsSync(`${folder}${link}`), `${document} → ${link}`).toBe(true);
      }
    }
  });

  test("names only scripts that package.json has", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: Record<string, string> };
    for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script);
  });

  test("every option it uses is an option of that command", async () => {
    const lines = [...readme.matchAll(/^\$ bitexact (\w+) (.*)$/gm)];
    expect(lines.length).toBeGreaterThan(2);
    for (const [, command, rest] of lines) {
      const { stdout } = await bitexact(command as string, "--help");
      for (const option of (rest as string).match(/--?[a-z]+/g) ?? [])
        if (option.startsWith("-")) expect(stdout, `${command} ${option}`).toContain(option);
    }
  });
});
