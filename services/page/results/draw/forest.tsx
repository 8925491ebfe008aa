/**
 * Estimates below each other, each with its interval.
 * @module
 */
import { visible } from "../../parts/visible.ts";
import { texts } from "../../texts.ts";
import { numberText } from "../parts/numbers.ts";
import type { Estimate, Forest } from "../read/pieces.ts";
import { type Axis, HorizontalAxis, linearAxis, ratioAxis } from "./axis.tsx";
import { Drawing, fitted, widthOf } from "./drawing.tsx";

const words = texts.results.pictures;

const ROW = 26;
const TOP = 10;
const BELOW = 46;

export interface Named extends Omit<Estimate, "organization"> {
  /** As it is shown. */
  name: string;
}

export function ForestDrawing({ forest, estimates, label }: {
  forest: Pick<Forest, "scale" | "hasZero" | "whisker">;
  estimates: readonly Named[];
  label: string;
}) {
  return (
    <Drawing label={label}>
      {(width) => {
        const numbers = estimates.map((one) => estimateText(one));
        const numberRoom = width < 520 ? 0 : Math.max(...numbers.map(widthOf)) + 16;
        const names = Math.max(...estimates.map(({ name }) => widthOf(name))) + 12;
        const nameRoom = Math.min(names, width * 0.36);
        const [from, to] = [nameRoom + 8, width - numberRoom - 12];
        const axis = axisOf(forest, estimates, [from, to]);
        const bottom = TOP + estimates.length * ROW;
        return {
          height: bottom + BELOW,
          content: (
            <>
              <Against forest={forest} axis={axis} bottom={bottom} />
              {estimates.map((one, index) => (
                <g key={index} transform={`translate(0 ${TOP + (index + 0.5) * ROW})`}>
                  <title>{`${one.name}: ${numbers[index]}`}</title>
                  <text class="label-text" x={nameRoom} y={4} text-anchor="end">
                    {fitted(one.name, nameRoom)}
                  </text>
                  <EstimateMark one={one} axis={axis} />
                  {numberRoom > 0 && (
                    <text class="number-text" x={width} y={4} text-anchor="end">
                      {numbers[index]}
                    </text>
                  )}
                </g>
              ))}
              <HorizontalAxis
                axis={axis}
                y={bottom}
                from={from}
                to={to}
                title={words.forestAxis(forest.scale, forest.whisker)}
              />
            </>
          ),
        };
      }}
    </Drawing>
  );
}

function axisOf(
  { scale, hasZero }: Pick<Forest, "scale" | "hasZero">,
  estimates: readonly Named[],
  range: [number, number],
): Axis {
  const ends = estimates.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]);
  if (scale === "ratio") return ratioAxis(ends, estimates.map(({ value }) => value), range);
  return linearAxis(hasZero ? [...ends, 0] : ends, range);
}

/** The line of no effect. */
function Against({ forest: { scale, hasZero }, axis, bottom }: {
  forest: Pick<Forest, "scale" | "hasZero">;
  axis: Axis;
  bottom: number;
}) {
  if (scale === "linear" && !hasZero) return null;
  const x = axis.at(scale === "ratio" ? 1 : 0);
  return <line class="against-line" x1={x} x2={x} y1={TOP} y2={bottom} />;
}

function EstimateMark({ one, axis }: { one: Named; axis: Axis }) {
  const { at, domain: [first, last] } = axis;
  const inside = (value: number) => at(Math.min(last, Math.max(first, value)));
  const { value, low, high, isTotal, weight } = one;
  const x = inside(value);
  if (isTotal && low !== null && high !== null) {
    return (
      <path
        class="series s2 total-mark"
        d={`M${inside(low)} 0 L${x} -7 L${inside(high)} 0 L${x} 7 Z`}
      />
    );
  }
  const half = weight === undefined ? 4 : 3 + 6 * Math.sqrt(Math.min(1, Math.max(0, weight)));
  return (
    <g class="series s1">
      {low !== null && high !== null && (
        <>
          <line class="series-line" x1={inside(low)} x2={inside(high)} y1={0} y2={0} />
          <End x={inside(low)} isCut={low < first} towards={-1} />
          <End x={inside(high)} isCut={high > last} towards={1} />
        </>
      )}
      <rect class="series-mark" x={x - half} y={-half} width={2 * half} height={2 * half} />
    </g>
  );
}

/** The end of an interval; an arrow where it goes on beyond the picture. */
function End({ x, isCut, towards }: { x: number; isCut: boolean; towards: 1 | -1 }) {
  const d = isCut ? `M${x - 6 * towards} -4 L${x} 0 L${x - 6 * towards} 4` : `M${x} -4 V4`;
  return <path class="series-line" fill="none" d={d} />;
}

export function estimateText(
  { value, low, high }: Pick<Estimate, "value" | "low" | "high">,
): string {
  const short = (number: number) => numberText(Number(number.toPrecision(3)));
  if (low === null || high === null) return short(value);
  return words.interval(short(value), short(low), short(high));
}

/** What the picture says, for who does not see it. */
export function forestGist(title: string, forest: Forest, estimates: readonly Named[]): string {
  const told = estimates.slice(0, 8).map((one) => `${one.name} ${estimateText(one)}`);
  return words.forestGist(
    title,
    forest.scale,
    visible(told.join("; ")),
    estimates.length - told.length,
  );
}
