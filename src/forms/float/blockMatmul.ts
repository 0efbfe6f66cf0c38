/** Matrix products of float32 with constant weights of at most 8 bits: the weights stay codes in memory and become floats in registers. */
import { type Encoding, gridOf } from "../../encodings/encoding.ts";
import { isConstant, type Node, shapeOf, type Value, valueNamed } from "../../graph/graph.ts";
import { constantCodes } from "../../graph/query.ts";
import { packBlocks, packWords, UNIT_COLUMNS, unitsOf } from "../../kernels/blockMatmul.ts";
import { scaleIndexer } from "../../numerics/affine.ts";
import type { MatmulGeometry } from "../../ops/op.ts";
import type { Ref } from "../../plan/lowering.ts";
import type { FloatContext } from "./context.ts";

const WORD_BITS = 32;
const WIDTHS = [2, 4, 8];

/** How a weight's columns lie: `block` k share a scale. */
interface Blocks {
  readonly bits: number;
  readonly block: number;
  readonly blocks: number;
  readonly words: number; // per column
}

/** Emits `to` = a · b without the operator's factors and bias; false where b is no such weight, or lies in several matrices. */
export function lowerBlockMatmul(node: Node, geometry: MatmulGeometry, a: Ref, to: Ref, f: FloatContext): boolean {
  const id = node.inputs[1]!;
  const value = valueNamed(f.graph, id);
  const rows = rowsOf(geometry);
  if (f.precision !== "f32" || rows === 0 || !isConstant(f.graph, id) || !value.encoding || value.half) return false;
  const blocks = blocksOf(value, value.encoding, geometry);
  if (!blocks) return false;
  const { k, n, bStrides } = geometry;
  const kept = <T extends ArrayBufferView>(what: string, make: () => T): Ref => f.lowering.weights(`${what}:${bStrides}:${id}`, make);
  const { scale, zeroPoint } = value.encoding;
  const grid = gridOf(value.encoding.type);
  const at = scaleIndexer(value.encoding, shapeOf(f.graph, id));
  const steps = [blocks.blocks > 1 ? at(blocks.block * bStrides[0]) : 0, n > 1 ? at(bStrides[1]) : 0] as const;
  const size = unitsOf(n) * UNIT_COLUMNS * blocks.blocks;
  const fields = {
    ...blocks,
    a,
    lda: 4 * k,
    w: kept("words", () => packWords(n, blocks.words, columnWords(value, geometry, blocks))),
    scales: kept("scales", () => packBlocks(new Float32Array(size), n, blocks.blocks, scale, steps, 0)),
    zeros: kept("zeros", () => packBlocks(new Uint8Array(size), n, blocks.blocks, zeroPoint, steps, grid.qmin)),
    output: to,
    ldc: 4 * n,
    rows,
    k,
    n,
  };
  f.lowering.emit("block_matmul", fields, unitsOf(n), node.id);
  return true;
}

/** Rows of all batches, where they lie one behind the other and share one b; else 0. */
function rowsOf({ m, n, k, aOffsets, bOffsets, cOffsets, aStrides }: MatmulGeometry): number {
  if (k === 0 || n === 0 || aStrides[1] !== 1 || (m > 1 && aStrides[0] !== k) || bOffsets.some((offset) => offset !== 0)) return 0;
  const inRow = aOffsets.every((offset, i) => offset === i * m * k && cOffsets[i] === i * m * n);
  return inRow ? m * aOffsets.length : 0;
}

function blocksOf(value: Value, encoding: Encoding, { k, bStrides, bOffsets }: MatmulGeometry): Blocks | null {
  const { bits, qmin } = gridOf(encoding.type);
  if (bOffsets.length === 0 || value.shape?.length !== 2 || !WIDTHS.includes(bits)) return null;
  if (encoding.zeroPoint.some((zero) => zero < qmin || zero > qmin + 2 ** bits - 1)) return null;
  const kAxis = bStrides[1] === 1 ? 0 : 1;
  const single = encoding.scale.length === 1;
  if (!single && encoding.axis === kAxis) return null; // a scale for each k
  const blocked = !single && encoding.blockSize !== null;
  if (blocked && encoding.blockAxis !== kAxis) return null;
  const block = blocked ? encoding.blockSize! : k;
  if (blocked && (block * bits) % WORD_BITS !== 0) return null;
  if (value.packed && kAxis !== 0) return null;
  const words = value.packed ? value.packed.columnBytes / 4 : Math.ceil((k * bits) / WORD_BITS);
  return { bits, block, blocks: Math.ceil(k / block), words };
}

/** The words of a column: as they lie in the file, or made from codes. */
function columnWords(value: Value, { k, bStrides }: MatmulGeometry, { bits, words }: Blocks): (column: number) => Uint32Array {
  if (value.packed) {
    const { columnBytes } = value.packed;
    const bytes = value.data as Uint8Array;
    return (column) => new Uint32Array(bytes.slice(column * columnBytes, (column + 1) * columnBytes).buffer);
  }
  const codes = constantCodes(value);
  const { qmin } = gridOf(value.encoding!.type);
  const perWord = WORD_BITS / bits;
  return (column) => {
    const out = new Uint32Array(words);
    for (let i = 0, at = column * bStrides[1]; i < k; i++, at += bStrides[0])
      out[Math.floor(i / perWord)]! |= (codes[at]! - qmin) << (bits * (i % perWord));
    return out;
  };
}
