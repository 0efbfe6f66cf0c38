/** Loops over windows: which outputs and inputs a tap connects. */
import type { WindowAxis } from "./op.ts";
import { throughAxis } from "./windows.ts";

/** Three window axes, the leading ones of extent 1. */
export function threeAxes<W extends WindowAxis>(axes: readonly W[]): [WindowAxis, WindowAxis, WindowAxis] {
  const one = throughAxis(1);
  return [axes[axes.length - 3] ?? one, axes[axes.length - 2] ?? one, axes[axes.length - 1] as WindowAxis];
}

/** The output indices whose tap `tap` reads data: [first, last]. */
export function outputsOfTap(axis: WindowAxis, tap: number): [number, number] {
  const shift = tap * axis.dilation - axis.padBegin;
  const first = Math.max(0, Math.ceil(-shift / axis.stride));
  const last = Math.min(axis.out - 1, Math.floor((axis.size - 1 - shift) / axis.stride));
  return [first, last];
}

/** Of a transposed convolution: the input indices whose tap `tap` lands inside the output. */
export function inputsOfTap(axis: WindowAxis, tap: number): [number, number] {
  const shift = tap * axis.dilation - axis.padBegin;
  const first = Math.max(0, Math.ceil(-shift / axis.stride));
  const last = Math.min(axis.size - 1, Math.floor((axis.out - 1 - shift) / axis.stride));
  return [first, last];
}
