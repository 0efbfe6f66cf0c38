/** Which file of dist a module goes to: the core in one, everything loaded on demand in one per occasion. */

/** What rolldown tells of a module while it decides. */
export interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/** Chunks in the order in which they claim modules: a module goes to the first whose roots need it without a dynamic import. */
const CHUNKS: readonly { readonly name: string; readonly roots: readonly string[] }[] = [
  { name: "bitexact", roots: ["src/index.ts"] },
  { name: "proofs", roots: ["src/session/promote.ts"] },
  { name: "image", roots: ["src/tensor/image.ts"] },
  { name: "line", roots: ["src/runtime/line.ts"] },
  { name: "threads", roots: ["src/runtime/threads/crew.ts"] },
  { name: "stream", roots: ["src/runtime/stream.ts"] },
  { name: "modelFolder", roots: ["src/io/modelFolder.ts"] },
  { name: "flaws", roots: ["src/onnx/flaws.ts"] },
  { name: "qdq", roots: ["src/qdq.ts"] },
  { name: "full", roots: ["src/everything.ts"] },
  { name: "encodings", roots: ["src/passes/attachEncodings.ts"] },
  { name: "executors", roots: ["src/executors.ts"] },
  { name: "doctor", roots: ["src/doctor.ts"] },
  { name: "compiled", roots: ["src/bex/load.ts"] },
  { name: "compiler", roots: ["src/compileModel.ts"] },
  { name: "trouble", roots: ["src/kernels/trouble.ts"] },
];

/** A group of the bundler: the modules it names go to one chunk; groups of higher priority choose first. */
interface ChunkGroup {
  readonly debugName: string;
  readonly priority: number;
  readonly name: (id: string, graph: ModuleGraph) => string | null;
}

/** One group per chunk. A module of none goes with the command line that needs it. */
export function chunkGroups(root: string): ChunkGroup[] {
  let chunks: Map<string, string> | null = null;
  const chunkOf = (id: string, graph: ModuleGraph): string | undefined => {
    if (id.includes("rolldown/runtime")) return "bitexact";
    chunks ??= assign(root, graph);
    return chunks.get(id);
  };
  return CHUNKS.map(({ name }, i) => ({
    debugName: name,
    priority: CHUNKS.length - i,
    name: (id, graph) => (chunkOf(id, graph) === name ? name : null),
  }));
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
