/**
 * Counts by bins. Bins of different widths are drawn by their density, so that areas are counts;
 * one that is open at an end has no width, and is dashed.
 * @module
 */
import { scaleLinear } from "./d3.ts";
import { visible } from "../../parts/visible.ts";
import { texts } from "../../texts.ts";
import { numberText } from "../parts/numbers.ts";
import type { Histogram } from "../read/pieces.ts";
import { type Axis, HorizontalAxis } from "./axis.tsx";
import { Drawing, widthOf } from "./drawing.tsx";

const words = texts.results.pictures;

const LEFT = 52;
const RIGHT = 16;
const TOP = 24;
const HEIGHT = 240;

interface Bar {
  from: number;
  to: number;
  height: number;
  count: number | null;
  isOpen: boolean;
}

export interface LaidOut {
  bars: Bar[];
  /** Whether heights are counts by unit. */
  isDensity: boolean;
}

/** Where the bars stand and how high they are. */
export function layOut({ bins }: Pick<Histogram, "bins">): LaidOut {
  const widths = bins.flatMap(({ from, to }) => from !== null && to !== null ? [to - from] : []);
  const usual = widths.toSorted((a, b) => a - b)[Math.floor(widths.length / 2)] ?? 1;
  const isDensity = widths.some((width) => Math.abs(width - usual) > 1e-9 * Math.abs(usual));
  const bars = bins.map(({ from, to, count }): Bar => {
    const isOpen = from === null || to === null;
    const [begin, end] = [from ?? to! - usual, to ?? from! + usual];
    return {
      from: begin,
      to: end,
      count,
      height: (count ?? 0) / (isDensity ? end - begin : 1),
      isOpen,
    };
  });
  return { bars, isDensity };
}

export function HistogramDrawing({ histogram, label }: { histogram: Histogram; label: string }) {
  const { bars, isDensity } = layOut(histogram);
  const title = histogram.column === null ? undefined : visible(histogram.column);
  const highest = Math.max(...bars.map(({ height }) => height)) || 1;
  return (
    <Drawing label={label}>
      {(width) => {
        const [from, to] = [LEFT, width - RIGHT];
        const x = scaleLinear([bars[0]!.from, bars.at(-1)!.to], [from, to]);
        const y = scaleLinear([0, highest], [TOP + HEIGHT, TOP]).nice();
        const axis: Axis = { at: x, ticks: x.ticks(Math.max(2, (to - from) / 80)), domain: [0, 1] };
        return {
          height: TOP + HEIGHT + (title ? 46 : 28),
          content: (
            <>
              {y.ticks(5).map((tick) => (
                <g key={tick} transform={`translate(0 ${y(tick)})`}>
                  <line class="grid-line" x1={from} x2={to} />
                  <text class="axis-text" x={from - 8} y={4} text-anchor="end">
                    {numberText(tick)}
                  </text>
                </g>
              ))}
              <text class="axis-text" x={0} y={12}>{isDensity ? words.density : words.rows}</text>
              {bars.map((bar, index) => <BarView key={index} bar={bar} x={x} y={y} />)}
              <HorizontalAxis axis={axis} y={TOP + HEIGHT} from={from} to={to} title={title} />
            </>
          ),
        };
      }}
    </Drawing>
  );
}

type Scale = (value: number) => number;

function BarView({ bar: { from, to, height, count, isOpen }, x, y }: {
  bar: Bar;
  x: Scale;
  y: Scale;
}) {
  const [left, right] = [x(from) + 0.5, x(to) - 0.5];
  const text = count === null ? words.withheld : numberText(count);
  return (
    <g class="series s1">
      <title>{words.binTitle(numberText(from), numberText(to), text, isOpen)}</title>
      <rect
        class={isOpen ? "series-open" : "series-mark"}
        x={left}
        width={Math.max(0.5, right - left)}
        y={y(height)}
        height={y(0) - y(height)}
      />
      {widthOf(text) < right - left && (
        <text class="number-text" x={(left + right) / 2} y={y(height) - 5} text-anchor="middle">
          {text}
        </text>
      )}
    </g>
  );
}

export function histogramGist(title: string, { bins }: Histogram): string {
  const most = bins.reduce((one, other) => (other.count ?? 0) > (one.count ?? 0) ? other : one);
  const shown = (value: number | null) => value === null ? words.open : numberText(value);
  return words.histogramGist(title, {
    bins: bins.length,
    count: numberText(most.count ?? 0),
    from: shown(most.from),
    to: shown(most.to),
  });
}
