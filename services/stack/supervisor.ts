/**
 * Runs the parts of a stack, each as its own process: starts them tier by tier, starts one that
 * dies again, after a pause that grows, and stops them in the opposite order.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { forgetProcess, recordProcess } from "./orphans.ts";
import type { ManagedProcess } from "./process.ts";
import { settlesIn } from "../../shared/service/settles_in.ts";
import { type LogEntry, plainText } from "../../shared/service/log_text.ts";
import { type LineFormat, parseLine } from "./log_lines.ts";

/** One part and how to start it. */
export interface Part {
  name: string;
  format: LineFormat;
  /**
   * Starts the process; resolves when others may rely on it, throws when it will not come to that.
   */
  start(hooks: PartHooks): Promise<void>;
  /** Whether the others can go on without it when it cannot be kept running. */
  optional?: boolean;
}

export interface PartHooks {
  /** Receives every line that the process writes. */
  onLine(line: string): void;
  /** To be told of the process as soon as it runs, so that it can be stopped before it is ready. */
  onProcess(process: ManagedProcess): void;
}

/** A part ended that nobody had asked to. The message holds its last lines. */
export class PartDied extends Error {
  constructor(
    { name, format }: Pick<Part, "name" | "format">,
    { signal, code }: Deno.CommandStatus,
    lines: string[],
  ) {
    const how = signal ? `killed by ${signal}` : `exit code ${code}`;
    const words = lines.map((line) => `\n  ${plainText(parseLine(format, line))}`);
    super(
      `The part "${name}" has ended (${how}).` +
        (words.length ? ` Its last lines:${words.join("")}` : ""),
    );
    this.name = "PartDied";
  }
}

export interface SupervisorOptions {
  /** Receives what the parts log. */
  onEntry: (part: string, entry: LogEntry) => void;
  /** Where process numbers are remembered while they run. */
  runFolder: string;
  /** How long one tier may take to stop before it is killed. */
  stopDeadlineMs?: number;
  /**
   * How long it is waited before a part that died is started again: the first time, the second, …
   * When they are used up the part is given up.
   */
  restartPausesMs?: readonly number[];
  /** A part that ran for so long begins with the first pause again. */
  settledMs?: number;
}

const RESTART_PAUSES_MS = [1000, 2000, 4000, 8000, 15_000, 30_000] as const;

export interface PartControl {
  readonly pid: number;
  /** Kills the part as a crash would; the stack stays up without it. */
  kill9(): Promise<void>;
  /** Stops the part in order; the stack stays up without it. */
  stop(): Promise<void>;
  /** Starts the part again, after stopping it if it runs. */
  restart(): Promise<void>;
}

export interface Supervisor {
  /**
   * Starts parts side by side and adds them to a tier. Throws {@linkcode PartDied} or what a part's
   * start throws.
   */
  start(tier: number, ...parts: Part[]): Promise<void>;
  part(name: string): PartControl;
  /** Rejects when a part that the others need cannot be kept running; never resolves. */
  readonly failed: Promise<never>;
  /** Stops all tiers, the one with the highest number first. Safe to call twice. */
  stop(): Promise<void>;
}

interface Running {
  part: Part;
  tier: number;
  process: ManagedProcess | undefined;
  /** Whether the end of the process would be a surprise. */
  expected: boolean;
  /** When it was ready last, by the clock that only goes forward. */
  readyAt: number;
  /** How often in a row it has died early. */
  deaths: number;
  /** Ends the pause before its next start, which then does not come. */
  pause: AbortController | undefined;
}

/** Makes a supervisor with nothing to run yet. */
export function createSupervisor(
  {
    onEntry,
    runFolder,
    stopDeadlineMs = 10_000,
    restartPausesMs = RESTART_PAUSES_MS,
    settledMs = 60_000,
  }: SupervisorOptions,
): Supervisor {
  const all: Running[] = [];
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  // Nobody may be listening yet, or any more.
  failed.catch(() => {});
  const launches = new Set<Promise<void>>();
  let stopped: Promise<void> | undefined;

  async function launch(running: Running): Promise<void> {
    const launched = launchProcess(running).finally(() => launches.delete(launched));
    launches.add(launched);
    await launched;
  }

  async function launchProcess(running: Running): Promise<void> {
    const { name, format, start } = running.part;
    running.expected = true;
    // While it starts, its end is for start() to judge: it may try again.
    let starting = true;
    let died: PartDied | undefined;
    await start({
      onLine: (line) => onEntry(name, parseLine(format, line)),
      onProcess(process) {
        running.process = process;
        died = undefined;
        recordProcess(runFolder, name, process.pid);
        process.exited.then((status) => {
          if (running.process !== process) return;
          running.process = undefined;
          forgetProcess(runFolder, name);
          died = new PartDied(running.part, status, process.lastLines());
          if (running.expected && !starting) void keepUp(running, died);
        });
        // It was about to start when all was told to stop.
        if (stopped) void halt(running);
      },
    });
    starting = false;
    if (running.expected && died) throw died;
    running.readyAt = performance.now();
  }

  function tell({ part }: Running, level: LogEntry["level"], message: string): void {
    onEntry(part.name, { level, message, fields: {} });
  }

  /** Starts a part that has died again, until it stays or is given up. */
  async function keepUp(running: Running, died: Error): Promise<void> {
    if (performance.now() - running.readyAt > settledMs) running.deaths = 0;
    for (let reason = died; !stopped;) {
      const pauseMs = restartPausesMs[running.deaths++];
      if (pauseMs === undefined) return giveUp(running, reason);
      tell(running, "error", `${reason.message}\nIt is started again in ${pauseMs / 1000} s.`);
      const pause = running.pause = new AbortController();
      await delay(pauseMs, undefined, { signal: pause.signal }).catch(() => {}); // then it is aborted
      if (pause.signal.aborted) return;
      try {
        await launch(running);
        return tell(running, "warn", "It runs again");
      } catch (error) {
        if (!running.expected) return;
        reason = error as Error;
      }
    }
  }

  function giveUp(running: Running, reason: Error): void {
    const times = `It was started again ${restartPausesMs.length} times in vain`;
    if (!running.part.optional) {
      return fail(new Error(`${reason.message}\n${times}.`, { cause: reason }));
    }
    running.expected = false;
    tell(running, "error", `${reason.message}\n${times}, and is left alone now; the rest goes on.`);
  }

  async function halt(running: Running): Promise<void> {
    running.expected = false;
    running.pause?.abort();
    const { process, part } = running;
    if (!process) return;
    if (!await process.stop(stopDeadlineMs)) {
      onEntry(part.name, {
        level: "warn",
        message: `Did not stop within ${stopDeadlineMs / 1000} s and was killed`,
        fields: {},
      });
    }
  }

  async function stopAll() {
    // A part that has no process yet is stopped when it gets one; see onProcess().
    const starting = Promise.allSettled(launches);
    const tiers = new Set(all.map(({ tier }) => tier));
    for (const tier of [...tiers].sort((a, b) => b - a)) {
      await Promise.all(all.filter((one) => one.tier === tier).map(halt));
    }
    await settlesIn(stopDeadlineMs, starting);
  }

  return {
    failed,
    async start(tier, ...parts) {
      if (stopped) throw new Error("Cannot start a part: the stack is stopping");
      const added = parts.map((part): Running => ({
        part,
        tier,
        process: undefined,
        expected: true,
        readyAt: 0,
        deaths: 0,
        pause: undefined,
      }));
      all.push(...added);
      await Promise.race([Promise.all(added.map(launch)), failed]);
    },
    part(name) {
      const running = all.find((one) => one.part.name === name);
      if (!running) throw new TypeError(`Cannot find the part "${name}"`);
      return {
        get pid() {
          if (!running.process) {
            throw new TypeError(`Cannot tell the pid: "${name}" is not running`);
          }
          return running.process.pid;
        },
        async kill9() {
          running.expected = false;
          running.pause?.abort();
          running.process?.signal("SIGKILL");
          await running.process?.exited;
        },
        stop: () => halt(running),
        async restart() {
          await halt(running);
          await launch(running);
        },
      };
    },
    stop: () => stopped ??= stopAll(),
  };
}
