// Export list of the variants: what quantized convolutional networks run. The rest is in rest.ts.
export * from "./geometry";
export { copy_strided } from "./kernels/copy/copy_strided";
export { fill } from "./kernels/copy/fill";
export { flip_top } from "./kernels/copy/flip_top";
export { line_q8 } from "./kernels/table/line_q8";
export { table_q8_q8 } from "./kernels/table/table";
export { igemm_q8 } from "./kernels/igemm_q8/igemm_q8";
export { dwconv_q8 } from "./kernels/dwconv_q8/dwconv_q8";
export { rowsum_q8 } from "./kernels/rowsum_q8/rowsum_q8";
export { pack_b_q8 } from "./kernels/pack_b_q8/pack_b_q8";
export { pack_w_q8 } from "./kernels/pack_w_q8/pack_w_q8";
export { pack_taps_q8 } from "./kernels/pack_w_q8/pack_taps_q8";
export { pad_rows_q8 } from "./kernels/pad_rows_q8/pad_rows_q8";
export { widen_q8 } from "./kernels/widen_q8/widen_q8";
export { add_q8 } from "./kernels/linear/add_q8";
export { mean_q } from "./kernels/window/mean_q";
export { extreme_q } from "./kernels/window/extreme_q";
export { quantize_f32, dequantize_q } from "./kernels/convert/convert";
