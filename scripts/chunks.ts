/** Which file of dist a module goes to: the core in one, everything loaded on demand in one per occasion. */

/** What rolldown tells of a module while it decides. */
export interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** Chunks in the order in which they claim modules: a module goes to the first whose roots need it without a dynamic import. */
const CHUNKS: readonly { readonly name: string; readonly roots: readonly string[] }[] = [
  { name: "bitexact", roots: ["src/index.ts"] },
  { name: "proofs", roots: ["src/runtime/promote.ts"] },
  { name: "full", roots: ["src/everything.ts"] },
  { name: "encodings", roots: ["src/passes/attachEncodings.ts"] },
  { name: "executors", roots: ["src/executors.ts"] },
];

/** Chunk of a module, or null: then it goes with the command line that needs it. */
export function chunkNames(root: string): (id: string, graph: ModuleGraph) => string | null {
  let chunks: Map<string, string> | null = null;
  return (id, graph) => {
    if (id.includes("rolldown/runtime")) return "bitexact";
    chunks ??= assign(root, graph);
    return chunks.get(id) ?? null;
  };
}

function assign(root: string, graph: ModuleGraph): Map<string, string> {
  const chunks = new Map<string, string>();
  for (const { name, roots } of CHUNKS) {
    const open = roots.map((path) => `${root}/${path}`);
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (chunks.has(id)) continue;
      chunks.set(id, name);
      open.push(...(graph.getModuleInfo(id)?.importedIds ?? []));
    }
  }
  return chunks;
}
