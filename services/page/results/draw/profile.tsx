/**
 * Columns below each other, each with the values that a few have there: clusters by their centres,
 * components by their loadings.
 * @module
 */
import { visible } from "../../parts/visible.ts";
import { texts } from "../../texts.ts";
import { numberText } from "../parts/numbers.ts";
import type { Profile } from "../read/pieces.ts";
import { extentOf, HorizontalAxis, linearAxis, type Scale } from "./axis.tsx";
import { DASHES, Drawing, fitted, seriesClass, widthOf } from "./drawing.tsx";
import { Legend, legendRows } from "./survival.tsx";

const words = texts.results.pictures;

const ROW = 32;
const TOP = 12;
const LEGEND_ROW = 20;
/** Beside the scale of each column. */
const GAP = 12;

export function ProfileDrawing({ profile, label }: { profile: Profile; label: string }) {
  const { scale, series } = profile;
  const columns = profile.columns.map((name) => visible(name));
  const extents = columns.map((_, row) => extentOf(series.map(({ values }) => values[row] ?? NaN)));
  const ends = extents.map((extent) => extent.map(shortText) as [string, string]);
  return (
    <Drawing label={label}>
      {(width) => {
        const nameRoom = Math.min(Math.max(...columns.map(widthOf)) + 4, width * 0.3);
        const endRoom = (end: 0 | 1) =>
          scale === "one" ? 0 : Math.max(...ends.map((one) => widthOf(one[end]))) + GAP;
        const from = nameRoom + 8 + endRoom(0) + GAP / 2;
        const to = width - endRoom(1) - GAP;
        const legend = legendRows(series.map(({ name }) => ({ name: visible(name) })), width);
        const top = TOP + legend.length * LEGEND_ROW;
        const bottom = top + columns.length * ROW;
        const axis = linearAxis([-1, 1], [from, to]);
        const xOf = scale === "one"
          ? () => axis.at
          : (row: number) => between(extents[row]!, [from, to]);
        const yOf = (row: number) => top + (row + 0.5) * ROW;
        return {
          height: bottom + (scale === "one" ? 46 : 8),
          content: (
            <>
              <Legend rows={legend} />
              {columns.map((name, row) => (
                <g key={row} transform={`translate(0 ${yOf(row)})`}>
                  <text class="label-text" x={nameRoom} y={4} text-anchor="end">
                    {fitted(name, nameRoom)}
                  </text>
                  <line class="grid-line" x1={from} x2={to} />
                  {scale === "each" && (
                    <>
                      <text class="axis-text" x={from - GAP} y={4} text-anchor="end">
                        {ends[row]![0]}
                      </text>
                      <text class="axis-text" x={to + GAP} y={4}>{ends[row]![1]}</text>
                    </>
                  )}
                </g>
              ))}
              {scale === "one" && (
                <>
                  <line class="against-line" x1={axis.at(0)} x2={axis.at(0)} y1={top} y2={bottom} />
                  <HorizontalAxis
                    axis={axis}
                    y={bottom}
                    from={from}
                    to={to}
                    title={words.loading}
                  />
                </>
              )}
              {series.map(({ name, values }, index) => (
                <Line
                  key={index}
                  name={visible(name)}
                  columns={columns}
                  index={index}
                  values={values}
                  xOf={xOf}
                  yOf={yOf}
                />
              ))}
            </>
          ),
        };
      }}
    </Drawing>
  );
}

/** From one column to the next; it has a gap where a value is withheld. */
function Line({ name, columns, index, values, xOf, yOf }: {
  name: string;
  columns: readonly string[];
  index: number;
  values: readonly (number | null)[];
  xOf: (row: number) => Scale;
  yOf: (row: number) => number;
}) {
  let path = "";
  for (const [row, value] of values.entries()) {
    if (value === null) continue;
    const isBegin = row === 0 || values[row - 1] === null;
    path += `${isBegin ? "M" : "L"}${xOf(row)(value)} ${yOf(row)}`;
  }
  return (
    <g class={seriesClass(index)}>
      <path
        class="series-line"
        fill="none"
        stroke-dasharray={DASHES[index % DASHES.length]}
        d={path}
      />
      {values.map((value, row) =>
        value !== null && (
          <circle key={row} class="series-mark" cx={xOf(row)(value)} cy={yOf(row)} r={4.5}>
            <title>{`${name}, ${columns[row]}: ${numberText(value)}`}</title>
          </circle>
        )
      )}
    </g>
  );
}

/** The scale of a column on its own; where all have one value it stands in the middle. */
function between([low, high]: [number, number], [from, to]: [number, number]): Scale {
  if (low === high) return () => (from + to) / 2;
  return (value) => from + (value - low) / (high - low) * (to - from);
}

function shortText(value: number): string {
  return numberText(Number(value.toPrecision(3)));
}

/** What the picture says, for who does not see it. */
export function profileGist(title: string, { series, columns }: Profile): string {
  const told = series.slice(0, 4).map(({ name, values }) => {
    const parts = values.slice(0, 6).map((value, row) =>
      `${columns[row]} ${value === null ? words.withheld : shortText(value)}`
    );
    return `${name}: ${parts.join(", ")}`;
  });
  const isAll = series.length <= 4 && columns.length <= 6;
  return words.profileGist(title, visible(told.join("; ")), isAll);
}
