/**
 * Cuts one server of a cluster off from others: packets are dropped, nothing is closed, and nobody
 * is told, as when a cable is pulled. It needs root, `iptables` and control groups of version 2, by
 * which the connections are known that a process makes meanwhile.
 * @module
 */
import { basename, join } from "node:path";
import { readPorts } from "../../services/stack/deployment.ts";
import { findProgram } from "../../services/stack/process.ts";
import { messageOf } from "../../shared/service/errors.ts";
import type { TestStack } from "../harness.ts";
import { family, postmaster } from "./cluster.ts";

const IPTABLES = findProgram("iptables", `${Deno.env.get("PATH")}:/usr/sbin`);
/** Chains and control groups have the number of the process that made them. */
const MINE = `sextant-test-${Deno.pid}-`;
const ANYBODYS = /\bsextant-test-(\d+)-\d+\b/;
let made = 0;

/** Why nothing can be cut off here; `undefined` where it can. */
export const whyNoCut: string | undefined = await whatIsMissing();

async function whatIsMissing(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "cutting a server off needs root";
  if (!IPTABLES) return "cutting a server off needs iptables";
  try {
    await removeLeftovers();
    const cut = await openCut();
    try {
      await cut.drop("-m", "cgroup", "--path", await cut.group([]));
    } finally {
      await cut.close();
    }
    return undefined;
  } catch (error) {
    return `cutting a server off needs control groups and iptables that knows them: ${
      messageOf(error)
    }`;
  }
}

/** Its ports in `ports.json`: those of the first of a kind have no number. */
const PORTS: Record<string, string[]> = {
  nats: ["nats", "natsWebsocket", "natsRoute"],
  etcd: ["etcd", "etcdPeer"],
};

/**
 * Cuts off `nats`, `nats-2`, `nats-3` or `etcd` from everything; `postgres` or `postgres-2` from
 * all but its clients, who must not hear from it what the other one does not know. Returns how to
 * join it to the others again.
 */
export async function cutOff(stack: TestStack, name: string): Promise<() => Promise<void>> {
  const cut = await openCut();
  try {
    if (name.startsWith("postgres")) await cutDatabase(stack, name, cut);
    else await cutServer(stack, name, cut);
  } catch (error) {
    await cut.close();
    throw error;
  }
  let joined: Promise<void> | undefined;
  return () => joined ??= cut.close();
}

async function cutServer(stack: TestStack, name: string, cut: Cut): Promise<void> {
  const [, kind, suffix = ""] = /^([a-z]+)(-\d)?$/.exec(name)!;
  const ports = await readPorts(stack.folder);
  const processes = [stack.part(name).pid];
  const own = PORTS[kind!]!.map((port) => ports[port + suffix]!);
  const open = (await connectionsOf(processes)).map(({ local }) => local);
  await cut.dropPorts([...own, ...open]);
  await cut.drop("-m", "cgroup", "--path", await cut.group(processes));
}

async function cutDatabase(stack: TestStack, name: string, cut: Cut): Promise<void> {
  const ports = await readPorts(stack.folder);
  const database = ports[name]!;
  const processesOf = (name: string) =>
    [stack.part(name).pid, postmaster(stack, name)].flatMap(family);
  const [own, others] = [name, name === "postgres" ? "postgres-2" : "postgres"].map(processesOf);
  // Its Patroni reaches itself and the database, nobody else; nobody else reaches its Patroni.
  const open = (await connectionsOf(own!)).filter(({ local, remote }) =>
    local !== database && remote !== database
  );
  await cut.dropPorts([
    ports[name.replace("postgres", "patroni")]!,
    ...open.map(({ local }) => local),
  ]);
  const but = ["-p", "tcp", "!", "--sport", `${database}`, "!", "--dport", `${database}`];
  await cut.drop("-m", "cgroup", "--path", await cut.group(own!), ...but);
  // The other one, too, is a client, and hears nothing any more.
  const heard = (await connectionsOf(others!)).filter(({ remote }) => remote === database);
  await cut.dropPorts(heard.map(({ local }) => local));
  const asks = ["-p", "tcp", "--dport", `${database}`];
  await cut.drop("-m", "cgroup", "--path", await cut.group(others!), ...asks);
}

interface Cut {
  /** Drops what matches. */
  drop(...match: string[]): Promise<void>;
  /** Drops what goes to these ports of this machine or comes from them. */
  dropPorts(ports: number[]): Promise<void>;
  /** Puts processes into a control group: iptables knows what they open from now on. Its path. */
  group(processes: number[]): Promise<string>;
  /** Lets everything pass again. */
  close(): Promise<void>;
}

async function openCut(): Promise<Cut> {
  const chain = `${MINE}${++made}`;
  await iptables("-N", chain);
  await iptables("-I", "OUTPUT", "-o", "lo", "-j", chain);
  const groups: string[] = [];
  const drop = async (...match: string[]) =>
    void await iptables("-A", chain, ...match, "-j", "DROP");
  return {
    drop,
    async dropPorts(ports) {
      for (const port of ports) {
        for (const way of ["--sport", "--dport"]) await drop("-p", "tcp", way, `${port}`);
      }
    },
    async group(processes) {
      const path = join(await groupsFolder(), `${MINE}${++made}`);
      await Deno.mkdir(path);
      groups.push(path);
      await putInto(path, processes);
      return basename(path);
    },
    async close() {
      await removeChain(chain);
      for (const path of groups) await removeGroup(path);
    },
  };
}

async function removeChain(chain: string): Promise<void> {
  await iptables("-D", "OUTPUT", "-o", "lo", "-j", chain);
  await iptables("-F", chain);
  await iptables("-X", chain);
}

async function removeGroup(path: string): Promise<void> {
  const processes = await Deno.readTextFile(join(path, "cgroup.procs"));
  await putInto(await groupsFolder(), processes.trim().split("\n").filter(Boolean).map(Number));
  // One whose process has just ended is busy for a moment; who comes next removes it.
  await Deno.remove(path).catch(() => {});
}

async function putInto(path: string, processes: number[]): Promise<void> {
  for (const pid of processes) {
    await Deno.writeTextFile(join(path, "cgroup.procs"), `${pid}`).catch((error) => {
      if (isRunning(pid)) throw error;
    });
  }
}

/** Where control groups of version 2 are. */
async function groupsFolder(): Promise<string> {
  const mounts = (await Deno.readTextFile("/proc/self/mounts")).split("\n");
  const found = mounts.map((line) => line.split(" ")).find(([, , type]) => type === "cgroup2");
  if (!found) throw new Error("no control groups of version 2 are mounted");
  return found[1]!;
}

/** What was left by tests that were killed: nobody else can join again what they cut off. */
async function removeLeftovers(): Promise<void> {
  const isLeft = (name: string) => {
    const [, pid] = ANYBODYS.exec(name) ?? [];
    return pid !== undefined && !isRunning(Number(pid));
  };
  const chains = (await iptables("-S")).split("\n").filter((line) => line.startsWith("-N "));
  for (const line of chains.filter(isLeft)) await removeChain(line.slice("-N ".length));
  const folder = await groupsFolder();
  for await (const { name } of Deno.readDir(folder)) {
    if (isLeft(name)) await removeGroup(join(folder, name));
  }
}

function isRunning(pid: number): boolean {
  try {
    return Deno.statSync(`/proc/${pid}`).isDirectory;
  } catch {
    return false;
  }
}

async function iptables(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(IPTABLES!, { args: ["-w", ...args] })
    .output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(`iptables ${args.join(" ")}: ${decoder.decode(stderr).trim()}`);
}

/** A connection of a process on this machine. */
interface Connection {
  local: number;
  remote: number;
}

/** What processes have open now; what they listen on is none of it. */
async function connectionsOf(processes: number[]): Promise<Connection[]> {
  const sockets = new Set<string>();
  for (const pid of processes) {
    for (const name of await namesIn(`/proc/${pid}/fd`)) {
      const to = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
      const [, inode] = /^socket:\[(\d+)\]$/.exec(to) ?? [];
      if (inode) sockets.add(inode);
    }
  }
  const table = (await Deno.readTextFile("/proc/self/net/tcp")).trim().split("\n").slice(1);
  const LISTENS = "0A";
  const portOf = (address: string) => Number.parseInt(address.split(":")[1]!, 16);
  return table.map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] !== LISTENS && sockets.has(fields[9]!))
    .map((fields) => ({ local: portOf(fields[1]!), remote: portOf(fields[2]!) }));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
