/** The API reference as Markdown: what each entry of the package exports, with the comments that stand there in the sources. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Declaration, declarationOf, exportsOf } from "./apiSources.ts";

/** An entry of package.json whose types are documented: how users import it, and the file it is made of. */
export interface ApiEntry {
  readonly name: string; // "bitexact", "bitexact/worker"
  readonly file: string; // "src/index.ts"
}

type Exports = Readonly<Record<string, unknown>>;

/** The entries of package.json that have types, the main one first. */
export function apiEntries(manifest: { readonly name: string; readonly exports: Exports }): ApiEntry[] {
  return Object.entries(manifest.exports).flatMap(([path, target]) => {
    const types = typesOf(target);
    const file = types && /^\.\/dist\/types\/(.*)\.d\.ts$/.exec(types)?.[1];
    return file ? [{ name: join(manifest.name, path), file: `src/${file}.ts` }] : [];
  });
}

/** The "types" condition, wherever it is nested. */
function typesOf(target: unknown): string | undefined {
  if (typeof target !== "object" || target === null) return undefined;
  for (const [condition, value] of Object.entries(target)) {
    const found = condition === "types" && typeof value === "string" ? value : typesOf(value);
    if (found) return found;
  }
  return undefined;
}

const HEAD = `# API reference

What each entry of the package exports, taken from the sources by \`npm run docs:api\`; edit the comments there. [README](../README.md) shows the common
paths, [numerics.md](numerics.md) says what results mean.

Bad input of any kind is a \`ModelError\` whose \`issues\` list everything at once; a session that cannot serve a call throws a \`SessionError\`. Both carry
a stable \`code\`, "area/what".
`;

const KINDS = [
  ["Functions", "function"],
  ["Classes", "class"],
  ["Types", "type"],
  ["Constants", "constant"],
] as const;

/** docs/api.md. throws Error for an exported function without a written return type. */
export function apiReference(root: string, entries: readonly ApiEntry[]): string {
  const seen = new Map<Declaration, string>();
  return `${[HEAD, ...entries.map((entry) => entrySection(root, entry, seen))].join("\n")}`;
}

function entrySection(root: string, { name, file }: ApiEntry, seen: Map<Declaration, string>): string {
  const path = join(root, file);
  const all = exportsOf(path).map(({ name, from }) => ({ name, declaration: declarationOf(from.file, from.name) }));
  const fresh = all.filter(({ declaration }) => !seen.has(declaration));
  const known = all.filter(({ declaration }) => seen.has(declaration));
  for (const { declaration } of fresh) seen.set(declaration, name);
  const named = new Set(all.map(({ declaration }) => declaration));
  const more = mentioned(fresh.map(({ declaration }) => declaration)).filter((one) => !named.has(one) && !seen.has(one));
  for (const declaration of more) seen.set(declaration, name);
  const sections = KINDS.flatMap(([title, kind]) =>
    section(
      title,
      fresh.filter(({ declaration }) => declaration.kind === kind),
    ),
  );
  const unnamed = section(
    "Types that these mention, not exported by name",
    more.map((declaration) => ({ name: declaration.name, declaration })),
  );
  const again = known.length > 0 ? [`Also exported, as above: ${known.map((one) => `\`${one.name}\``).join(", ")}.\n`] : [];
  return [`## ${name}\n`, `${headerOf(path)}\n`, ...sections, ...unnamed, ...again].join("\n");
}

/** The first line of a file says its role. */
function headerOf(path: string): string {
  const [, text = ""] = /^\/\*\* ?([\s\S]*?)\s*\*\//.exec(readFileSync(path, "utf8")) ?? [];
  return text.replace(/\s*\n \*\s*/g, " ");
}

function section(title: string, items: readonly { readonly name: string; readonly declaration: Declaration }[]): string[] {
  if (items.length === 0) return [];
  return [`### ${title}\n`, ...items.map(({ name, declaration }) => item(name, declaration))];
}

function item(name: string, { doc, text }: Declaration): string {
  return [`#### ${name}\n`, ...(doc ? [`${doc}\n`] : []), "```ts declaration", text, "```\n"].join("\n");
}

/** Declarations of the package's own that these mention, directly or through others. What models, plans and machines are made of is left out. */
function mentioned(declarations: readonly Declaration[]): Declaration[] {
  const found = new Set<Declaration>();
  const open = [...declarations];
  for (let one = open.shift(); one !== undefined; one = open.shift()) {
    for (const { file, name } of one.mentions) {
      const declaration = declarationOf(file, name);
      if (found.has(declaration) || declarations.includes(declaration) || (INSIDE.test(file) && !declaration.text.startsWith("type ")))
        continue;
      found.add(declaration);
      open.push(declaration);
    }
  }
  return [...found];
}

const INSIDE = /\/src\/(graph|plan|ops|forms|passes|kernels|session)\/|\/src\/runtime\/(machine|bound)\.ts$|\/src\/model\.ts$/;
