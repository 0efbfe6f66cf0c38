// Export list of the float kernels, a module of its own: loaded only for models with layers that are computed in floating point.
export { unary_f32, unary_f64 } from "./kernels/float/unary";
export { binary_f32, binary_f64, where_f32, where_f64 } from "./kernels/float/binary";
export { reduce_f32, reduce_f64 } from "./kernels/float/reduce";
export { softmax_f32, softmax_f64, layernorm_f32, layernorm_f64 } from "./kernels/float/normalize";
export { conv_f32, conv_f64 } from "./kernels/float/conv";
export { matmul_f32, matmul_f64 } from "./kernels/float/matmul";
export { resample_f32, resample_f64 } from "./kernels/float/resample";
export { gather_rows } from "./kernels/copy/gather_rows";
export { convert_numbers, to_integer_f32, to_integer_f64, to_half } from "./kernels/float/numbers";
export { top_f32, top_f64, arg_f32, arg_f64, cumulate_f32, cumulate_f64 } from "./kernels/float/search";
export { index_offsets, pick, scatter_f32, scatter_f64 } from "./kernels/float/indexed";
export { quantize_numbers_f32, quantize_numbers_f64, dequantize_numbers_f32, dequantize_numbers_f64 } from "./kernels/float/grids";
export { dynamic_quantize_f32, dynamic_quantize_f64 } from "./kernels/float/grids";
export { start_values, negated_zeros, rescale_s32 } from "./kernels/float/integerDot";
export { saturating_f32 } from "./kernels/float/saturating";
export { einsum_f32, einsum_f64 } from "./kernels/float/einsum";
export { reduce_index_f32, reduce_index_f64 } from "./kernels/float/reduce";
export { half_round } from "./kernels/convert/convert";
