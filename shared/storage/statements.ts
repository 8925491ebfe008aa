/**
 * Statements on a pool of connections: the tagged template, prepared statements, transactions.
 * @module
 */
import type { Connections } from "./connections.ts";
import { type Connection, faultOf, MOST_PREPARED, type Row, type Rows } from "./open_connection.ts";
import {
  ColumnValues,
  compose,
  type Composed,
  Fragment,
  Identifier,
  Json,
  type JsonValue,
  type Parameter,
} from "./sql.ts";

/** Runs SQL: on the pool, or inside of a transaction. */
export interface Tx {
  /** A statement, which runs when it is awaited; or a piece of one, which is put into another. */
  <List extends readonly unknown[] = Row[]>(
    strings: TemplateStringsArray,
    ...values: readonly Parameter[]
  ): Statement<List>;
  /** The name of a column or table, or several. */
  (name: string | readonly string[]): Identifier;
  /** Columns with their values: of rows to insert, or of changes after `set`. */
  (rows: object | readonly object[]): ColumnValues;
  json(value: JsonValue): Json;
  /** SQL as it stands, without parameters: perhaps several statements, and as long as they take. */
  unsafe<List extends readonly unknown[] = Row[]>(text: string): Statement<List>;
  /** What a `copy … to stdout` sends, message by message. */
  copyOut(text: string): Promise<Uint8Array<ArrayBuffer>[]>;
  /**
   * Sends a statement whose answer nobody has to wait for: it goes out together with what follows,
   * in this order. When it fails, so does the transaction; what it answers is there once that is
   * committed.
   */
  soon<List extends readonly unknown[]>(statement: Statement<List>): Promise<Rows<List>>;
}

export interface Db extends Tx {
  /**
   * Runs `work` in one transaction, which is taken back when it throws or when one of its
   * statements failed. `options` go behind `begin`, for example `isolation level repeatable read`.
   */
  begin<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result>;
  begin<Result>(options: string, work: (tx: Tx) => Promise<Result>): Promise<Result>;
  /** Closes the pool when all is done; with a time-out in seconds, then at the latest. */
  end(options?: { timeout?: number }): Promise<void>;
}

type Run = (statement: Statement<readonly unknown[]>) => Promise<Rows<Row[]>>;

/** SQL that runs, once, when it is first awaited. */
export class Statement<List extends readonly unknown[]> extends Fragment
  implements Promise<Rows<List>> {
  #answer: Promise<Rows<List>> | undefined;
  readonly #run: Run;
  /** Text as it stands, without parameters. */
  readonly simple: boolean;
  readonly [Symbol.toStringTag] = "Statement";

  constructor(
    strings: readonly string[],
    values: readonly unknown[],
    { run, simple = false }: { run: Run; simple?: boolean },
  ) {
    super(strings, values);
    this.#run = run;
    this.simple = simple;
  }

  #start(): Promise<Rows<List>> {
    return this.#answer ??= this.#run(this) as Promise<unknown> as Promise<Rows<List>>;
  }
  then<A = Rows<List>, B = never>(
    onAnswer?: ((answer: Rows<List>) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#start().then(onAnswer, onError);
  }
  catch<B = never>(
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<Rows<List> | B> {
    return this.#start().catch(onError);
  }
  finally(onEnd?: (() => void) | null): Promise<Rows<List>> {
    return this.#start().finally(onEnd);
  }
}

/**
 * The names under which connections keep texts prepared. Callers can bring about any number of
 * texts, by the filters of a list for one: the one not used for longest makes room for a new one.
 */
function createNames() {
  const names = new Map<string, string>();
  let made = 0;
  return {
    of({ text, lasting }: Composed): string | undefined {
      if (!lasting) return undefined;
      const name = names.get(text) ?? `s${++made}`;
      names.delete(text);
      if (names.size >= MOST_PREPARED) names.delete(names.keys().next().value!);
      names.set(text, name);
      return name;
    },
    forget(text: string): void {
      names.delete(text);
    },
  };
}

export function createDb(connections: Connections): Db {
  const names = createNames();

  async function run(
    send: Connection["send"],
    statement: Statement<readonly unknown[]>,
  ): Promise<Rows<Row[]>> {
    if (statement.simple) {
      return await send({ text: statement.strings[0]!, patient: true });
    }
    const composed = compose(statement);
    const { text, values } = composed;
    const name = names.of(composed);
    try {
      return await send(name === undefined ? { text, values } : { text, values, name });
    } catch (error) {
      if (isStale(error)) names.forget(text);
      throw error;
    }
  }

  async function runAlone(statement: Statement<readonly unknown[]>): Promise<Rows<Row[]>> {
    const send: Connection["send"] = (question) =>
      question.patient
        ? connections.lend((connection) => connection.send(question))
        : connections.ask(question);
    try {
      return await run(send, statement);
    } catch (error) {
      // Nothing has been done yet, and under another name it is prepared anew.
      if (!isStale(error)) throw error;
      return await run(send, statement);
    }
  }

  async function begin<Result>(
    options: string,
    work: (tx: Tx) => Promise<Result>,
  ): Promise<Result> {
    return await connections.lend(async (connection) => {
      let failed: { error: unknown } | undefined;
      const unheard: Promise<unknown>[] = [];
      async function watched<Answer>(statement: Promise<Answer>): Promise<Answer> {
        try {
          return await statement;
        } catch (error) {
          failed ??= { error };
          throw error;
        }
      }
      const tx = createTx({
        run: (statement) => watched(run(connection.send, statement)),
        copyOut: (text) => watched(connection.copyOut(text)),
        soon: (statement) => noted(unheard, statement.then()),
      });
      const begun = watched(connection.send({ text: `begin ${options}` }));
      // Else it leaves together with the first statement. That would run alone if this failed,
      // which without options only the loss of the connection can bring about.
      if (options !== "") await begun;
      noted(unheard, begun);
      try {
        const result = await work(tx);
        // Catching a statement's error has not mended the transaction: Postgres would answer the
        // commit with a rollback. It does so, too, when one fails that is still under way.
        if (failed) throw failed.error;
        const { command } = await connection.send({ text: "commit" });
        await Promise.allSettled(unheard);
        if (failed) throw (failed as { error: unknown }).error;
        if (command !== "COMMIT") throw new Error(`Cannot commit: Postgres answered ${command}`);
        return result;
      } catch (error) {
        if (!connection.isLost()) {
          await connection.send({ text: "rollback" }).catch((why) => connection.discard(why));
        }
        throw error;
      }
    });
  }

  const tx = createTx({
    run: runAlone,
    copyOut: (text) => connections.lend((connection) => connection.copyOut(text)),
    soon: (statement) => statement.then(),
  });
  return Object.assign(tx, {
    begin<Result>(
      first: string | ((tx: Tx) => Promise<Result>),
      second?: (tx: Tx) => Promise<Result>,
    ) {
      return typeof first === "string" ? begin(first, second!) : begin("", first);
    },
    end: ({ timeout }: { timeout?: number } = {}) => connections.end(timeout),
  }) as Db;
}

/** Remembers what is under way; whoever does not look at it is not told of its failure either. */
function noted<Answer>(underWay: Promise<unknown>[], one: Promise<Answer>): Promise<Answer> {
  underWay.push(one);
  one.catch(() => {});
  return one;
}

function createTx({ run, copyOut, soon }: { run: Run } & Pick<Tx, "copyOut" | "soon">): Tx {
  function tx(first: TemplateStringsArray | string | object, ...values: unknown[]) {
    if (typeof first === "string") return new Identifier(first);
    if (isNames(first)) return new Identifier(...first);
    if ("raw" in first) return new Statement(first as TemplateStringsArray, values, { run });
    return new ColumnValues(first);
  }
  return Object.assign(tx, {
    json: (value: JsonValue) => new Json(value),
    unsafe: (text: string) => new Statement([text], [], { run, simple: true }),
    copyOut,
    soon,
  }) as Tx;
}

function isNames(value: object): value is string[] {
  return Array.isArray(value) && !("raw" in value) && typeof value[0] === "string";
}

/** Whether a prepared statement is no longer what it was: a migration has changed a table since. */
function isStale(error: unknown): boolean {
  const fault = faultOf(error);
  return fault?.routine === "RevalidateCachedQuery" || fault?.code === "26000";
}
