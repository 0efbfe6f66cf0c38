// Export list of the kernel modules: one line per kernel file.
export * from "./geometry";
export { copy_strided } from "./kernels/copy/copy_strided";
export { fill } from "./kernels/copy/fill";
export { gather_rows } from "./kernels/copy/gather_rows";
export { table_q8_q8, table_q8_q16, table_q16_q8, table_q16_q16 } from "./kernels/table/table";
export { igemm_q8 } from "./kernels/igemm_q8/igemm_q8";
export { dwconv_q8 } from "./kernels/dwconv_q8/dwconv_q8";
export { rowsum_q8 } from "./kernels/rowsum_q8/rowsum_q8";
export { pack_b_q8 } from "./kernels/pack_b_q8/pack_b_q8";
export { widen_q8 } from "./kernels/widen_q8/widen_q8";
export { split_q16 } from "./kernels/split_q16/split_q16";
export { requantize_s32 } from "./kernels/requantize_s32/requantize_s32";
export { linear_binary } from "./kernels/linear/linear_binary";
export { add_fixed, mul_fixed } from "./kernels/linear/fixed_binary";
export { mean_q } from "./kernels/window/mean_q";
export { extreme_q } from "./kernels/window/extreme_q";
export { quantize_f32, dequantize_q, to_real, from_real, half_round } from "./kernels/convert/convert";
