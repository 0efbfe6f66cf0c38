/** Chrome trace events of one run: the run, inside it its layers, inside these their kernels. Perfetto and chrome://tracing open it. */
import type { StepProfile } from "../session/profile.ts";

/** Times in microseconds. Slices on one thread nest where one contains the other. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: "M" | "X"; // metadata, or a complete slice
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, string | number>>;
}

export interface Trace {
  readonly displayTimeUnit: "ns";
  readonly traceEvents: readonly TraceEvent[];
}

/** The fastest pass of a profile of model `name`. */
export function traceOf(name: string, steps: readonly StepProfile[]): Trace {
  const slice = (cat: string, label: string, ts: number, dur: number, args: TraceEvent["args"]): TraceEvent => ({
    ...{ name: label, ph: "X", pid: 1, tid: 1, cat, ts, dur, args },
  });
  const metadata = (key: string, value: string): TraceEvent => ({ name: key, ph: "M", pid: 1, tid: 1, args: { name: value } });
  const events = [metadata("process_name", `bitexact ${name}`), metadata("thread_name", "run, layers, kernels")];
  events.push(slice("run", name, 0, endOf(steps.at(-1)), { steps: steps.length }));
  for (const layer of consecutive(steps)) {
    const [first] = layer as [StepProfile];
    const { node, op, startUs } = first;
    events.push(slice("layer", node, startUs, endOf(layer.at(-1)) - startUs, { op }));
    for (const { kernel, units, macs, medianUs, minUs, startUs: ts, durationUs } of layer)
      events.push(slice("kernel", kernel, ts, durationUs, { units, macs, medianUs, minUs }));
  }
  return { displayTimeUnit: "ns", traceEvents: events };
}

function endOf(step: StepProfile | undefined): number {
  return step ? step.startUs + step.durationUs : 0;
}

/** Runs of steps that serve the same node. */
function consecutive(steps: readonly StepProfile[]): StepProfile[][] {
  const layers: StepProfile[][] = [];
  for (const step of steps) {
    const last = layers.at(-1);
    if (last?.[0]?.node === step.node) last.push(step);
    else layers.push([step]);
  }
  return layers;
}
