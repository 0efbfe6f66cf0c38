/** Chunks export what they share under the names it has inside them: a list of pairs of short names costs a browser a kilobyte. */
import type { Plugin } from "vite";

const CLAUSE = /(^|[^\w$.])(import|export)\{([^{}]*)\}from([`"'])\.\/([\w.-]+)\4/g;
const OWN = /export\{([^{}]*)\};?\s*$/;

interface Chunk {
  readonly fileName: string;
  readonly isEntry: boolean;
  readonly isDynamicEntry: boolean;
  code: string;
}

interface Pair {
  readonly from: string;
  readonly to: string;
}

export function sharedNames(): Plugin {
  return {
    name: "bitexact-shared-names",
    apply: "build",
    enforce: "post",
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk") as unknown as Chunk[];
      const renamed = new Map(
        chunks.filter((chunk) => !chunk.isEntry && !chunk.isDynamicEntry).map((chunk) => [chunk.fileName, exportLocals(chunk)]),
      );
      for (const chunk of chunks) {
        chunk.code = chunk.code.replace(CLAUSE, (clause, before, verb, list, _quote, file) => {
          const names = renamed.get(file);
          if (!names) return clause;
          const pairs = pairsOf(list).map(({ from, to }) => ({ from: names.get(from) ?? from, to }));
          return `${before}${verb}{${written(pairs)}}from"./${file}"`;
        });
      }
    },
  };
}

/** Makes the chunk export every name as it is inside. Returns these names by those it had. */
function exportLocals(chunk: Chunk): Map<string, string> {
  const names = new Map<string, string>();
  const found = OWN.exec(chunk.code);
  if (!found) return names;
  const pairs = pairsOf(found[1]!);
  for (const { from, to } of pairs) names.set(to, from);
  const own = [...new Set(pairs.map(({ from }) => from))].map((from) => ({ from, to: from }));
  chunk.code = `${chunk.code.slice(0, found.index)}export{${written(own)}};`;
  return names;
}

function pairsOf(list: string): Pair[] {
  return list
    .split(",")
    .filter((item) => item !== "")
    .map((item) => {
      const [from, to = from] = item.trim().split(/\s+as\s+/) as [string, string?];
      return { from, to };
    });
}

function written(pairs: readonly Pair[]): string {
  return pairs
    .map(({ from, to }) => (from === to ? from : `${from} as ${to}`))
    .sort()
    .join(",");
}
