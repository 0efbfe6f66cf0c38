// Circular and hyperbolic functions of float32 or float64, each computed in double and rounded once.
import { fault } from "../../fault";
import { acos, acosh, asin, asinh, atan, atanh, circular, cosh, isFarAngle, sinh } from "../../numerics/trigonometric";

@unmanaged
class ArcsArgs {
  input: usize;
  output: usize; // in place allowed
  op: i32;
}

// Opcodes (src/kernels/floatModes.ts ARCS); those below 3 are of angles.
const ANGLES: i32 = 3;

function valueOf(op: i32, x: f64): f64 {
  switch (op) {
    case 3: return asin(x);
    case 4: return acos(x);
    case 5: return atan(x);
    case 6: return sinh(x);
    case 7: return cosh(x);
    case 8: return asinh(x);
    case 9: return acosh(x);
    case 10: return atanh(x);
    default: return circular(op, x);
  }
}

/** An angle of 2^20 quarter turns or more is a fault: it needs more bits than there are here. */
function arcs<T>(args: usize, begin: i32, end: i32): void {
  const p = changetype<ArcsArgs>(args);
  const op = p.op;
  for (let i: usize = begin; i < <usize>end; i++) {
    const x = <f64>load<T>(p.input + i * sizeof<T>());
    if (op < ANGLES && isFarAngle(x)) fault(args);
    store<T>(p.output + i * sizeof<T>(), <T>valueOf(op, x));
  }
}

export function arcs_f32(args: usize, begin: i32, end: i32): void {
  arcs<f32>(args, begin, end);
}

export function arcs_f64(args: usize, begin: i32, end: i32): void {
  arcs<f64>(args, begin, end);
}
