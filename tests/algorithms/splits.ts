/**
 * Ways to deal the rows of a table out to sites.
 * @module
 */

/** A table as text: the line of the names, and the rows. */
interface Lines {
  names: string;
  rows: string[];
}

/** By name: the files of the sites. */
export const SPLITS: Readonly<Record<string, (csv: string, category?: string) => string[]>> = {
  "one site": (csv) => [csv],
  "3 sites in turn, one more empty": (csv) => {
    const { names, rows } = linesOf(csv);
    const parts = [0, 1, 2].map((site) => rows.filter((_, i) => i % 3 === site));
    return [parts[0]!, [], parts[1]!, parts[2]!].map((part) => toFile(names, part));
  },
  "4 sites of unequal blocks, one of a single row": (csv) => {
    const { names, rows } = linesOf(csv);
    const [first, second] = [Math.floor(rows.length / 6), Math.floor(rows.length / 2)];
    const parts = [rows.slice(0, 1), rows.slice(1, first), rows.slice(first, second)];
    return [...parts, rows.slice(second)].map((part) => toFile(names, part));
  },
  "2 sites sorted by a column, each without the other's values": (csv, category) => {
    const { names, rows } = linesOf(csv);
    const place = Math.max(0, names.split(",").indexOf(category ?? ""));
    const value = (row: string) => row.split(",")[place]!;
    const sorted = [...rows].sort((a, b) => value(a) < value(b) ? -1 : 1);
    // No value is at both sites, where that can be.
    let cut = Math.floor(rows.length / 2);
    while (cut < rows.length - 1 && value(sorted[cut]!) === value(sorted[cut - 1]!)) cut++;
    if (value(sorted[cut]!) === value(sorted[cut - 1]!)) cut = Math.floor(rows.length / 2);
    return [sorted.slice(0, cut), sorted.slice(cut)].map((part) => toFile(names, part));
  },
};

function linesOf(csv: string): Lines {
  const [names, ...rows] = csv.trim().split("\n");
  return { names: names!, rows };
}

function toFile(names: string, rows: string[]): string {
  return [names, ...rows, ""].join("\n");
}
