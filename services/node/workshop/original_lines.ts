/**
 * Lines of a packed file, as they stand in messages, as those of its sources.
 * @module
 */
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/**
 * Returns a function that turns `name:line:column` in a text into the place in the source. What the
 * map does not know stays as it is.
 */
export function originalLines(name: string, map: string): (text: string) => string {
  const traced = new TraceMap(map);
  const place = new RegExp(`${RegExp.escape(name)}:(\\d+):(\\d+)`, "g");
  return (text) =>
    text.replace(place, (whole, line, column) => {
      const found = originalPositionFor(traced, { line: Number(line), column: Number(column) - 1 });
      if (found.source === null) return whole;
      return `${found.source.replace(/^from:/, "")}:${found.line}:${found.column + 1}`;
    });
}
