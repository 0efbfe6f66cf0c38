/** Windows over row-major tensors in plain loops. */
import type { Window } from "../ops/op.ts";
import { sizeOf, stridesOf } from "../tensor/shape.ts";
import { tapOf } from "./windows.ts";

/** Calls visit(output index, input indices of the taps on data) for every output, in row-major order of the window's axes. */
export function forEachWindow(window: Window, visit: (out: number, taps: readonly number[]) => void): void {
  const { axes } = window;
  const strides = stridesOf(axes.map((axis) => axis.size));
  const total = sizeOf(axes.map((axis) => axis.out));
  for (let out = 0; out < total; out++) {
    let taps = [0];
    let rest = out;
    const positions = new Array<number>(axes.length);
    for (let d = axes.length - 1; d >= 0; d--) {
      positions[d] = rest % axes[d]!.out;
      rest = Math.floor(rest / axes[d]!.out);
    }
    axes.forEach((axis, d) => {
      const next: number[] = [];
      for (const tap of taps) {
        for (let w = 0; w < axis.window; w++) {
          const i = tapOf(axis, positions[d]!, w);
          if (i >= 0) next.push(tap + i * strides[d]!);
        }
      }
      taps = next;
    });
    visit(out, taps);
  }
}
