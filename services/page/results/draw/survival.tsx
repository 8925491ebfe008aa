/**
 * Curves of survival with their bands, and the numbers at risk below.
 * @module
 */
import { texts } from "../../texts.ts";
import { numberText } from "../parts/numbers.ts";
import type { Step } from "../read/pieces.ts";
import { type Axis, HorizontalAxis } from "./axis.tsx";
import { scaleLinear, stepBand, stepLine } from "./d3.ts";
import { DASHES, Drawing, fitted, seriesClass, widthOf } from "./drawing.tsx";

const words = texts.results.pictures;

const LEFT = 44;
const RIGHT = 16;
const HEIGHT = 260;
const LEGEND_ROW = 20;
const RISK_ROW = 18;

export interface NamedCurve {
  name: string;
  n: number | null;
  steps: readonly Step[];
}

export function SurvivalDrawing(
  { groups, label }: { groups: readonly NamedCurve[]; label: string },
) {
  const last = Math.max(...groups.map(({ steps }) => steps.at(-1)!.time));
  const first = Math.min(0, ...groups.map(({ steps }) => steps[0]!.time));
  const hasRisk = groups.some(({ steps }) => steps.some(({ atRisk }) => atRisk !== null));
  const hasNames = groups.length > 1;
  return (
    <Drawing label={label}>
      {(width) => {
        const left = Math.min(
          width * 0.3,
          Math.max(LEFT, hasRisk && hasNames ? widest(groups) + 34 : LEFT),
        );
        const [from, to] = [left, width - RIGHT];
        const x = scaleLinear([first, last === first ? first + 1 : last], [from, to]);
        const legend = hasNames ? legendRows(groups, width) : [];
        const top = 12 + legend.length * LEGEND_ROW;
        const y = scaleLinear([0, 1], [top + HEIGHT, top]);
        const ticks = x.ticks(Math.max(2, (to - from) / 90));
        const axis: Axis = { at: x, ticks, domain: [first, last] };
        const below = top + HEIGHT + 44;
        return {
          height: below + (hasRisk ? (groups.length + 1) * RISK_ROW + 6 : 0),
          content: (
            <>
              <Legend rows={legend} />
              <Levels y={y} from={from} to={to} />
              {groups.map((group, index) => (
                <Curve key={index} group={group} index={index} x={x} y={y} first={first} />
              ))}
              <HorizontalAxis axis={axis} y={top + HEIGHT} from={from} to={to} title={words.time} />
              {hasRisk && (
                <AtRisk groups={groups} axis={axis} y={below} left={left} hasNames={hasNames} />
              )}
            </>
          ),
        };
      }}
    </Drawing>
  );
}

type Scale = (value: number) => number;

function Levels({ y, from, to }: { y: Scale; from: number; to: number }) {
  return (
    <g>
      {[0, 0.25, 0.5, 0.75, 1].map((level) => (
        <g key={level} transform={`translate(0 ${y(level)})`}>
          <line class="grid-line" x1={from} x2={to} />
          <text class="axis-text" x={from - 8} y={4} text-anchor="end">{level * 100} %</text>
        </g>
      ))}
    </g>
  );
}

function Curve({ group: { name, steps }, index, x, y, first }: {
  group: NamedCurve;
  index: number;
  x: Scale;
  y: Scale;
  first: number;
}) {
  const begin: Step = { time: first, survival: 1, low: 1, high: 1, atRisk: null };
  const hasBand = steps.some(({ low, high }) => low !== null && high !== null);
  const all = [begin, ...steps];
  const xOf = ({ time }: Step) => x(time);
  const band = stepBand(all, {
    x: xOf,
    low: ({ low }) => y(low!),
    high: ({ high }) => y(high!),
    isKnown: ({ low, high }) => low !== null && high !== null,
  });
  return (
    <g class={seriesClass(index)}>
      <title>{name}</title>
      {hasBand && <path class="series-band" d={band} />}
      <path
        class="series-line curve"
        fill="none"
        stroke-dasharray={DASHES[index % DASHES.length]}
        d={stepLine(all, xOf, ({ survival }) => y(survival))}
      />
    </g>
  );
}

interface LegendEntry {
  name: string;
  index: number;
  x: number;
}

/** As many names in a row as have room. */
export function legendRows(groups: readonly { name: string }[], width: number): LegendEntry[][] {
  const rows: LegendEntry[][] = [[]];
  let x = 0;
  for (const [index, { name }] of groups.entries()) {
    const shown = fitted(name, Math.min(220, width - 60));
    const room = 34 + widthOf(shown) + 18;
    if (x > 0 && x + room > width) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1)!.push({ name: shown, index, x });
    x += room;
  }
  return rows;
}

export function Legend({ rows, isFilled = false }: { rows: LegendEntry[][]; isFilled?: boolean }) {
  return (
    <g>
      {rows.flatMap((row, number) =>
        row.map(({ name, index, x }) => (
          <g
            key={index}
            class={seriesClass(index)}
            transform={`translate(${x} ${14 + number * LEGEND_ROW})`}
          >
            {isFilled ? <rect class="series-mark" x={8} y={-9} width={18} height={11} /> : (
              <line
                class="series-line curve"
                x1={0}
                x2={28}
                y1={-4}
                y2={-4}
                stroke-dasharray={DASHES[index % DASHES.length]}
              />
            )}
            <text class="label-text" x={34}>{name}</text>
          </g>
        ))
      )}
    </g>
  );
}

function AtRisk({ groups, axis, y, left, hasNames }: {
  groups: readonly NamedCurve[];
  axis: Axis;
  y: number;
  left: number;
  hasNames: boolean;
}) {
  return (
    <g>
      <text class="axis-text" x={0} y={y + 12}>{words.atRisk}</text>
      {groups.map(({ name, n, steps }, index) => (
        <g key={index} transform={`translate(0 ${y + 12 + (index + 1) * RISK_ROW})`}>
          {hasNames && (
            <text class="label-text" x={left - 26} text-anchor="end">
              {fitted(name, left - 26)}
            </text>
          )}
          {axis.ticks.map((tick) => (
            <text key={tick} class="number-text" x={axis.at(tick)} text-anchor="middle">
              {atRiskText(tick, n, steps)}
            </text>
          ))}
        </g>
      ))}
    </g>
  );
}

/**
 * How many are at risk at a time: as many as just before the next event. After the last one nobody
 * has said.
 */
export function atRiskText(tick: number, n: number | null, steps: readonly Step[]): string {
  if (tick <= 0 && n !== null) return numberText(n);
  const next = steps.find(({ time }) => time >= tick);
  return next?.atRisk === null || next === undefined ? "" : numberText(next.atRisk);
}

function widest(groups: readonly NamedCurve[]): number {
  return Math.max(...groups.map(({ name }) => widthOf(name)));
}

export function survivalGist(title: string, groups: readonly NamedCurve[]): string {
  const told = groups.slice(0, 8).map(({ name, steps }) => {
    const { time, survival } = steps.at(-1)!;
    return words.survivalAt(name, percent(survival), numberText(time));
  });
  return words.survivalGist(title, told.join("; "), groups.length);
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toPrecision(2) : value.toFixed(0)} %`;
}
