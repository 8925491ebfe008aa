/**
 * A whole Sextant on one machine, in one folder: PostgreSQL, the broker, the hub's services, and
 * nodes.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { DATABASE, FILES } from "./names.ts";
import { join, resolve } from "node:path";
import type { LogEntry } from "../../shared/service/log_text.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import { type NewAdministrator, readNewAdministrator } from "./administrator.ts";
import { requireNoHalfRestore } from "./backup/half_restore.ts";
import { INHERITS } from "./child_environment.ts";
import { requireNoCluster } from "./cluster/kind.ts";
import { lockDeployment, unusableFolder } from "./deployment.ts";
import { gatewayPart, type HubAddresses, hubServicePart } from "./hub_parts.ts";
import { stopOrphans } from "./orphans.ts";
import { killAll } from "./process.ts";
import { startServers, TIER } from "./servers.ts";
import { PROGRAMS_MAIN, setUpPrograms } from "./programs.ts";
import { denoPart, fetchPackages, ROOT } from "./service_part.ts";
import { settingsIn, writeSettings } from "./settings.ts";
import { PAGE_MAIN, setUpPage } from "./page.ts";
import { SET_UP_MAIN, setUpDatabasesApart } from "./set_up.ts";
import { createSupervisor, type Part, type PartControl, type Supervisor } from "./supervisor.ts";

const START_DEADLINE_MS = 120_000;
/** A standby begins with a copy of its primary. */
const CLUSTER_DEADLINE_MS = 300_000;

export interface StackOptions {
  /** Holds all that the stack must not forget; made when it is not there. */
  folder: string;
  /** Holds what was downloaded and can be again. */
  cacheFolder?: string;
  /** The gateway's port; an error when it is taken. */
  gatewayPort?: number | undefined;
  /** The gateway's port at the first start, when it is free. */
  preferredGatewayPort?: number;
  /** Receives what the parts log. */
  onEntry?: (part: string, entry: LogEntry) => void;
  /** Receives sentences for the person who waits. */
  say?: (message: string) => void;
  /** Two of everything and three brokers, so that one of each may be lost. */
  cluster?: boolean;
  /**
   * Saves time where nothing is to last: a new database cluster is not flushed to disk while it is
   * made.
   */
  temporary?: boolean;
  /** Whose services and gateways run, with a slash at its end; this program's own unless given. */
  checkout?: string;
  /** Where traces are posted to; unless given the environment says whether they are kept. */
  traces?: string;
  /** Ends the start; what runs already is stopped. */
  signal?: AbortSignal;
}

export interface Stack {
  folder: string;
  /** `http://127.0.0.1:<port>`; the API is below `/api`. */
  gatewayUrl: string;
  /** The broker's WebSocket address. */
  natsUrl: string;
  /** Who was made administrator and was not shown yet. */
  newAdministrator: NewAdministrator | undefined;
  /** Their log-in; throws when the stack was started before. */
  adminCredentials(): Promise<{ username: string; password: string }>;
  /** The address of a database for the server's administrator, for a look behind the services. */
  adminDatabaseUrl(database?: string): string;
  /**
   * Starts a node with a configuration file; its part is called `node <name>`. Resolves when it
   * serves.
   */
  addNode(name: string, configPath: string): Promise<void>;
  /** Starts one more replica of a hub service; returns its part's name. */
  addReplica(service: HubService): Promise<string>;
  part(name: string): PartControl;
  /**
   * Replaces the services and gateways, one replica after the other, by what the checkout holds
   * now. Where each has a second one, nobody notices. Rejects, and replaces nothing, when the
   * replicas of before could not work with the tables of that: see `rollable.ts`.
   */
  roll(): Promise<void>;
  /** The name of the part that is the primary database server now. */
  primary(): Promise<string>;
  /**
   * Resolves when each of the database servers is there that is to be, with all that the others
   * have.
   */
  whole(): Promise<void>;
  /** Rejects when a part dies that should run. */
  readonly failed: Promise<never>;
  /** Stops everything, the last started first. */
  stop(): Promise<void>;
}

/**
 * Starts the stack and returns when its gateway says that every service is ready.
 * When something fails on the way, or `signal` fires, what was started is stopped before this
 * throws.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const folder = resolve(options.folder);
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o711 });
    // PostgreSQL's account must walk through; what is inside has its own modes.
    if (Deno.statSync(folder).uid === Deno.uid()) await Deno.chmod(folder, 0o711);
  } catch (error) {
    throw unusableFolder(folder, error);
  }
  const lock = await lockDeployment(folder);
  const runFolder = join(folder, "run");
  const supervisor = createSupervisor({ onEntry: options.onEntry ?? (() => {}), runFolder });
  async function stop() {
    await supervisor.stop();
    killAll();
    lock.release();
  }
  const given = options.signal ?? new AbortController().signal;
  // Not AbortSignal.timeout(), which would keep a program from ending until then.
  const late = new AbortController();
  const deadlineMs = options.cluster ? CLUSTER_DEADLINE_MS : START_DEADLINE_MS;
  const timer = setTimeout(() => late.abort(new Error("too late")), deadlineMs);
  const abandoned = new AbortController();
  const signal = AbortSignal.any([given, late.signal, abandoned.signal]);
  const { promise: ended, reject } = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  ended.catch(() => {});
  try {
    await requireNoHalfRestore(folder);
    await Deno.mkdir(runFolder, { recursive: true });
    const stack = bringUp({ ...options, folder, signal }, supervisor, runFolder);
    return { ...await Promise.race([stack, ended, supervisor.failed]), stop };
  } catch (error) {
    await stop();
    if (!late.signal.aborted || error !== late.signal.reason) throw error;
    throw new Error(
      `The stack was not ready within ${deadlineMs / 1000} s; its log says what was missing.`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    abandoned.abort();
  }
}

async function bringUp(
  options: StackOptions & { signal: AbortSignal },
  supervisor: Supervisor,
  runFolder: string,
): Promise<Omit<Stack, "stop">> {
  const { folder, cacheFolder = join(folder, "cache"), say = () => {}, checkout = ROOT } = options;
  for (const orphan of await stopOrphans(runFolder)) {
    say(`Stopped "${orphan}", which an earlier launcher had left running`);
  }
  await writeSettings(folder, settingsIn(Deno.env.toObject()));
  if (!options.cluster) requireNoCluster(folder);
  const start = options.cluster
    ? (await import("./cluster/servers.ts")).startClusterServers
    : startServers;
  const [servers] = await Promise.all([
    start({ ...options, folder, cacheFolder, say, supervisor }),
    fetchPackages(MAINS, checkout),
  ]);
  const { deployment, adminUrl, front } = servers;
  let programs = "";
  async function setUpHub(): Promise<void> {
    const pageFolder = join(deployment.serviceFolder("gateway"), FILES.page);
    const page = setUpPage(pageFolder, cacheFolder);
    [programs] = await Promise.all([setUpPrograms(cacheFolder, checkout), page]);
  }
  await Promise.all([
    setUpHub(),
    setUpDatabasesApart(folder, deployment, servers),
  ]);
  const addresses: HubAddresses = {
    ...servers,
    checkout,
    programs: () => programs,
    traces: options.traces ?? await tracesInEnvironment(),
    serviceFolder: deployment.serviceFolder,
  };
  const replicas = new Map<HubService, number>();
  function replica(service: HubService): Part {
    const number = (replicas.get(service) ?? 0) + 1;
    replicas.set(service, number);
    return hubServicePart(service, numbered(service, number), spread(addresses, number));
  }
  const gateways = servers.gateways.map((listen, index) =>
    gatewayPart(numbered("gateway", index + 1), {
      ...spread(addresses, index + 1),
      listen,
      behindFront: !!front,
    })
  );
  await Promise.all([
    supervisor.start(
      TIER.services,
      ...HUB_SERVICES.flatMap((service) =>
        Array.from({ length: servers.replicas }, () => replica(service))
      ),
    ),
    supervisor.start(TIER.gateways, ...gateways),
  ]);
  if (front) await supervisor.start(TIER.front, front);
  await waitForHealth(`http://${servers.door}/api/health`, options.signal);
  await servers.whole();
  const newAdministrator = await readNewAdministrator(deployment.serviceFolder("identity"));
  return {
    folder,
    gatewayUrl: `http://${servers.door}`,
    natsUrl: servers.nodeNatsUrl,
    newAdministrator,
    adminCredentials: () => credentialsOf(newAdministrator),
    adminDatabaseUrl: (name = DATABASE) => adminUrl(name),
    addNode: (name, configPath) => supervisor.start(TIER.nodes, nodePart(name, configPath)),
    async addReplica(service) {
      const part = replica(service);
      await supervisor.start(TIER.services, part);
      return part.name;
    },
    async roll() {
      const { requireRollable } = await import("./rollable.ts");
      await requireRollable(adminUrl(DATABASE), checkout);
      await fetchPackages(MAINS, checkout);
      await setUpHub();
      const services = [...replicas].flatMap(([service, count]) =>
        Array.from({ length: count }, (_, index) => numbered(service, index + 1))
      );
      const doors = servers.gateways.map((_, index) => numbered("gateway", index + 1));
      for (const name of [...services, ...doors]) await supervisor.part(name).restart();
    },
    primary: servers.primary,
    whole: servers.whole,
    part: supervisor.part,
    failed: supervisor.failed,
  };
}

/** Each replica begins with another server of the broker: no two of a kind go with the same one. */
function spread(addresses: HubAddresses, number: number): HubAddresses {
  const first = (number - 1) % addresses.brokers.length;
  const brokers = [...addresses.brokers.slice(first), ...addresses.brokers.slice(0, first)];
  return { ...addresses, brokers };
}

/** The first of a kind has its name alone. */
function numbered(name: string, number: number): string {
  return number === 1 ? name : `${name}-${number}`;
}

function nodePart(name: string, configPath: string): Part {
  return denoPart({
    name: `node ${name}`,
    main: () => `${ROOT}${NODE_MAIN}`,
    // The agent guards itself: it lends rights to sandboxes, other accounts and namespaces. Like
    // the gateway, it looks at the signal of requests. By V8's defaults up to 66 MiB of a payload's
    // pieces lay in memory after they had passed; with this young generation 15.
    permissions: [
      "--allow-all",
      "--unstable-no-legacy-abort",
      "--v8-flags=--max-semi-space-size=4",
    ],
    // With the stack everything ends.
    args: ["--config", resolve(configPath), "--kill-runs"],
    env: {},
    inherits: INHERITS.node,
    optional: true,
  });
}

const NODE_MAIN = "services/node/main.ts";
const MAINS = [
  ...[...HUB_SERVICES, "gateway"].map((service) => `services/${service}/main.ts`),
  NODE_MAIN,
  PAGE_MAIN,
  PROGRAMS_MAIN,
  SET_UP_MAIN,
];

/** Where the environment says that traces are posted to. Its reader is loaded where it says so. */
async function tracesInEnvironment(): Promise<string | undefined> {
  const named = Object.keys(Deno.env.toObject()).some((name) => name.startsWith("OTEL_"));
  if (!named) return undefined;
  const { readTraceSettings } = await import("../../shared/tracing/open_tracer.ts");
  return readTraceSettings()?.url;
}

// deno-lint-ignore require-await -- a promise is rejected, never a call
async function credentialsOf(
  made: NewAdministrator | undefined,
): Promise<{ username: string; password: string }> {
  const password = made?.password ?? Deno.env.get("SEXTANT_ADMIN_PASSWORD");
  if (made && password) return { username: made.username, password };
  throw new Error(
    "Cannot tell the administrator's password: it was shown when the hub was started first",
  );
}

/** Asks the gateway until every service is ready. */
async function waitForHealth(url: string, signal: AbortSignal): Promise<void> {
  while (true) {
    signal.throwIfAborted();
    try {
      const response = await fetch(url, { signal });
      await response.body?.cancel();
      if (response.ok) return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // not listening yet
    }
    await delay(50);
  }
}
