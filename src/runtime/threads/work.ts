/** Work: how long a step takes on one thread, about, and what threads must not share of it. Rates are those of one 3 GHz core in the slowest variant's
 *  favour: a step that is taken for longer than it is would be split without gain. */
import { igemmScratch, RUN_ELEMENTS } from "../../kernels/dot.ts";
import { requantizeScratch } from "../../kernels/requantizeScratch.ts";
import type { ModuleGeometry } from "../../kernels/variant.ts";

/** A step as it lies in memory: a field of its args, and a 32-bit word that a field points to. */
export interface StepArgs {
  readonly kernel: string;
  readonly units: number;
  field(name: string): number;
  word(address: number, index: number): number;
}

/** ns: on one thread. scratch: the field that must differ between threads, and bytes behind it. align: units that should stay together. */
export interface Work {
  readonly ns: number;
  readonly scratch?: { readonly field: string; readonly bytes: number };
  readonly align?: number;
}

/** Nanoseconds per element of kernels whose units are elements. */
const ELEMENTS: Readonly<Record<string, number>> = {
  flip_top: 0.03,
  fill: 0.1,
  table_q8_q8: 0.25,
  table_q8_q16: 0.7,
  table_q16_q8: 0.7,
  table_q16_q16: 0.7,
  line_q8: 0.08,
  quantize_f32: 0.25,
  quantize_single: 0.3,
  dequantize_q: 0.2,
  to_real: 0.3,
  from_real: 1,
  half_round: 0.5,
  to_half: 2,
  convert_numbers: 0.7,
  unary_f32: 0.3,
  unary_f64: 0.6,
  erf_f32: 2,
  quantize_numbers_f32: 1,
  quantize_numbers_f64: 1,
  dequantize_numbers_f32: 0.7,
  dequantize_numbers_f64: 0.7,
  to_integer_f32: 0.5,
  to_integer_f64: 0.5,
};

/** Nanoseconds per element of kernels that walk `rank` dims at `shape`; units are the first. */
const WALKS: Readonly<Record<string, number>> = {
  copy_strided: 0.25,
  add_q8: 0.25,
  linear_binary: 0.5,
  binary_single: 0.5,
  add_fixed: 2,
  mul_fixed: 2,
  binary_f32: 0.3,
  binary_f64: 0.6,
  where_f32: 0.4,
  where_f64: 0.8,
};

/** Nanoseconds per tap and element of kernels that move windows along `rank` axes at `axes`. */
const WINDOWS: Readonly<Record<string, number>> = {
  mean_q: 0.08,
  mean_single: 0.12,
  extreme_q: 0.06,
  reduce_f32: 0.3,
  reduce_f64: 0.5,
  reduce_index_f32: 1,
  reduce_index_f64: 1,
};

/** Nanoseconds per unit of the others. */
const UNITS: Readonly<Record<string, (step: StepArgs) => number>> = {
  widen_q8: () => 0.08 * RUN_ELEMENTS,
  split_q16: () => 0.1 * RUN_ELEMENTS,
  pad_rows_q8: ({ field }) => 4 + 0.05 * field("width"),
  rowsum_q8: ({ field }) => 6 * (2 + 0.05 * field("k") * field("taps")),
  pack_b_q8: ({ field }) => 6 * field("k"),
  requantize_s32: ({ field }) => 0.5 * field("n") * field("planes") * field("blocks"),
  softmax_q8: ({ field }) => 10 + 0.7 * field("size"),
  softmax_single: ({ field }) => 10 + field("size") * field("inner"),
  softmax_f32: ({ field }) => 10 + 2 * field("size") * field("inner"),
  softmax_f64: ({ field }) => 10 + 3 * field("size") * field("inner"),
  layernorm_f32: ({ field }) => 10 + 0.8 * field("size"),
  layernorm_f64: ({ field }) => 10 + 1.5 * field("size"),
  matmul_f32: ({ field }) => 0.1 * field("n") * field("k"),
  matmul_f64: ({ field }) => 0.2 * field("n") * field("k"),
  panels_f32: ({ field }) => 2 * field("rows") * field("k"),
  panels_f64: ({ field }) => 2 * field("rows") * field("k"),
  block_matmul: ({ field }) => field("k") * Math.max(2.2, field("rows")),
  sample_taps_f32: ({ field }) => 5 * field("rank"),
  sample_taps_f64: ({ field }) => 5 * field("rank"),
  sample_f32: ({ field }) => field("points") * field("taps") ** field("rank"),
  sample_f64: ({ field }) => field("points") * field("taps") ** field("rank"),
  resample_f32: ({ field }) => field("out") * field("inner"),
  resample_f64: ({ field }) => field("out") * field("inner"),
  gather_rows: ({ field }) => field("count") * (3 + 0.05 * field("run")),
  pick: ({ field }) => 2 + 0.05 * field("run") * field("size"),
  einsum_f32: ({ field }) => 2 * field("terms"),
  einsum_f64: ({ field }) => 2 * field("terms"),
};

/** What is known of a step's work; null: it is not split. */
export function workOf(step: StepArgs, geometry: ModuleGeometry): Work | null {
  const { kernel, units, field } = step;
  const elements = ELEMENTS[kernel];
  if (elements !== undefined) return { ns: elements * units, align: 64 };
  const walk = WALKS[kernel];
  if (walk !== undefined) return { ns: walk * product(step, "shape", field("rank"), 1, 0), align: field("rank") === 1 ? 64 : 1 };
  const window = WINDOWS[kernel];
  if (window !== undefined) return { ns: window * units * field("run") * product(step, "axes", field("rank"), AXIS_WORDS, WINDOW_WORD) };
  if (kernel === "dwconv_q8") return depthwise(step, geometry);
  const unit = UNITS[kernel];
  if (!unit) return null;
  const bytes = SCRATCH[kernel]?.(step) ?? 0;
  return { ns: units * unit(step), ...(bytes > 0 ? { scratch: { field: "scratch", bytes } } : {}) };
}

/** Bytes of the scratch that those of them have which need any. */
const SCRATCH: Readonly<Record<string, (step: StepArgs) => number>> = {
  requantize_s32: ({ field }) => requantizeScratch(field("blocks")),
  matmul_f32: ({ field }) => (field("scratch") === 0 ? 0 : 4 * field("k") * field("columns")),
  matmul_f64: ({ field }) => (field("scratch") === 0 ? 0 : 8 * field("k") * field("columns")),
};

const [AXIS_WORDS, WINDOW_WORD] = [8, 1];

function product({ field, word }: StepArgs, name: string, count: number, stride: number, first: number): number {
  let result = 1;
  for (let i = 0; i < count; i++) result *= word(field(name), first + i * stride);
  return result;
}

/** A cell of the line takes as long to weave as 2.5 steps of an output. */
function depthwise({ units, field }: StepArgs, { variant, kr }: ModuleGeometry): Work {
  const cells = (field("lanes") / kr) * field("width");
  const steps = field("bandRows") * field("outColumns") * field("stepCount");
  const rate = variant === "simd" ? 2.4 : 1.2;
  return { ns: units * rate * (2.5 * cells + steps) + cells, scratch: { field: "line", bytes: LINE_SLACK + 64 * cells } };
}

const LINE_SLACK = 64 * 8;

/** How igemm_q8 is shared out: rows per block, so that parts are whole blocks, or panels of all rows. */
export interface ProductWork extends Work {
  readonly mBlock: number;
  readonly parts: number;
}

/** Nanoseconds per byte that another thread has just written. Threads that share out panels read all rows; those that share out rows mostly read what
 *  they wrote themselves, as most steps go through an image from top to bottom. */
const FETCH_NS = 0.15;

/** The cheaper of both for up to `threads` threads, by the time of the slowest thread. */
export function productWork(
  { field }: StepArgs,
  geometry: ModuleGeometry,
  threads: number,
): { readonly alone: number; readonly best: ProductWork } {
  const [m, n, k, taps, bits] = [field("m"), field("n"), field("k"), field("taps"), field("bits")];
  const { mr, kr, variant } = geometry;
  const panels = Math.ceil(n / 8);
  const depth = taps * Math.ceil(k / kr) * kr;
  const scratch = { field: "scratch", bytes: igemmScratch(geometry, taps, k, bits === 4 ? 4 : 8) };
  const unpacks = bits === 4 || (variant === "simd" && m > mr);
  const rate = variant === "simd" ? 1 / 26 : 1 / 70; // ns per multiply-accumulate
  const time = (rows: number, columns: number): number => {
    const tiles = Math.ceil(rows / mr) * mr;
    const copied = 0.04 * rows * depth * (variant === "simd" ? 2 : 1);
    const widened = unpacks ? 0.08 * 8 * depth * columns : 0;
    return 200 + copied + widened + tiles * 8 * columns * (rate * depth + 0.12);
  };
  const alone = time(m, panels);
  let best: ProductWork = { ns: alone, mBlock: field("mBlock"), parts: 1 };
  for (let parts = 2; parts <= threads; parts++) {
    const mBlock = Math.ceil(m / mr / parts) * mr;
    const byRows = time(Math.min(mBlock, m), panels);
    const byPanels = time(m, Math.ceil(panels / parts)) + FETCH_NS * m * depth * (1 - 1 / parts);
    if (byRows < best.ns && mBlock < m) best = { ns: byRows, mBlock, parts: Math.ceil(m / mBlock), scratch };
    if (byPanels < best.ns && panels >= parts) best = { ns: byPanels, mBlock: Math.ceil(m / mr) * mr, parts, scratch };
  }
  return { alone, best };
}
