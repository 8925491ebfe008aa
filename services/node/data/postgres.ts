/**
 * What a query finds in a PostgreSQL database.
 * @module
 */
// @ts-types="../../../shared/storage/pg.d.ts"
import pg, { type Result } from "pg";
// @ts-types="./pg_cursor.d.ts"
import Cursor, { type CursorClient } from "pg-cursor";
import { DataError } from "./error.ts";
import type { Cell, Rows } from "./load_rows.ts";
import { readPostgresAddress } from "./postgres_address.ts";

/** A server that does not answer is none. */
const CONNECT_MS = 15_000;
/** How long a query waits for a table that somebody else at the server keeps locked. */
const LOCK_SECONDS = 60;
/** Rows that are asked for at once: of a result as large as a disk no more is ever in memory. */
const BATCH = 5000;

/**
 * Types by their number in `pg_type`, which never changes; those of all others are text, as the
 * server writes them. `undefined`: numbers where each can be one.
 */
const TYPES: Readonly<Record<number, "number" | "boolean" | "date" | "bytes" | undefined>> = {
  16: "boolean",
  17: "bytes",
  20: undefined, // int8
  21: "number", // int2
  23: "number", // int4
  700: "number", // float4
  701: "number", // float8
  1082: "date",
  1114: "date", // timestamp
  1184: "date", // timestamptz
  1700: undefined, // numeric
};
/** What the server calls the end of its own limits: `lock_timeout`, and `statement_timeout`. */
const LOCKED = "55P03";
const CANCELLED = "57014";
const INT8 = 20;
const NUMERIC = 1700;
const MOMENTS = [1082, 1114, 1184];

/**
 * Runs one query that only reads, in a transaction that can do nothing else, and gives its rows as
 * they come, in batches; at least one. The server itself ends what takes longer than it may, for it
 * would go on when this process is gone. Throws a {@linkcode DataError}: with the server's words
 * only where they are about the researcher's own text, for others quote values.
 */
export async function* readPostgres(
  address: string,
  query: string,
  { timeoutSeconds, lockSeconds = LOCK_SECONDS }: { timeoutSeconds: number; lockSeconds?: number },
): AsyncGenerator<Rows> {
  const { host, port, database, user, password, tls, authority } = readPostgresAddress(address);
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ...(tls ? { ssl: authority ? { ca: await Deno.readTextFile(authority) } : true } : {}),
    application_name: "sextant node",
    options: "-c default_transaction_read_only=on -c DateStyle=ISO -c TimeZone=UTC " +
      "-c extra_float_digits=1 -c client_encoding=UTF8",
    connectionTimeoutMillis: CONNECT_MS,
  });
  // It is answered by what was asked last.
  client.on("error", () => {});
  try {
    await client.connect().catch((cause) => {
      throw new DataError(`Its server lets this node not in: ${codeOf(cause)}.`, { cause });
    });
    await begin(client, { statement_timeout: timeoutSeconds, lock_timeout: lockSeconds });
    // The extended protocol takes no second statement.
    const cursor = (client as unknown as CursorClient).query(
      new Cursor(query, [], {
        rowMode: "array",
        // As the server writes it, in one form whatever its own settings are.
        types: { getTypeParser: () => (text) => text },
      }),
    );
    let columns: Columns | undefined;
    for (;;) {
      const { rows, fields } = await nextOf(cursor);
      if (columns && rows.length === 0) return;
      columns ??= columnsOf(fields);
      yield { names: columns.names, ...cellsOf(rows, columns) };
      if (rows.length < BATCH) return;
    }
  } finally {
    await client.end().catch(() => {});
  }
}

/** Begins a transaction with limits in seconds; where the server's own are lower, those hold. */
async function begin(
  client: InstanceType<typeof pg.Client>,
  limits: Record<"statement_timeout" | "lock_timeout", number>,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // In milliseconds, of which 0 is no limit.
  const settings = Object.entries(limits).map(([name, seconds]) =>
    `select set_config(name, case when setting::int8 between 1 and ${seconds * 1000}
      then setting else '${seconds * 1000}' end, true) from pg_settings where name = '${name}'`
  );
  const begin = new pg.Query(["begin transaction read only", ...settings].join("; "));
  client.query(begin, (error) => error ? reject(error) : resolve());
  await promise.catch(refuse);
}

interface Portion {
  rows: (string | null)[][];
  fields: Result["fields"];
}

async function nextOf(cursor: Cursor): Promise<Portion> {
  const { promise, resolve, reject } = Promise.withResolvers<Portion>();
  cursor.read(BATCH, (error, rows, result) => {
    if (error) reject(error);
    else resolve({ rows: rows as Portion["rows"], fields: result?.fields ?? [] });
  });
  return await promise.catch(refuse);
}

function refuse(cause: Error): never {
  const code = codeOf(cause);
  if (code === LOCKED) {
    throw new DataError(
      "Its query waits for a table that somebody else at its server keeps locked, who alters " +
        "or loads it perhaps: try again later.",
      { cause },
    );
  }
  if (code === CANCELLED) {
    throw new DataError(
      "Its server ended the query: it took longer than this node (read_timeout_seconds) or the " +
        "server itself allows, or somebody there cancelled it. Ask for less at once.",
      { cause },
    );
  }
  // 42 and 0A: syntax, names, rights, what cannot be done. 25006: a transaction that only reads.
  const isAboutText = /^(42|0A)/.test(code) || code === "25006";
  const why = isAboutText ? `${cause.message}` : `the server reports ${code}`;
  throw new DataError(`Its query cannot be run: ${why}.`, { cause });
}

interface Columns {
  names: string[];
  /** The server's numbers of their types. */
  oids: number[];
  /** A date becomes text with the first cell that is none. */
  types: NonNullable<Rows["types"]>;
}

function columnsOf(fields: Result["fields"]): Columns {
  const names = fields.map(({ name }) => name);
  if (names.length === 0) throw new DataError("Its query gives no rows: it must be a select.");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new DataError(`Its query gives two columns the name ${JSON.stringify(twice)}.`);
  }
  const oids = fields.map(({ dataTypeID }) => dataTypeID);
  const kinds = oids.map((oid) => Object.hasOwn(TYPES, oid) ? TYPES[oid] : "text");
  const bytes = kinds.indexOf("bytes");
  if (bytes >= 0) throw new DataError(`Column ${bytes + 1} of its query holds bytes.`);
  return { names, oids, types: kinds as Columns["types"] };
}

function cellsOf(rows: Portion["rows"], { types, oids }: Columns): Pick<Rows, "types" | "rows"> {
  // PostgreSQL has days that are no days: infinity, and those before our era.
  for (const [index, type] of types.entries()) {
    const isOdd = type === "date" && rows.some((row) => /[^\d:.+ -]/.test(row[index] ?? ""));
    if (isOdd) types[index] = "text";
  }
  return {
    types,
    rows: rows.map((row) =>
      row.map((text, index) => text === null ? null : cellOf(text, types[index], oids[index]!))
    ),
  };
}

function cellOf(text: string, type: string | undefined, oid: number): Cell {
  if (oid === INT8 || oid === NUMERIC && /^-?\d+$/.test(text)) return BigInt(text);
  if (oid === NUMERIC || type === "number") return Number(text);
  if (type === "boolean") return text === "t";
  // Also where such a column has become text: an earlier batch had it so.
  if (MOMENTS.includes(oid)) return momentOf(text);
  return text;
}

/** `2020-01-31 12:00:00.5+00` as the rest of the node writes it. */
function momentOf(text: string): string {
  return text.replace(" ", "T").replace(/\+00$/, "Z");
}

function codeOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code) return code;
  return /timeout|terminated/i.test(message ?? "") ? "no answer in time" : "it breaks off";
}
