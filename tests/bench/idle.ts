import { type Look, measureIdleHub, type ProcessMemory, totalOf } from "../support/idle_hub.ts";
import { benchIdleAgent } from "./idle_agent.ts";
import { report } from "./measure.ts";

/**
 * What a hub takes that has nothing to do: what each process holds, with what it shares with others
 * in parts. V8 collects what the start has left within a minute.
 */
const LOOKS = [5, 75];

export async function benchIdle(): Promise<void> {
  await benchIdleAgent();
  const { first, again } = await measureIdleHub(LOOKS);
  report("start", { "from nothing, ms": first.readyMs, "again, ms": again.readyMs });
  for (const look of first.looks) reportLook(look);
}

function reportLook({ seconds, processes, aloneMiB }: Look): void {
  console.log(`${seconds} s after the start`);
  const kinds = new Map<string, ProcessMemory[]>();
  for (const one of processes) {
    const kind = one.name.startsWith("postgres") ? "postgres" : one.name;
    kinds.set(kind, [...kinds.get(kind) ?? [], one]);
  }
  for (const [kind, some] of kinds) {
    report(kind, { "processes": some.length, "MiB (PSS)": totalOf(some) });
  }
  report("all of them", {
    "processes": processes.length,
    "MiB (PSS)": totalOf(processes),
    "alone on the machine": aloneMiB,
  });
}
