/**
 * What the pictures use of D3, whose packages come without types.
 * @module
 */
import * as scales from "d3-scale";
import * as shapes from "d3-shape";

export interface ContinuousScale {
  (value: number): number;
  domain(): number[];
  ticks(count: number): number[];
  nice(): ContinuousScale;
}

type Pair = [number, number];

export const scaleLinear: (domain: Pair, range: Pair) => ContinuousScale = scales.scaleLinear;
export const scaleLog: (domain: Pair, range: Pair) => ContinuousScale = scales.scaleLog;

type Of<One> = (one: One) => number;

/** A line that keeps its height until the next point. */
export function stepLine<One>(points: readonly One[], x: Of<One>, y: Of<One>): string {
  return shapes.line(x, y).curve(shapes.curveStepAfter)(points) ?? "";
}

/** What lies between two such lines, where both are known. */
export function stepBand<One>(
  points: readonly One[],
  { x, low, high, isKnown }: {
    x: Of<One>;
    low: Of<One>;
    high: Of<One>;
    isKnown: (one: One) => boolean;
  },
): string {
  return shapes.area(x, low, high).defined(isKnown).curve(shapes.curveStepAfter)(points) ?? "";
}
