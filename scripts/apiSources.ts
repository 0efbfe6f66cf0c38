/** Reads what a source file exports: names followed through re-exports to their declarations, with comments and without bodies. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseSync } from "vite";

/** Where a name is declared, or imported from. */
export interface Place {
  readonly file: string;
  readonly name: string;
}

export interface Declaration {
  readonly name: string;
  readonly kind: "function" | "class" | "type" | "constant";
  readonly doc: string; // Markdown; "" without a comment
  readonly text: string; // as one reads it in a declaration file, comments of members included
  readonly mentions: readonly Place[]; // the package's own types in it
}

/** A node of the syntax tree: ESTree with TypeScript's types. Its fields are looked at by kind. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  // biome-ignore lint/suspicious/noExplicitAny: a syntax tree of many kinds.
  readonly [field: string]: any;
}

interface Source {
  readonly file: string;
  readonly text: string;
  readonly body: readonly Node[];
  readonly comments: readonly Node[];
}

const sources = new Map<string, Source>();
const declarations = new Map<string, Declaration>();

function sourceOf(file: string): Source {
  const known = sources.get(file);
  if (known) return known;
  const text = readFileSync(file, "utf8");
  const { program, comments, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const source = { file, text, body: program.body as unknown as Node[], comments: comments as unknown as Node[] };
  sources.set(file, source);
  return source;
}

/** Exported names in the order of the file, and where each is declared. */
export function exportsOf(file: string): { readonly name: string; readonly from: Place }[] {
  return sourceOf(file).body.flatMap((node) => {
    if (node.type === "ExportAllDeclaration") return exportsOf(resolve(dirname(file), node.source.value));
    if (node.type !== "ExportNamedDeclaration") return [];
    if (node.declaration) return namesOf(node.declaration).map((name) => ({ name, from: { file, name } }));
    return (node.specifiers as Node[]).map(({ local, exported }) => {
      const from = node.source ? { file: resolve(dirname(file), node.source.value), name: local.name } : { file, name: local.name };
      return { name: exported.name as string, from: origin(from) };
    });
  });
}

function namesOf(declaration: Node): string[] {
  if (declaration.type === "VariableDeclaration") return declaration.declarations.map(({ id }: Node) => id.name);
  return [declaration.id.name];
}

/** Follows imports and re-exports to the file that declares the name. */
function origin({ file, name }: Place): Place {
  const { body } = sourceOf(file);
  if (body.some((node) => declares(node, name))) return { file, name };
  for (const node of body) {
    if (node.type !== "ImportDeclaration" && !(node.type === "ExportNamedDeclaration" && node.source)) continue;
    const specifier = (node.specifiers as Node[]).find((one) => (one.exported ?? one.local).name === name);
    if (!specifier || !node.source.value.startsWith(".")) continue;
    const inner = node.type === "ImportDeclaration" ? specifier.imported : specifier.local;
    return origin({ file: resolve(dirname(file), node.source.value), name: inner.name });
  }
  throw new Error(`${file}: ${name} is not declared or imported there`);
}

function declares(node: Node, name: string): boolean {
  const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
  return declaration && /Declaration$/.test(declaration.type) && "id" in declaration
    ? declaration.id?.name === name
    : declaration?.type === "VariableDeclaration" && namesOf(declaration).includes(name);
}

/** The declaration of a name in the file that holds it. */
export function declarationOf(file: string, name: string): Declaration {
  const key = `${file}#${name}`;
  const known = declarations.get(key) ?? describe(sourceOf(file), name);
  declarations.set(key, known);
  return known;
}

function describe(source: Source, name: string): Declaration {
  const outer = source.body.find((node) => declares(node, name));
  if (!outer) throw new Error(`${source.file}: ${name} is not declared there`);
  const node: Node = outer.type === "ExportNamedDeclaration" ? outer.declaration : outer;
  const doc = docBefore(source, outer.start);
  if (/^TS(Interface|TypeAlias)/.test(node.type)) {
    return { name, kind: "type", doc, text: slice(source, node), mentions: mentionsIn(source, [node]) };
  }
  if (node.type === "FunctionDeclaration") {
    const text = `function ${signature(source, name, node)};`;
    return { name, kind: "function", doc, text, mentions: mentionsIn(source, [...node.params, node.returnType]) };
  }
  if (node.type === "ClassDeclaration") return { name, kind: "class", doc, ...classText(source, node) };
  const [{ id }] = node.declarations as [Node];
  if (!id.typeAnnotation) throw new Error(`${source.file}: give ${name} a type`);
  return { name, kind: "constant", doc, text: `const ${slice(source, id)};`, mentions: mentionsIn(source, [id]) };
}

function slice({ text }: Source, { start, end }: { readonly start: number; readonly end: number }): string {
  return text.slice(start, end);
}

/** "name(a: A, b?: B): R" of a function or method. */
function signature(source: Source, name: string, node: Node): string {
  if (!node.returnType && name !== "constructor") throw new Error(`${source.file}: give ${name} a return type`);
  const types = node.typeParameters ? slice(source, node.typeParameters) : "";
  const list = `${name}${types}(${node.params.map((one: Node) => parameter(source, one)).join(", ")})`;
  return `${list}${node.returnType ? slice(source, node.returnType) : ""}`;
}

function parameter(source: Source, node: Node): string {
  if (node.type !== "AssignmentPattern") return slice(source, node);
  const { left, right } = node;
  return `${left.name}?${left.typeAnnotation ? slice(source, left.typeAnnotation) : `: ${typeof right.value}`}`;
}

/** What a class and those it extends show to users. */
function classText(source: Source, node: Node): { readonly text: string; readonly mentions: Place[] } {
  const all = withInherited(source, node);
  const hasCreate = all.some(({ key }) => key === "static create");
  const shown = all.filter(({ key }) => !(hasCreate && key === "constructor"));
  const base = node.superClass && !isOwn(source, node.superClass.name) ? ` extends ${node.superClass.name}` : "";
  return {
    text: `class ${node.id.name}${base} {\n${shown.map(({ text }) => text).join("\n")}\n}`,
    mentions: shown.flatMap((one) => [...one.mentions]),
  };
}

interface Member {
  readonly key: string;
  readonly text: string;
  readonly documented: boolean;
  readonly mentions: readonly Place[];
}

/** Members of a class, then those of the classes it extends; one that overrides another has its comment unless it brings its own. */
function withInherited(source: Source, node: Node): Member[] {
  const own = members(source, node);
  if (!node.superClass || !isOwn(source, node.superClass.name)) return own;
  const place = origin({ file: source.file, name: node.superClass.name });
  const base = sourceOf(place.file);
  const outer = base.body.find((one) => declares(one, place.name)) as Node;
  const above = withInherited(base, outer.declaration ?? outer);
  const told = own.map((member) => (member.documented ? member : (above.find(({ key }) => key === member.key) ?? member)));
  return [...told, ...above.filter(({ key }) => !own.some((member) => member.key === key))];
}

function isOwn({ body }: Source, name: string): boolean {
  const imported = body.some((node) => node.type === "ImportDeclaration" && node.specifiers.some((one: Node) => one.local.name === name));
  return imported || body.some((node) => declares(node, name));
}

function members(source: Source, node: Node): Member[] {
  return (node.body.body as Node[]).flatMap((member) => {
    const doc = commentBefore(source, member.start);
    if (member.accessibility === "private" || member.accessibility === "protected" || member.key?.type === "PrivateIdentifier") return [];
    if (/Abstract|StaticBlock/.test(member.type) || doc?.value.includes("@internal")) return [];
    const name = member.computed ? `[${slice(source, member.key)}]` : slice(source, member.key);
    const lead = member.static ? "static " : "";
    const [key, documented] = [`${lead}${name}`, doc !== undefined];
    const indented = doc ? `  /*${doc.value.replace(/\n\s*\*/g, "\n   *")}*/\n` : "";
    if (member.type === "MethodDefinition") {
      const { value, kind } = member;
      const text = kind === "get" ? `readonly ${name}${slice(source, value.returnType)}` : signature(source, name, value);
      const mentions = mentionsIn(source, [...value.params, value.returnType].filter(Boolean));
      return kind === "set" ? [] : [{ key, text: `${indented}  ${lead}${text};`, documented, mentions }];
    }
    const type = member.typeAnnotation ? slice(source, member.typeAnnotation) : `: ${literalType(source, name, member.value)}`;
    const text = `${indented}  ${lead}${member.readonly ? "readonly " : ""}${name}${member.optional ? "?" : ""}${type};`;
    return [{ key, text, documented, mentions: mentionsIn(source, [member.typeAnnotation].filter(Boolean)) }];
  });
}

function literalType(source: Source, name: string, value: Node | null): string {
  if (value?.type !== "Literal") throw new Error(`${source.file}: give ${name} a type`);
  return slice(source, value);
}

/** The package's own types that stand anywhere in `nodes`. */
function mentionsIn(source: Source, nodes: readonly Node[]): Place[] {
  const names = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) visit(one);
    else if (typeof node === "object" && node !== null) {
      const { type, typeName, expression } = node as Node;
      if (type === "TSTypeReference" && typeName?.type === "Identifier") names.add(typeName.name);
      if (/Heritage|TSClassImplements/.test(type ?? "") && expression?.type === "Identifier") names.add(expression.name);
      for (const value of Object.values(node)) visit(value);
    }
  };
  visit(nodes);
  return [...names].filter((name) => isOwn(source, name)).map((name) => origin({ file: source.file, name }));
}

function commentBefore({ text, comments }: Source, start: number): Node | undefined {
  return comments.find(
    ({ type, value, end }) => type === "Block" && value.startsWith("*") && end <= start && text.slice(end, start).trim() === "",
  );
}

/** A doc comment as Markdown: its lines joined; what is thrown in a paragraph of its own. */
function docBefore(source: Source, start: number): string {
  const comment = commentBefore(source, start);
  if (!comment || comment.start === 0) return "";
  const lines = (comment.value as string).slice(1).split("\n");
  const text = lines.map((line) => line.replace(/^\s*\* ?/, "").trim()).join("\n");
  return text
    .replace(/\n(?!throws |\n)/g, " ")
    .replace(/\n+/g, "\n\n")
    .replace(/(\S) throws (ModelError|SessionError|Error)/g, "$1\n\nthrows $2")
    .trim();
}
