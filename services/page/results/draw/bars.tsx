/**
 * Counts by level as bars, and by two levels as shares of each row.
 * @module
 */
import { visible } from "../../parts/visible.ts";
import { texts } from "../../texts.ts";
import { numberText } from "../parts/numbers.ts";
import type { Bars, Shares } from "../read/pieces.ts";
import { Drawing, fitted, seriesClass, widthOf } from "./drawing.tsx";
import { Legend, legendRows, percent } from "./survival.tsx";

const words = texts.results.pictures;

const ROW = 28;
const BAR = 18;

export function BarsDrawing({ picture, label }: { picture: Bars; label: string }) {
  const { bars, areShares } = picture;
  const most = areShares ? 1 : Math.max(...bars.map(({ value }) => value ?? 0)) || 1;
  return (
    <Drawing label={label}>
      {(width) => {
        const shown = bars.map(({ name, value }) => ({
          name: visible(name),
          value,
          text: barText(value, picture),
        }));
        const names = Math.max(...shown.map(({ name }) => widthOf(name))) + 12;
        const nameRoom = Math.min(names, width * 0.36);
        const from = nameRoom + 8;
        const room = width - from - Math.max(...shown.map(({ text }) => widthOf(text))) - 14;
        return {
          height: shown.length * ROW + 4,
          content: shown.map(({ name, value, text }, index) => (
            <g key={index} class="series s1" transform={`translate(0 ${(index + 0.5) * ROW})`}>
              <title>{`${name}: ${text}`}</title>
              <text class="label-text" x={nameRoom} y={4} text-anchor="end">
                {fitted(name, nameRoom)}
              </text>
              <rect
                class="series-mark"
                x={from}
                y={-BAR / 2}
                height={BAR}
                width={Math.max(0, (value ?? 0) / most * room)}
              />
              <text
                class="number-text"
                x={from + Math.max(0, (value ?? 0) / most * room) + 8}
                y={4}
              >
                {text}
              </text>
            </g>
          )),
        };
      }}
    </Drawing>
  );
}

export function SharesDrawing({ shares, label }: { shares: Shares; label: string }) {
  const columns = shares.columns.map((name) => ({ name: visible(name) }));
  return (
    <Drawing label={label}>
      {(width) => {
        const names = shares.rows.map((name) => visible(name));
        const nameRoom = Math.min(Math.max(...names.map(widthOf)) + 12, width * 0.36);
        const [from, to] = [nameRoom + 8, width - 4];
        const legend = legendRows(columns, width);
        const top = 10 + legend.length * 20;
        return {
          height: top + names.length * ROW + 6,
          content: (
            <>
              <Legend rows={legend} isFilled />
              {names.map((name, index) => (
                <g key={index} transform={`translate(0 ${top + (index + 0.5) * ROW})`}>
                  <text class="label-text" x={nameRoom} y={4} text-anchor="end">
                    {fitted(name, nameRoom)}
                  </text>
                  <ShareRow counts={shares.counts[index]!} columns={columns} from={from} to={to} />
                </g>
              ))}
            </>
          ),
        };
      }}
    </Drawing>
  );
}

/** Where a count is withheld, no share is known. */
function ShareRow({ counts, columns, from, to }: {
  counts: (number | null)[];
  columns: { name: string }[];
  from: number;
  to: number;
}) {
  const total = counts.reduce((sum, count) => sum! + (count ?? NaN), 0)!;
  if (Number.isNaN(total)) return <text class="axis-text" x={from} y={4}>{words.noShares}</text>;
  if (total === 0) return <text class="axis-text" x={from} y={4}>{words.noRows}</text>;
  let at = from;
  return (
    <>
      {counts.map((count, index) => {
        const begin = at;
        const width = count! / total * (to - from);
        at += width;
        if (count === 0) return null;
        const text = percent(count! / total);
        return (
          <g key={index} class={seriesClass(index)}>
            <title>{`${columns[index]!.name}: ${numberText(count!)} (${text})`}</title>
            <rect
              class="series-mark part"
              x={begin}
              y={-BAR / 2 - 2}
              width={width}
              height={BAR + 4}
            />
            {widthOf(text) + 6 < width && (
              <text class="inside-text" x={begin + width / 2} y={4} text-anchor="middle">
                {text}
              </text>
            )}
          </g>
        );
      })}
    </>
  );
}

function barText(value: number | null, { areShares }: Pick<Bars, "areShares">): string {
  if (value === null) return words.withheld;
  return areShares ? percent(value) : numberText(value);
}

export function barsGist(title: string, picture: Bars): string {
  const { bars } = picture;
  const told = bars.slice(0, 8).map(({ name, value }) =>
    `${visible(name)} ${barText(value, picture)}`
  );
  return words.barsGist(title, told.join(", "), bars.length - told.length);
}

export function sharesGist(title: string, { rows, columns }: Shares): string {
  return words.sharesGist(title, rows.length, visible(columns.slice(0, 8).join(", ")));
}
