/** Code blocks of Markdown pages, and what their info strings ask for. */
import { readFileSync } from "node:fs";

export interface Block {
  readonly page: string; // path from the root
  readonly line: number; // of the opening fence, from 1
  readonly language: string; // "" where the fence says nothing
  readonly flags: readonly string[]; // what follows the language
  readonly text: string;
}

/** Every fenced block of `page`, indented ones too. throws Error for a fence that is not closed. */
export function blocksOf(page: string, text = readFileSync(page, "utf8")): Block[] {
  const blocks: Block[] = [];
  let open: {
    readonly fence: string;
    readonly indent: number;
    readonly info: string[];
    readonly line: number;
    readonly lines: string[];
  } | null = null;
  for (const [i, line] of text.split("\n").entries()) {
    const [, space = "", fence = "", info = ""] = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(line) ?? [];
    if (open && fence.startsWith(open.fence) && info.trim() === "") {
      const [language = "", ...flags] = open.info;
      blocks.push({ page, line: open.line, language, flags, text: open.lines.join("\n") });
      open = null;
    } else if (open) open.lines.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)));
    else if (fence) open = { fence, indent: space.length, info: info.trim().split(/\s+/), line: i + 1, lines: [] };
  }
  if (open) throw new Error(`${page}:${open.line}: the block is not closed`);
  return blocks;
}

/** How a block is checked. */
export type Way =
  | "text" // read by people only
  | "declaration" // a type of the package, written by npm run docs:api
  | "setup" // commands that a test cannot run; the scripts and files they name exist
  | "config" // another tool's file; it is JavaScript
  | "json"
  | "node" // type-checked, then run in Node
  | "browser" // type-checked, then run in a page
  | "page" // opened in a browser
  | "shell" // run, exit code 0
  | "session"; // commands after "$", and what they print

const WAYS: Readonly<Record<string, Way>> = {
  text: "text",
  json: "json",
  html: "page",
  sh: "shell",
  "sh setup": "setup",
  console: "session",
  ts: "node",
  js: "node",
  "ts continued": "node",
  "js continued": "node",
  "ts browser": "browser",
  "js browser": "browser",
  "ts config": "config",
  "js config": "config",
  "ts declaration": "declaration",
};

/** How `block` is checked. throws Error for one that does not say. */
export function wayOf({ page, line, language, flags }: Block): Way {
  const info = [language, ...flags.filter((flag) => !/^exit=\d$/.test(flag))].join(" ");
  const way = Object.hasOwn(WAYS, info) ? WAYS[info] : undefined;
  if (way) return way;
  throw new Error(
    `${page}:${line}: found a block marked "${info}", expected one of ${Object.keys(WAYS).join(", ")}. Mark what cannot be executed as text.`,
  );
}

/** The exit code a block is to end with: its flag exit=N, or 0. */
export function exitOf({ flags }: Block): number {
  return Number(flags.find((flag) => flag.startsWith("exit="))?.slice(5) ?? 0);
}

export interface Command {
  readonly words: string;
  readonly output: readonly string[]; // lines; "…" stands for anything
}

/** Commands of a session: lines after "$", and the lines each prints. */
export function commandsOf({ text }: Block): Command[] {
  const parts = `\n${text}`.split("\n$ ").slice(1);
  return parts.map((part) => {
    const [words = "", ...output] = part.split("\n");
    return { words, output: output.filter((line) => line.trim() !== "") };
  });
}

/** The first expected line that does not follow in `printed`, or null. A line "…" stands for lines, "…" in a line for text. */
export function firstMissing(output: readonly string[], printed: string): string | null {
  const lines = printed.split("\n").map((line) => line.trimEnd());
  let at = 0;
  let any = true;
  for (const expected of output) {
    if (expected.trim() === "…") {
      any = true;
      continue;
    }
    const pattern = new RegExp(`^${expected.trimEnd().split("…").map(escaped).join(".*")}$`);
    while (any && at < lines.length && !pattern.test(lines[at] as string)) at++;
    while (!any && at < lines.length && lines[at] === "") at++;
    if (at >= lines.length || !pattern.test(lines[at] as string)) return expected;
    at++;
    any = false;
  }
  return null;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
