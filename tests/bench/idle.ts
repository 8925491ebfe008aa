import { measureIdleHub, type ProcessMemory, totalOf } from "../support/idle_hub.ts";
import { report } from "./measure.ts";

/**
 * What a hub takes that has nothing to do: what each process holds, with what it shares with others
 * in parts.
 */
export async function benchIdle(): Promise<void> {
  const processes = await measureIdleHub();
  const kinds = new Map<string, ProcessMemory[]>();
  for (const one of processes) {
    const kind = one.name.startsWith("postgres") ? "postgres" : one.name;
    kinds.set(kind, [...kinds.get(kind) ?? [], one]);
  }
  for (const [kind, some] of kinds) {
    report(kind, { "processes": some.length, "MiB (PSS)": totalOf(some) });
  }
  report("all of them", { "processes": processes.length, "MiB (PSS)": totalOf(processes) });
}
