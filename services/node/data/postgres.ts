/**
 * What a query finds in a PostgreSQL database.
 * @module
 */
// @ts-types="../../../shared/storage/pg.d.ts"
import pg, { type Result } from "pg";
import { DataError } from "./error.ts";
import type { Cell, Rows } from "./load_rows.ts";
import { readPostgresAddress } from "./postgres_address.ts";

/** A server that does not answer is none. */
const CONNECT_MS = 15_000;

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
const INT8 = 20;
const NUMERIC = 1700;

/**
 * Runs one query that only reads, in a transaction that can do nothing else. Throws a
 * {@linkcode DataError}: with the server's words only where they are about the researcher's own
 * text, for others quote values.
 */
export async function readPostgres(address: string, query: string): Promise<Rows> {
  const { host, port, database, user, password, tls, authority } = readPostgresAddress(address);
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ...(tls ? { ssl: authority ? { ca: await Deno.readTextFile(authority) } : true } : {}),
    application_name: "sextant node",
    // As the server writes it, in one form whatever its own settings are.
    types: { getTypeParser: () => (text) => text },
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
    await run(client, "begin transaction read only");
    return rowsOf(await run(client, query));
  } finally {
    await client.end().catch(() => {});
  }
}

/** One statement: the extended protocol takes no second one. */
async function run(client: InstanceType<typeof pg.Client>, text: string): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const query = new pg.Query({ text, rowMode: "array", queryMode: "extended" });
  client.query(query, (error, result) => error ? reject(error) : resolve(result as Result));
  return await promise.catch((cause) => {
    const code = codeOf(cause);
    // 42 and 0A: syntax, names, rights, what cannot be done. 25006: a transaction that only reads.
    const isAboutText = /^(42|0A)/.test(code) || code === "25006";
    const why = isAboutText ? `${cause.message}` : `the server reports ${code}`;
    throw new DataError(`Its query cannot be run: ${why}.`, { cause });
  });
}

function rowsOf({ fields, rows }: Result): Rows {
  const names = fields.map(({ name }) => name);
  if (names.length === 0) throw new DataError("Its query gives no rows: it must be a select.");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new DataError(`Its query gives two columns the name ${JSON.stringify(twice)}.`);
  }
  const kinds = fields.map(({ dataTypeID: oid }) =>
    Object.hasOwn(TYPES, oid) ? TYPES[oid] : "text"
  );
  const bytes = kinds.indexOf("bytes");
  if (bytes >= 0) throw new DataError(`Column ${bytes + 1} of its query holds bytes.`);
  const all = rows as unknown as (string | null)[][];
  // PostgreSQL has days that are no days: infinity, and those before our era.
  const types = kinds.map((kind, index) =>
    kind === "date" && all.some((row) => /[^\d:.+ -]/.test(row[index] ?? "")) ? "text" : kind
  ) as Rows["types"];
  return {
    names,
    types: types!,
    rows: all.map((row) =>
      row.map((text, index) =>
        text === null ? null : cellOf(text, types![index], fields[index]!.dataTypeID)
      )
    ),
  };
}

function cellOf(text: string, type: string | undefined, oid: number): Cell {
  if (oid === INT8 || oid === NUMERIC && /^-?\d+$/.test(text)) return BigInt(text);
  if (oid === NUMERIC || type === "number") return Number(text);
  if (type === "boolean") return text === "t";
  if (type === "date") return momentOf(text);
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
