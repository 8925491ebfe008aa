/**
 * How the agent is: a small file in its data folder, written every few seconds, and `deno task node
 * status`, which reads it.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { type Journal, JOURNAL_STATES, type JournalState } from "./journal.ts";

const FILE = "status.json";
const EVERY_MS = 5000;
/** A file older than this was left by an agent that is no more, or that hangs. */
const STALE_MS = 4 * EVERY_MS;

/** What an agent waits for until it takes work. */
export const WAITS_FOR = ["the hub", "the broker", "the hub's welcome"] as const;
export type WaitsFor = typeof WAITS_FOR[number];

const count = z.number();
const statusSchema = z.object({
  at: z.iso.datetime(),
  pid: count,
  started_at: z.iso.datetime(),
  /** Known once it has logged in. */
  node: z.object({ id: count, name: z.string() }).nullable(),
  /** What it waits for before it can begin; `null` once it has. */
  waits_for: z.enum(WAITS_FOR).nullable(),
  /** Why hub or broker could last not be reached. */
  trouble: z.object({ reason: z.string(), at: z.iso.datetime() }).nullable(),
  /** When the broker last answered. */
  last_contact: z.iso.datetime().nullable(),
  runs: z.array(z.object({
    result_id: count,
    attempt: count,
    task_id: count,
    image: z.string(),
    state: z.enum(JOURNAL_STATES),
  })),
  /** What was seen of the hub's audit record; agents of the version before do not tell. */
  record: z.object({
    services: z.array(z.object({ service: z.string(), size: count, sealed_at: z.string() })),
    alarms: z.array(z.object({ service: z.string(), kind: z.string(), problem: z.string() })),
    /** Other nodes that were shown the same, and when the last one was heard to be. */
    agreeing: count,
    agreed_at: z.string().nullable(),
  }).optional(),
  /**
   * Where the owner's page is, or why it is not there; agents of the version before do not tell.
   */
  page: z.object({ address: z.string().nullable(), problem: z.string().nullable() }).optional(),
  memory_mib: count,
  load: z.array(count),
});
export type Status = z.infer<typeof statusSchema>;

/** What the agent itself knows of how it is. */
export interface AgentState {
  node: { id: number; name: string } | undefined;
  waitsFor: WaitsFor | undefined;
  trouble: Status["trouble"];
  /** Resolves when the broker answers. */
  contact: (() => Promise<void>) | undefined;
  /** What was seen of the hub's audit record. */
  record?: (() => NonNullable<Status["record"]>) | undefined;
  page?: Status["page"];
}

export interface WriteStatusOptions {
  folder: string;
  journal: Pick<Journal, "open">;
  /** Read at each writing. */
  state: Readonly<AgentState>;
}

/**
 * Keeps the file fresh until `close`, which removes it; `rewrite` writes it at once, and `current`
 * is what it would write.
 */
export function writeStatus(
  { folder, journal, state }: WriteStatusOptions,
): { rewrite(): void; current(): Status; close(): Promise<void> } {
  const path = join(folder, FILE);
  const started_at = new Date().toISOString();
  let last_contact: string | null = null;
  let asking = false;

  function ask() {
    const { contact } = state;
    if (asking || !contact) return;
    asking = true;
    contact().then(() => {
      const first = last_contact === null;
      last_contact = new Date().toISOString();
      // Whoever starts an agent looks at once.
      if (first) rewrite();
    }, () => {}).finally(() => asking = false);
  }

  function current(): Status {
    return {
      at: new Date().toISOString(),
      pid: Deno.pid,
      started_at,
      node: state.node ? { id: state.node.id, name: state.node.name } : null,
      waits_for: state.waitsFor ?? null,
      trouble: state.trouble,
      last_contact,
      runs: [...journal.open.values()].map(({ state, dispatch }) => ({
        result_id: dispatch.result_id,
        attempt: dispatch.attempt,
        task_id: dispatch.task_id,
        image: dispatch.image,
        state,
      })),
      ...(state.record ? { record: state.record() } : {}),
      ...(state.page ? { page: state.page } : {}),
      memory_mib: Math.round(Deno.memoryUsage().rss / 2 ** 20),
      load: Deno.loadavg().map((one) => Math.round(one * 100) / 100),
    };
  }

  async function write() {
    ask();
    await Deno.writeTextFile(`${path}.new`, JSON.stringify(current()), { mode: 0o600 });
    await Deno.rename(`${path}.new`, path);
  }

  // A full disk shows elsewhere.
  let writing = write().catch(() => {});
  let closed = false;
  function rewrite() {
    if (!closed) writing = writing.then(write).catch(() => {});
  }
  const timer = setInterval(rewrite, EVERY_MS);
  return {
    rewrite,
    current,
    async close() {
      closed = true;
      clearInterval(timer);
      await writing;
      await Deno.remove(path).catch(() => {});
    },
  };
}

/** What the agent last wrote; `undefined` when there is none. */
export async function readStatus(folder: string): Promise<Status | undefined> {
  try {
    return statusSchema.parse(JSON.parse(await Deno.readTextFile(join(folder, FILE))));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether an agent runs on this folder, as far as it has said so lately. */
export async function isAgentThere(folder: string, now = Date.now()): Promise<boolean> {
  const status = await readStatus(folder);
  return status !== undefined && now - Date.parse(status.at) < STALE_MS;
}

/** Whether the broker has answered lately. */
export function isConnected({ last_contact }: Status, now = Date.now()): boolean {
  return last_contact !== null && now - Date.parse(last_contact) < STALE_MS;
}

/** The status for people, and whether all is well. */
export function showStatus(
  status: Status | undefined,
  now = Date.now(),
): { text: string; well: boolean } {
  if (!status) return { text: "The agent does not run.", well: false };
  const age = now - Date.parse(status.at);
  const contact = status.last_contact ? now - Date.parse(status.last_contact) : undefined;
  const alive = age < STALE_MS;
  const connected = isConnected(status, now);
  const troubled = !connected && status.trouble !== null &&
    status.trouble.at > (status.last_contact ?? "");
  const seconds = (ms: number) => `${Math.round(ms / 1000)} s ago`;
  const of = (state: JournalState) => status.runs.filter((run) => run.state === state);
  const lines = [
    `node          ${
      status.node ? `${status.node.name} (id ${status.node.id})` : "not known before it logs in"
    }`,
    `agent         ${alive ? "runs" : "does not answer"}, process ${status.pid}, ` +
    `since ${status.started_at}, seen ${seconds(age)}`,
    `hub           ${connected ? "connected" : "NOT connected"}, last contact ` +
    (contact === undefined ? "never" : seconds(contact)),
    ...(status.waits_for ? [`waiting       for ${status.waits_for}, before it takes work`] : []),
    ...(troubled ? [`because       ${status.trouble!.reason}`] : []),
    `runs          ${of("started").length} under way, ${of("accepted").length} waiting, ` +
    `${of("finished").length} to be reported` +
    (of("held").length > 0 ? `, ${of("held").length} held (deno task node held)` : ""),
    ...status.runs.map((run) =>
      `  ${run.state.padEnd(10)}  task ${run.task_id}, result ${run.result_id}, ` +
      `attempt ${run.attempt}, ${run.image}`
    ),
    ...recordLines(status.record),
    ...pageLines(status.page),
    `memory        ${status.memory_mib} MiB (the agent alone)`,
    `load          ${status.load.join(", ")} (this machine)`,
  ];
  return {
    text: lines.join("\n"),
    well: alive && connected && status.waits_for === null && !status.record?.alarms.length,
  };
}

function pageLines(page: Status["page"]): string[] {
  if (!page) return [];
  const { address, problem } = page;
  return [
    address === null
      ? `page          not there: ${problem}`
      : `page          ${address} (deno task node page gives a link that lets you in)`,
  ];
}

function recordLines(record: Status["record"]): string[] {
  if (!record) return [];
  const { services, alarms, agreeing, agreed_at } = record;
  return [
    ...services.map(({ service, size, sealed_at }, at) =>
      `${
        at === 0 ? "hub's record  " : "".padEnd(14)
      }${service}: ${size} entries, sealed ${sealed_at}`
    ),
    ...(services.length > 0
      ? [
        `${"".padEnd(14)}${
          agreed_at === null
            ? "no other node was heard to be shown the same"
            : `${agreeing} other nodes were shown the same, the last one heard at ${agreed_at}`
        }`,
      ]
      : []),
    ...alarms.map(({ service, kind, problem }) =>
      `ALARM         the hub's record of ${service}, ${kind}: ${problem}`
    ),
  ];
}
