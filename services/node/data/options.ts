/**
 * What a node's owner says in node.yaml about how a database's file is to be read. All of it can be
 * left out: then it is found out, and what cannot be found out with certainty is refused.
 * @module
 */
import { z } from "zod";

/** Names that people use for the encodings that are read; the first of each is the one shown. */
const ENCODINGS = {
  "utf-8": ["utf-8", "utf8"],
  "utf-16": ["utf-16", "utf16", "utf-16le", "utf-16be"],
  "latin-1": ["latin-1", "latin1", "iso-8859-1", "windows-1252", "cp1252"],
} as const;
export type Encoding = keyof typeof ENCODINGS;

const encoding = z.string().transform((text, context): Encoding => {
  const wanted = text.toLowerCase();
  for (const [name, words] of Object.entries(ENCODINGS)) {
    if ((words as readonly string[]).includes(wanted)) return name as Encoding;
  }
  context.addIssue({
    code: "custom",
    message: `must be one of ${Object.keys(ENCODINGS).join(", ")}`,
  });
  return z.NEVER;
});

export const COLUMN_TYPES = ["number", "text", "boolean", "date"] as const;
export type ColumnType = typeof COLUMN_TYPES[number];

/** pandas' own list, so that the sandbox and v6's containers take the same cells for missing. */
export const MISSING_WORDS: readonly string[] = [
  "",
  "#N/A",
  "#N/A N/A",
  "#NA",
  "-1.#IND",
  "-1.#QNAN",
  "-NaN",
  "-nan",
  "1.#IND",
  "1.#QNAN",
  "<NA>",
  "N/A",
  "NA",
  "NULL",
  "NaN",
  "None",
  "n/a",
  "nan",
  "null",
];

const columnTypes = z.record(
  z.string(),
  z.enum(COLUMN_TYPES, `must be one of ${COLUMN_TYPES.join(", ")}`),
);

/** The option `read` of a database. */
export const readOptions = z.strictObject({
  /** One character; `tab` for a tabulator. */
  separator: z.string().transform((text) => text === "tab" ? "\t" : text).pipe(
    z.string().length(1, 'must be one character, or "tab"').regex(
      /^[^"\r\n\0]$/,
      "cannot be a quote or a line end",
    ),
  ).optional(),
  encoding: encoding.optional(),
  decimal: z.enum([".", ","], 'must be "." or ","').default("."),
  /** Cells that hold no value. They replace the usual ones; the empty cell is always one. */
  missing: z.array(z.string()).optional(),
  /** `true`: the first line names the columns, whatever it looks like. `false`: it is data. */
  header: z.boolean("must be true or false").optional(),
  /** The types of columns that are not to be found out. */
  columns: columnTypes.default({}),
});
export type ReadOptions = z.infer<typeof readOptions>;

/** The usual reading of a file of which the owner says nothing. */
export const DEFAULT_READ: ReadOptions = readOptions.parse({});
