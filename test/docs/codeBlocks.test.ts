/** Every code block of the README and the pages in docs/ is executed as its info string says (CONTRIBUTING.md, "Documentation"). */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseSync, transformWithOxc } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Block, blocksOf, commandsOf, exitOf, firstMissing, wayOf } from "./blocks.ts";
import { CHROMIUM, openViewer, type Viewer } from "./browser.ts";
import { openWorkplace, run, type Workplace } from "./workplace.ts";

const PAGES = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "models/README.md"],
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const BLOCKS = PAGES.flatMap((page) => blocksOf(page));
const EXECUTED = BLOCKS.filter((block) => ["node", "browser", "page", "shell", "session"].includes(wayOf(block)));

let workplace: Workplace;
let errors: Map<string, string[]>;
let viewer: Viewer | null = null;

beforeAll(async () => {
  workplace = await openWorkplace(PAGES);
  for (const block of EXECUTED) if (/^(node|browser)$/.test(wayOf(block))) writeFileSync(fileOf(block), programOf(block));
  errors = workplace.typeErrors();
}, 120_000);
afterAll(async () => {
  await viewer?.close();
  workplace?.remove();
});

function fileOf({ page, line, language }: Block): string {
  return join(workplace.at(page), `block-${line}.${language}`);
}

/** The block, behind those of its page that it continues. */
function programOf(block: Block): string {
  if (!block.flags.includes("continued")) return `${block.text}\nexport {};\n`;
  const before = EXECUTED.filter(({ page, line }) => page === block.page && line < block.line && wayOf(block) === "node").at(-1);
  if (!before) throw new Error(`${block.page}:${block.line}: continues nothing`);
  return `${programOf(before).replace(/\nexport \{\};\n$/, "\n")}${block.text}\nexport {};\n`;
}

/** The block as JavaScript, beside it. */
async function compiled(block: Block): Promise<string> {
  const file = fileOf(block);
  const { code } = await transformWithOxc(readFileSync(file, "utf8"), file.replace(/\.js$/, ".ts"), { target: "es2022" });
  const out = file.replace(/\.[tj]s$/, ".out.js");
  writeFileSync(out, code);
  return out;
}

async function inNode(block: Block): Promise<void> {
  expect(errors.get(fileOf(block)) ?? errors.get("") ?? []).toEqual([]);
  const { code, stderr } = await run(workplace, process.execPath, [await compiled(block)], workplace.at(block.page));
  expect(code, stderr).toBe(exitOf(block));
}

async function inShell(block: Block): Promise<void> {
  const { code, stdout, stderr } = await run(workplace, "bash", ["-euo", "pipefail", "-c", block.text], workplace.at(block.page));
  expect(code, `${stdout}\n${stderr}`).toBe(exitOf(block));
}

async function inSession(block: Block): Promise<void> {
  const commands = commandsOf(block);
  expect(commands.length, "no line begins with $").toBeGreaterThan(0);
  for (const [i, { words, output }] of commands.entries()) {
    const { code, stdout, stderr } = await run(workplace, "bash", ["-euo", "pipefail", "-c", words], workplace.at(block.page));
    expect(code, `${words}\n${stdout}\n${stderr}`).toBe(i === commands.length - 1 ? exitOf(block) : 0);
    expect(firstMissing(output, `${stdout}\n${stderr}`), `${words} printed\n${stdout}\n${stderr}`).toBeNull();
  }
}

async function inPage(block: Block): Promise<void> {
  const entries = {
    bitexact: "index",
    "bitexact/worker": "worker",
    "bitexact/inline": "inline",
    "bitexact/verify": "verify",
    "bitexact/runtime": "runtime",
  };
  const imports = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, `./node_modules/bitexact/dist/${file}.js`]));
  const html = join(workplace.at(block.page), `page-${block.line}.html`);
  if (wayOf(block) === "page") writeFileSync(html, block.text);
  else {
    expect(errors.get(fileOf(block)) ?? errors.get("") ?? []).toEqual([]);
    const script = `./block-${block.line}.out.js`;
    await compiled(block);
    writeFileSync(
      html,
      `<!doctype html><title>example</title><script type="importmap">${JSON.stringify({ imports })}</script>
      <script type="module">import(${JSON.stringify(script)}).then(() => console.log("done"), (error) => console.error(String(error?.stack ?? error)));</script>`,
    );
  }
  viewer ??= await openViewer(workplace.folder);
  expect(await viewer.open(relative(workplace.folder, html))).not.toBe("");
}

describe.each(PAGES)("%s", (page) => {
  for (const block of EXECUTED.filter((one) => one.page === page)) {
    const way = wayOf(block);
    test(`line ${block.line}: ${[block.language, ...block.flags].join(" ")} runs`, async (context) => {
      if (way === "node") return inNode(block);
      if (way === "shell") return inShell(block);
      if (way === "session") return inSession(block);
      if (!CHROMIUM) return context.skip("Chromium is not installed");
      return inPage(block);
    });
  }

  test("blocks that are not executed are so for a reason that holds", () => {
    const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly scripts: Readonly<Record<string, string>> };
    for (const block of BLOCKS.filter((one) => one.page === page && !EXECUTED.includes(one))) {
      const [way, where] = [wayOf(block), `${page}:${block.line}`];
      if (way === "declaration") expect(page).toBe("docs/api.md");
      if (way === "json") expect(() => JSON.parse(block.text), where).not.toThrow();
      if (way === "config") expect(parseSync(`config.${block.language}`, block.text).errors, where).toEqual([]);
      if (way !== "setup") continue;
      for (const [, script] of block.text.matchAll(/npm (?:run )?(start|test|(?<=run )[\w:]+)/g))
        expect(Object.keys(scripts), where).toContain(script);
      for (const [, file] of block.text.matchAll(/\bnode ([\w./-]+\.m?js)/g))
        expect(existsSync(file as string) || (file as string).startsWith("dist/"), `${where}: ${file}`).toBe(true);
    }
  });
});

test("a block without a mark, or with an unknown one, is refused", () => {
  const way = (info: string) => () => wayOf(blocksOf("x.md", `\`\`\`${info}\nhello\n\`\`\``)[0] as Block);
  for (const info of ["", "python", "ts ignore", "sh text", "TS", "console setup", "toString"])
    expect(way(info), info).toThrow(/Mark what cannot be executed/);
  expect(way("console exit=1")()).toBe("session");
  expect(() => blocksOf("x.md", "```ts\nlet x;")).toThrow(/x\.md:1: the block is not closed/);
});

test("blocks are found indented, after other fences, and with fences inside", () => {
  const page = "a\n   ```ts\n   let x;\n     let y;\n   ```\n~~~text\n```\n~~~\n````text\n```ts\nno\n```\n````\n";
  expect(blocksOf("x.md", page)).toMatchObject([
    { language: "ts", line: 2, text: "let x;\n  let y;" },
    { language: "text", text: "```" },
    { language: "text", text: "```ts\nno\n```" },
  ]);
});

test("expected output: in order, … for anything", () => {
  const printed = "head\n\na  1\nb  2\nc  3\nend\n";
  expect(firstMissing(["head", "a  1", "b  2"], printed)).toBeNull();
  expect(firstMissing(["b  …", "…", "end"], printed)).toBeNull();
  expect(firstMissing(["a  1", "c  3"], printed)).toBe("c  3");
  expect(firstMissing(["b  2", "…", "a  1"], printed)).toBe("a  1");
  expect(firstMissing(["a+"], "aa")).toBe("a+");
});
