// What the exactness checks need of Node: files of the repository by their path in it.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

export const nodeHost = {
  address: (path) => join(root, path),
  read: async (path) => readFileSync(join(root, path)),
};
