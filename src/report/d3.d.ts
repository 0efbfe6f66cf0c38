/** The parts of d3 that the charts use. */
declare module "d3-scale" {
  export interface LinearScale {
    (value: number): number;
    domain(domain: readonly [number, number]): LinearScale;
    range(range: readonly [number, number]): LinearScale;
    nice(): LinearScale;
    ticks(count: number): number[];
  }
  export function scaleLinear(): LinearScale;
}
declare module "d3-shape" {
  export interface Line<T> {
    (data: readonly T[]): string | null;
    x(of: (datum: T) => number): Line<T>;
    y(of: (datum: T) => number): Line<T>;
  }
  export function line<T>(): Line<T>;
}
