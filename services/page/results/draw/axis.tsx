/**
 * A horizontal axis with its numbers.
 * @module
 */
import { scaleLinear, scaleLog } from "./d3.ts";
import { numberText } from "../parts/numbers.ts";
import { widthOf } from "./drawing.tsx";

export type Scale = (value: number) => number;

export interface Axis {
  at: Scale;
  ticks: number[];
  /** What of the values has a place on it. */
  domain: [number, number];
}

/** An axis over these values; with some room at both ends. */
export function linearAxis(values: readonly number[], [from, to]: [number, number]): Axis {
  let [low, high] = extentOf(values);
  if (low === high) [low, high] = [low - (Math.abs(low) || 1), high + (Math.abs(high) || 1)];
  const scale = scaleLinear([low, high], [from, to]).nice();
  const domain = scale.domain() as [number, number];
  return { at: scale, ticks: scale.ticks(Math.max(2, (to - from) / 90)), domain };
}

/** Of ratios, of which those that are too far off to be seen beside the others have no place. */
export function ratioAxis(
  values: readonly number[],
  estimates: readonly number[],
  [from, to]: [number, number],
): Axis {
  const logs = (list: readonly number[]) =>
    list.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  let [low, high] = extentOf([...logs(values), 0]);
  const [first, last] = extentOf([...logs(estimates), 0]);
  // Farther than two powers of ten from all estimates a line is only known to go on.
  low = Math.max(low, first - 2) - 0.05;
  high = Math.min(high, last + 2) + 0.05;
  const scale = scaleLog([10 ** low, 10 ** high], [from, to]);
  return {
    at: scale,
    ticks: ratioTicks(low, high, (to - from) / 60),
    domain: [10 ** low, 10 ** high],
  };
}

function ratioTicks(low: number, high: number, most: number): number[] {
  const steps = [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8], [1, 2, 5], [1, 3], [1]];
  for (const step of steps) {
    const ticks = ticksBetween(low, high, step, 1);
    if (ticks.length <= most) return ticks;
  }
  const every = Math.ceil((high - low) / Math.max(1, most));
  return ticksBetween(low, high, [1], every);
}

function ticksBetween(low: number, high: number, step: number[], every: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high; power++) {
    if (power % every !== 0) continue;
    for (const one of step) {
      const tick = Number((one * 10 ** power).toPrecision(6));
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) ticks.push(tick);
    }
  }
  return ticks;
}

export function extentOf(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}

export function HorizontalAxis({ axis: { at, ticks }, y, from, to, title, above }: {
  axis: Axis;
  y: number;
  from: number;
  to: number;
  title?: string | undefined;
  /** How far the lines of the grid go up. */
  above?: number;
}) {
  let end = -Infinity;
  const labelled = ticks.map((tick) => {
    const text = numberText(tick);
    const [left, right] = [at(tick) - widthOf(text) / 2, at(tick) + widthOf(text) / 2];
    if (left < end + 6) return { tick, text: "" };
    end = right;
    return { tick, text };
  });
  return (
    <g>
      {labelled.map(({ tick, text }) => (
        <g key={tick} transform={`translate(${at(tick)} ${y})`}>
          {above !== undefined && <line class="grid-line" y1={-above} y2={0} />}
          <line class="axis-line" y1={0} y2={5} />
          <text class="axis-text" y={18} text-anchor="middle">{text}</text>
        </g>
      ))}
      <line class="axis-line" x1={from} x2={to} y1={y} y2={y} />
      {title && (
        <text class="axis-text" x={(from + to) / 2} y={y + 36} text-anchor="middle">{title}</text>
      )}
    </g>
  );
}
