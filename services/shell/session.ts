/**
 * A session of the shell: connected databases, the models over them, and `db` as the operator has
 * it.
 * @module
 */
import { thisOperator } from "../../shared/command_line/operator.ts";
import { acknowledgeSeals } from "../../shared/storage/noted_seals.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import { type BrokerLink, connectBroker } from "./broker.ts";
import { changeServices } from "./change.ts";
import { type Addresses, openDatabases, readAddresses } from "./connections.ts";
import { CannotStart } from "./errors.ts";
import type { ModelName } from "./models/description.ts";
import { DESCRIPTIONS } from "./models/all.ts";
import { diagnose } from "./doctor/doctor.ts";
import { explain } from "./show/explain.ts";
import { helpOfShell } from "./show/help.ts";
import { exportEntities } from "./import/export.ts";
import { importFile, type ImportOptions } from "./import/import.ts";
import { createModel } from "./records/model.ts";
import { idsOf } from "./records/relations.ts";
import type { Model, Shell } from "./shell.ts";
import { createSql, type Query } from "./sql.ts";
import { withoutTypos } from "./records/typos.ts";
import { withdrawSigningKeys } from "./signing_keys.ts";
import { watchEvents } from "./watch.ts";

export interface Session {
  shell: Shell;
  /** What `db` is at the prompt. */
  db: Record<string, unknown>;
  sql: Record<HubService, Query>;
  /** One line for each connection. */
  connections: string[];
  /**
   * Ends what the operator started and can be interrupted; returns whether there was such a thing.
   */
  interrupt(): boolean;
  close(): Promise<void>;
}

/** How a value looks at the prompt. */
const INSPECT = Symbol.for("Deno.customInspect");

/** How a session speaks with the operator. */
export interface Conversation {
  /** Tells something that is no value. */
  say(line: string): void;
  /** Has a question answered; missing where nobody can be asked. */
  ask?(question: string): Promise<string>;
}

/**
 * Opens the session that the environment or the data folder names; throws {@linkcode CannotStart}.
 */
export async function startSession(data: string, conversation: Conversation): Promise<Session> {
  try {
    const session = await openSession({ addresses: await readAddresses(data), ...conversation });
    Object.assign(globalThis, { db: session.db, sql: session.sql });
    return session;
  } catch (error) {
    throw new CannotStart(explain(error));
  }
}

/** Connects; throws a line that says why it cannot. */
export async function openSession(
  { addresses, say, ask }: { addresses: Addresses } & Conversation,
): Promise<Session> {
  const opened = await openDatabases(addresses.databaseUrls);
  const broker: BrokerLink | undefined = addresses.broker &&
    await connectBroker({ ...addresses.broker, log: silentLogger, say });
  let interruption: AbortController | undefined;
  const base = {
    databases: mapServices((service) => opened[service].db),
    broker,
    operator: thisOperator(),
    now: () => new Date(),
  };
  const shell: Shell = {
    ...base,
    models: {} as Record<ModelName, Model>,
    say,
    ask,
    change: (service, work) => changeServices(base, [service], (changes) => work(changes[service])),
    idsOf: (model, value, where) => idsOf(shell, model, value, where),
    recordsOf: (model, ids) => shell.models[model].getMany(ids),
    interrupt() {
      interruption ??= new AbortController();
      return interruption.signal;
    },
  };
  for (const description of DESCRIPTIONS) {
    shell.models[description.name] = createModel(shell, description);
  }
  return {
    shell,
    sql: withoutTypos(
      createSql(shell.databases),
      "sql",
      `write sql.identity, sql.collaboration or sql.task: await sql.identity\`select …\``,
    ),
    db: withoutTypos(
      {
        ...shell.models,
        help: helpOfShell,
        import: (path: string, options?: ImportOptions) => importFile(shell, path, options),
        export: (path?: string) => exportEntities(shell, path),
        watch: () => watchEvents(shell),
        doctor: () => diagnose(shell, addresses),
        withdrawSigningKeys: () => withdrawSigningKeys(shell),
        acknowledgeSeals: () =>
          shell.databases.identity.begin((tx) => acknowledgeSeals(tx, shell.operator))
            .then(() => "Noted, in the audit record."),
        [INSPECT]: () => helpOfShell().text,
      },
      "db",
      "db.help() lists what there is",
    ),
    connections: [
      ...HUB_SERVICES.map((service) => `${service}: ${opened[service].description}`),
      `broker: ${broker ? broker.url : "none; running services hear of changes within 3 s"}`,
    ],
    interrupt() {
      const running = interruption;
      interruption = undefined;
      running?.abort();
      return running !== undefined;
    },
    async close() {
      await broker?.close();
      await Promise.all(
        HUB_SERVICES.map((service) => shell.databases[service].end({ timeout: 2 })),
      );
    },
  };
}

function mapServices<Value>(make: (service: HubService) => Value): Record<HubService, Value> {
  return Object.fromEntries(HUB_SERVICES.map((service) => [service, make(service)])) as Record<
    HubService,
    Value
  >;
}
