/**
 * Real servers for tests: each on free ports and in a temporary folder, each gone when its test
 * file is done.
 * @module
 */
import { join } from "node:path";
import { keepSecret } from "../services/stack/deployment.ts";
import { FILES } from "../services/stack/names.ts";
import { findNatsServer, startNatsServer } from "../services/stack/nats_server.ts";
import { POSTGRES_ADMIN } from "../services/stack/postgres.ts";
import { freePort } from "../services/stack/ports.ts";
import { type Deployment, setUpFiles } from "../services/stack/setup.ts";
import { type Stack, type StackOptions, startStack } from "../services/stack/stack.ts";
import { type Trust, trustSchema } from "../shared/broker/trust.ts";
import { CACHE_FOLDER, temporaryFolder } from "./support/folders.ts";
import { placeNewCluster } from "./support/postgres.ts";

export { CACHE_FOLDER, temporaryFolder };
export { startTestPostgres, type TestPostgres, useTestPostgres } from "./support/postgres.ts";

export interface WaitOptions {
  /** Milliseconds. */
  timeout?: number;
  /** Ends the sentence "Waited in vain for …". */
  what: string;
}

/**
 * Asks `condition` until it gives something true and returns that; a condition that throws is asked
 * again.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeout = 10_000, what }: WaitOptions,
): Promise<NonNullable<T>> {
  const giveUpAt = Date.now() + timeout;
  for (let pause = 5;; pause = Math.min(pause * 1.5, 200)) {
    let reason: unknown;
    try {
      const value = await condition();
      if (value) return value;
      reason = value;
    } catch (error) {
      reason = error;
    }
    if (Date.now() > giveUpAt) {
      throw new Error(`Waited in vain for ${what} (${timeout} ms)`, { cause: reason });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

export interface TestStackOptions {
  /** Two of everything and three brokers. */
  cluster?: boolean;
  /** Receives what the parts log; nothing is shown otherwise. */
  onEntry?: StackOptions["onEntry"];
  /** Whose services run. */
  checkout?: string;
  /** Where the services post traces to. */
  traces?: string;
}

export interface TestStack extends Stack {
  /**
   * What the parts have logged, one text a line, for conditions and for the reader of a failure.
   */
  log: string[];
}

/**
 * A whole Sextant in a temporary folder, on free ports. `stop` removes the folder too, and is safe
 * to call twice.
 */
export async function startTestStack(
  { onEntry, ...given }: TestStackOptions = {},
): Promise<TestStack> {
  const folder = await temporaryFolder();
  const log: string[] = [];
  try {
    if (!given.cluster) await placeDatabase(folder.path);
    const stack = await startStack({
      folder: folder.path,
      cacheFolder: CACHE_FOLDER,
      temporary: true,
      ...given,
      onEntry(part, entry) {
        log.push(`${part}: ${entry.level}: ${entry.message} ${JSON.stringify(entry.fields)}`);
        onEntry?.(part, entry);
      },
    });
    let stopped: Promise<void> | undefined;
    return { ...stack, log, stop: () => stopped ??= stack.stop().then(folder.remove) };
  } catch (error) {
    await folder.remove();
    const last = log.slice(-40).join("\n  ");
    throw new Error(`${(error as Error).message}\nWhat the parts logged:\n  ${last}`, {
      cause: error,
    });
  }
}

/** The database of a new deployment, as its first start would make it. */
async function placeDatabase(folder: string): Promise<void> {
  const password = await placeNewCluster(join(folder, "postgres"));
  if (password !== undefined) {
    await keepSecret(join(folder, "database", POSTGRES_ADMIN), () => password);
  }
}

/**
 * One whole Sextant for all tests of the file that calls this at its top; the function returns it.
 */
export function useTestStack(options: TestStackOptions = {}): () => TestStack {
  let running: TestStack | undefined;
  Deno.test.beforeAll(async () => {
    running = await startTestStack(options);
  });
  Deno.test.afterAll(() => running?.stop());
  return () => {
    if (!running) throw new Error("Cannot use the stack before the tests of this file have begun");
    return running;
  };
}

export interface TestBroker {
  /** The WebSocket address. */
  url: string;
  trust: Trust;
  /** The folder of the deployment; services' enrolments are below `services/`. */
  deployment: Deployment;
  kill9(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A nats-server of Sextant's own set-up in a temporary folder. */
export async function startTestBroker(): Promise<TestBroker> {
  const folder = await temporaryFolder();
  const port = freePort();
  const websocketPort = freePort({ except: [port] });
  const deployment = await setUpFiles(folder.path, { host: "127.0.0.1", port, websocketPort });
  const trustFile = `${deployment.serviceFolder("identity")}/${FILES.brokerTrust}`;
  const trust = trustSchema.parse(JSON.parse(await Deno.readTextFile(trustFile)));
  const program = await findNatsServer(CACHE_FOLDER);
  let server = await startNatsServer(program, deployment.natsConfig);
  return {
    url: `ws://127.0.0.1:${websocketPort}`,
    trust,
    deployment,
    async kill9() {
      server.signal("SIGKILL");
      await server.exited;
    },
    async start() {
      server = await startNatsServer(program, deployment.natsConfig);
    },
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}
