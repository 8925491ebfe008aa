/**
 * The services of the hub in this process, wired as in production (each by its own `start.ts`),
 * over a database and an account at the broker of their own.
 * @module
 */
import { newVaultKey } from "../../services/identity/secrets/vault.ts";
import {
  type Collaboration,
  type CollaborationOptions,
  startCollaboration,
} from "../../services/collaboration/start.ts";
import { type Gateway, type GatewayOptions, startGateway } from "../../services/gateway/start.ts";
import {
  type Identity,
  type IdentityOptions,
  startIdentity,
} from "../../services/identity/start.ts";
import type { TaskSettings } from "../../services/task/deps.ts";
import { startTask, type Task, type TaskOptions } from "../../services/task/start.ts";
import { checkAnswers } from "../../shared/contract/answers.ts";
import type { Db } from "../../shared/storage/db.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import type { HubService, ServiceName } from "../../shared/broker/subjects.ts";
import { createLife, type RunningLife } from "../../shared/service/life.ts";
import { type Logger, silentLogger } from "../../shared/service/log.ts";
import { startTestNats, type TestNats } from "./nats.ts";
import { startTestPostgres, type TestPostgres } from "./postgres.ts";

/** With which the gateway gives its figures. */
export const METRICS_TOKEN = "a-token-of-prometheus-for-tests";
export const ROOT_PASSWORD = "Root-password-1";
/** What algorithm stores know this hub by. */
export const SERVER_URL = "https://hub.example/api";
export const TASK_SETTINGS: TaskSettings = {
  blobStoreEnabled: false,
  maxUnusedBytes: 2 ** 36,
  maxSubtasks: 1000,
  subtasksPerMinute: 1e6,
  columnImage: "columns",
};
/** What is to happen when the test says so, and not by itself. */
export const NEVER_MS = 2 ** 31 - 1;

export interface TestServicesOptions {
  log?: Logger;
  now?: () => Date;
  /** Servers that the test kills; else databases and an account on those that all tests share. */
  postgres?: TestPostgres;
  nats?: TestNats;
  identity?: Partial<IdentityOptions>;
  collaboration?: Partial<CollaborationOptions>;
  task?: Partial<TaskOptions>;
  gateway?: Partial<GatewayOptions>;
}

export interface TestServices {
  identity: Identity;
  collaboration: Collaboration;
  task: Task;
  gateway: Gateway;
  db: Record<HubService, Db>;
  postgres: TestPostgres;
  nats: TestNats;
  /** What the hub signs with. */
  dispatchKey: string;
  stop(): Promise<void>;
}

export async function startTestServices(
  { log = silentLogger, now = () => new Date(), ...options }: TestServicesOptions = {},
): Promise<TestServices> {
  checkAnswers();
  const postgres = options.postgres ?? await startTestPostgres();
  const nats = options.nats ?? await startTestNats({ log });
  const lives: RunningLife[] = [];
  async function stop() {
    for (const life of lives.reverse()) await life.stop();
    if (!options.nats) await nats.stop();
    if (!options.postgres) await postgres.stop();
  }
  function newLife(): RunningLife {
    const life = createLife(log);
    lives.push(life);
    return life;
  }
  try {
    const urls = await postgres.newMigratedDatabases();
    const { publicKey, seed: dispatchKey } = newUserKey();
    const base = async (service: ServiceName) => ({
      natsUrl: nats.url,
      enrolmentFile: await nats.enrolmentFile(service),
      now,
    });
    const identity = await startIdentity(newLife(), {
      databaseUrl: urls.identity,
      natsUrl: nats.url,
      trust: nats.trust,
      secretsKey: newVaultKey(),
      nodeNatsUrl: nats.url,
      dispatchPublicKeys: [publicKey],
      firstUser: { username: "root", password: ROOT_PASSWORD, file: undefined },
      serverName: "test",
      sendMail: undefined,
      now,
      ...options.identity,
    });
    const [collaboration, task, gateway] = await Promise.all([
      startCollaboration(newLife(), {
        ...await base("collaboration"),
        databaseUrl: urls.collaboration,
        serverUrl: SERVER_URL,
        presence: { compareEveryMs: NEVER_MS, listEveryMs: NEVER_MS },
        ...options.collaboration,
      }),
      startTask(newLife(), {
        ...await base("task"),
        databaseUrl: urls.task,
        dispatchKey,
        settings: TASK_SETTINGS,
        reconcileEveryMs: NEVER_MS,
        ...options.task,
      }),
      startGateway(newLife(), {
        ...await base("gateway"),
        listen: { hostname: "127.0.0.1", port: 0 },
        maxBody: 2 ** 20,
        attemptsPerMinute: 1e6,
        metricsToken: METRICS_TOKEN,
        ...options.gateway,
      }),
    ]);
    return {
      identity,
      collaboration,
      task,
      gateway,
      db: {
        identity: identity.deps.db,
        collaboration: collaboration.deps.db,
        task: task.deps.db,
      },
      postgres,
      nats,
      dispatchKey,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
