// Export list of the kernels that few models need: 16-bit activations, fixed targets, sums that no integers are proven for, sums of planes,
// softmax of codes.
// They use no dot product, so one module per signedness serves the variants. Loaded on demand.
export { table_q8_q16, table_q16_q8, table_q16_q16 } from "./kernels/table/table";
export { split_q16 } from "./kernels/split_q16/split_q16";
export { requantize_s32 } from "./kernels/requantize_s32/requantize_s32";
export { linear_binary } from "./kernels/linear/linear_binary";
export { add_fixed, mul_fixed } from "./kernels/linear/fixed_binary";
export { quantize_single } from "./kernels/single/quantize_single";
export { binary_single } from "./kernels/single/binary_single";
export { mean_single } from "./kernels/single/mean_single";
export { softmax_single } from "./kernels/single/softmax_single";
export { softmax_q8 } from "./kernels/softmax_q8/softmax_q8";
export { to_real, from_real } from "./kernels/convert/convert";
