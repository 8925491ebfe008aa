/**
 * Cuts one server of a cluster off from all others: packets are dropped, nothing is closed, and
 * nobody is told, as when a cable is pulled. It needs root and `iptables`.
 * @module
 */
import { readPorts } from "../../services/stack/deployment.ts";
import { findProgram } from "../../services/stack/process.ts";
import type { TestStack } from "../harness.ts";

const IPTABLES = findProgram("iptables", `${Deno.env.get("PATH")}:/usr/sbin`);

/** Why nothing can be cut off here; `undefined` where it can. */
export const whyNoCut: string | undefined = await whatIsMissing();

async function whatIsMissing(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "cutting a server off needs root";
  if (!IPTABLES) return "cutting a server off needs iptables";
  const { success, stderr } = await new Deno.Command(IPTABLES, { args: ["-w", "-S", "INPUT"] })
    .output();
  return success ? undefined : new TextDecoder().decode(stderr).trim();
}

/** Its ports in `ports.json`: those of the first of a kind have no number. */
const PORTS: Record<string, string[]> = {
  nats: ["nats", "natsWebsocket", "natsRoute"],
  etcd: ["etcd", "etcdPeer"],
};

/** Cuts off `nats`, `nats-2`, `nats-3` or `etcd`; returns how to join it to the others again. */
export async function cutOff(stack: TestStack, name: string): Promise<() => Promise<void>> {
  const [, kind, suffix = ""] = /^([a-z]+)(-\d)?$/.exec(name)!;
  const ports = await readPorts(stack.folder);
  const own = PORTS[kind!]!.map((port) => ports[port + suffix]!);
  const routes = ["natsRoute", "natsRoute-2", "natsRoute-3"].map((port) => ports[port]!)
    .filter((port) => !own.includes(port));
  const ways = [...own, ...await portsOf(stack.part(name).pid)];
  const rules = ways.flatMap((port) => [["--dport", `${port}`], ["--sport", `${port}`]]);
  // What the servers of the broker have open between each other stays; new connections may be those
  // of the one that is cut off.
  if (kind === "nats") rules.push(...routes.map((port) => ["--syn", "--dport", `${port}`]));
  const dropped = rules.map((rule) => ["INPUT", "-i", "lo", "-p", "tcp", ...rule, "-j", "DROP"]);
  for (const rule of dropped) await iptables("-I", ...rule);
  let joined: Promise<void> | undefined;
  async function join() {
    for (const rule of dropped) await iptables("-D", ...rule);
  }
  return () => joined ??= join();
}

async function iptables(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(IPTABLES!, { args: ["-w", ...args] }).output();
  if (!success) throw new Error(`iptables ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** The ports on this machine from which a process has connections to others. */
async function portsOf(pid: number): Promise<number[]> {
  const sockets = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const to = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    const [, inode] = /^socket:\[(\d+)\]$/.exec(to) ?? [];
    if (inode) sockets.add(inode);
  }
  const table = (await Deno.readTextFile(`/proc/${pid}/net/tcp`)).trim().split("\n").slice(1);
  const LISTENS = "0A";
  const found = table.map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] !== LISTENS && sockets.has(fields[9]!))
    .map((fields) => Number.parseInt(fields[1]!.split(":")[1]!, 16));
  return [...new Set(found)];
}
