// The files that a bundle imports before its first line runs.
import { existsSync, readFileSync } from "node:fs";

/** `file` and every file of `folder` that it imports statically, directly or through others; each once. */
export function closure(folder, file) {
  const found = new Set();
  const open = [file];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name) || !existsSync(`${folder}/${name}`)) continue;
    found.add(name);
    const text = readFileSync(`${folder}/${name}`, "utf8");
    for (const [, path] of text.matchAll(/(?:\bfrom|\bimport)\s*["']\.\/([\w.-]+\.js)["']/g)) open.push(path);
  }
  return [...found];
}
