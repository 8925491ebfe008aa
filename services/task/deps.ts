/**
 * What the parts of this service are given: connected once, in `start.ts`.
 * @module
 */
import type { Db } from "../../shared/storage/db.ts";
import type { Logger } from "../../shared/service/log.ts";
import type { Outbox } from "../../shared/storage/outbox.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import type { RateLimiter } from "../../shared/service/rate_limiter.ts";
import type { Checkpoints } from "./dispatch/checkpoints.ts";
import type { Kills } from "./dispatch/kills.ts";
import type { Reports } from "./reports/handlers.ts";
import type { TaskWatch } from "./task_watch.ts";
import type { WakeUps } from "./upkeep/wake_ups.ts";

export interface TaskSettings {
  /**
   * Whether inputs must be uploaded. Without it they may be, and large results are blobs either
   * way.
   */
  blobStoreEnabled: boolean;
  /** Bytes of uploads that an organization may have before a task or result uses them. */
  maxUnusedBytes: number;
  /** Subtasks that one run may make, all levels together. */
  maxSubtasks: number;
  /** Subtasks that the runs at one node may make in the long run; half of it at once. */
  subtasksPerMinute: number;
  /** The algorithm that `POST /column` asks for the names of columns. */
  columnImage: string;
}

export interface TaskDeps {
  db: Db;
  outbox: Outbox;
  ask: Ask;
  reports: Reports;
  kills: Kills;
  checkpoints: Checkpoints;
  /** The seed that signs what is dispatched. */
  dispatchKey: string;
  wakeUps: WakeUps;
  watch: TaskWatch;
  settings: TaskSettings;
  /** Of the subtasks that are made at each node. */
  subtaskRate: RateLimiter;
  now: () => Date;
  log: Logger;
}
