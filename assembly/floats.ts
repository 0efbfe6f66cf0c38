// Export list of the float kernels, a module of its own: loaded only for models with layers that are computed in floating point.
export { unary_f32, unary_f64 } from "./kernels/float/unary";
export { binary_f32, binary_f64, where_f32, where_f64 } from "./kernels/float/binary";
export { reduce_f32, reduce_f64 } from "./kernels/float/reduce";
export { softmax_f32, softmax_f64, layernorm_f32, layernorm_f64 } from "./kernels/float/normalize";
export { conv_f32, conv_f64 } from "./kernels/float/conv";
export { matmul_f32, matmul_f64 } from "./kernels/float/matmul";
export { resample_f32, resample_f64 } from "./kernels/float/resample";
export { gather_rows } from "./kernels/copy/gather_rows";
export { half_round } from "./kernels/convert/convert";
export { panels_f32, panels_f64 } from "./kernels/recurrent/panels";
export { recurrent_f32, recurrent_f64 } from "./kernels/recurrent/recurrent";
export { unfold_f32, unfold_f64, planes_f32, planes_f64 } from "./kernels/float/unfold";
