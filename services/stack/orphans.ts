/**
 * Finds what an earlier launcher left running when it was killed, on machines whose kernel was not
 * asked to end the parts with it.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";

/** A process number alone may belong to somebody else by now; with its start time it may not. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return undefined;
    const boot = Deno.readTextFileSync("/proc/sys/kernel/random/boot_id").trim();
    return `${pid} ${fields[19]} ${boot}`;
  } catch {
    return undefined;
  }
}

/** Remembers in `folder` that the part `name` is process `pid`. */
export function recordProcess(folder: string, name: string, pid: number): void {
  const identity = identityOf(pid);
  if (identity) Deno.writeTextFileSync(join(folder, name), identity);
}

export function forgetProcess(folder: string, name: string): void {
  try {
    Deno.removeSync(join(folder, name));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Ends every remembered process that still runs, killing it after `deadlineMs`; returns their
 * parts' names.
 */
export async function stopOrphans(folder: string, deadlineMs = 10_000): Promise<string[]> {
  const found: { name: string; pid: number; identity: string }[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    const identity = Deno.readTextFileSync(join(folder, name));
    const pid = Number(identity.split(" ")[0]);
    if (identityOf(pid) === identity) found.push({ name, pid, identity });
    else forgetProcess(folder, name);
  }
  for (const { pid, identity } of found) signal(pid, identity, "SIGTERM");
  const killAt = Date.now() + deadlineMs;
  for (const { name, pid, identity } of found) {
    while (identityOf(pid) === identity) {
      if (Date.now() > killAt) signal(pid, identity, "SIGKILL");
      await delay(20);
    }
    forgetProcess(folder, name);
  }
  return found.map(({ name }) => name);
}

function signal(pid: number, identity: string, name: Deno.Signal) {
  try {
    if (identityOf(pid) === identity) Deno.kill(pid, name);
  } catch (error) {
    // It went between the two steps.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
