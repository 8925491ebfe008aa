/**
 * What stands between an algorithm and the machine, besides Deno's permissions: as much as this
 * machine offers.
 * @module
 */
import { join } from "node:path";
import type { RunLimits } from "../run/runtime.ts";

/** One protection, for people. */
export interface Wall {
  name: string;
  stands: boolean;
  /** What it does; if it does not stand, why not and what to do. */
  note: string;
}

/** What this machine offers. */
export interface Walls {
  /**
   * Each run is another user than the agent: `setpriv` or Deno itself makes it so, or there is no
   * such wall.
   */
  ownUser: "setpriv" | "deno" | undefined;
  setpriv: string | undefined;
  prlimit: string | undefined;
  /** Starts a program in a session of its own, so that it can be killed with all that it starts. */
  setsid: string | undefined;
  /** The command that starts another one in a network namespace of its own. */
  noNetwork: string[] | undefined;
}

/** A program and its arguments, to be run as user and group `uid` if that is given. */
export interface WalledCommand {
  command: string;
  args: string[];
  /**
   * Whether its process has yet to be set apart. Deno would copy the agent's process for that,
   * which takes it ten times as long as to start another program.
   */
  detached: boolean;
  uid?: number;
  gid?: number;
}

// The range that systemd sets apart for users who exist only while something runs.
const FIRST_UID = 61184;
const LAST_UID = 65519;
/** V8 takes about this much before an algorithm has done anything. */
const BASE_MIB = 640;
/** Deno itself needs a dozen; the rest are for workers. */
const MAX_THREADS = 1024;

/** Finds out, by trying, what this machine offers. */
export async function findWalls(): Promise<Walls> {
  const [setpriv, prlimit, setsid, unshare, nothing] = await Promise.all(
    ["setpriv", "prlimit", "setsid", "unshare", "true"].map(findProgram),
  );
  const root = Deno.uid() === 0;
  const works = async (command: string | undefined, ...args: string[]) =>
    command !== undefined && nothing !== undefined && await succeeds(command, [...args, nothing]);

  const setprivWorks = await works(setpriv, "--no-new-privs", "--pdeathsig=KILL");
  let ownUser: Walls["ownUser"];
  if (root && setprivWorks && await works(setpriv, ...userArguments(FIRST_UID))) {
    ownUser = "setpriv";
  } else if (root && nothing && await succeeds(nothing, [], { uid: FIRST_UID, gid: FIRST_UID })) {
    ownUser = "deno";
  }

  let noNetwork: string[] | undefined;
  if (ownUser === "setpriv" && await works(unshare, "--net", "--")) {
    noNetwork = [unshare!, "--net", "--"];
  } else if (ownUser !== "setpriv") {
    const args = ["--user", "--map-current-user", "--net", "--"];
    const user = ownUser ? { uid: FIRST_UID, gid: FIRST_UID } : {};
    if (unshare && nothing && await succeeds(unshare, [...args, nothing], user)) {
      noNetwork = [unshare, ...args];
    }
  }
  return {
    ownUser,
    setpriv: setprivWorks ? setpriv : undefined,
    prlimit: await works(prlimit, "--core=0") ? prlimit : undefined,
    setsid: await works(setsid) ? setsid : undefined,
    noNetwork,
  };
}

/** Which walls stand on this machine, and why the others do not. */
export async function describeWalls(walls?: Walls): Promise<Wall[]> {
  const { ownUser, setpriv, prlimit, noNetwork } = walls ?? await findWalls();
  function wall(name: string, stands: boolean, does: string, missing: string): Wall {
    return { name, stands, note: stands ? does : missing };
  }
  const utilLinux = "install util-linux";
  return [
    wall(
      "permissions",
      true,
      "Deno lets an algorithm read its own file and its databases, and nothing else",
      "",
    ),
    wall(
      "user",
      ownUser !== undefined,
      "each run is a user of its own, who can read only its folder",
      Deno.uid() === 0
        ? "this machine does not let root become another user, so a run has the agent's rights on files"
        : "the agent is not root, so a run has the agent's rights on files; start the agent as root for this wall",
    ),
    wall(
      "network",
      noNetwork !== undefined,
      "each run has a network of its own, with nothing in it",
      `no network namespace can be made here: ${utilLinux}, and allow user namespaces or start the agent as root`,
    ),
    wall(
      "privileges",
      setpriv !== undefined,
      "a run cannot gain privileges, and is killed when the agent dies",
      `setpriv does not work here: ${utilLinux}`,
    ),
    wall(
      "limits",
      prlimit !== undefined,
      "the kernel limits a run's memory and processor time, and lets it write no file",
      `prlimit does not work here, so only the JavaScript heap is limited: ${utilLinux}`,
    ),
  ];
}

/**
 * Puts `command` behind the walls, in one chain of `exec`s: none of them leaves a process behind.
 */
export function behindWalls(
  { ownUser, setpriv, prlimit, setsid, noNetwork }: Walls,
  command: string[],
  { uid, limits }: { uid: number | undefined; limits: RunLimits },
): WalledCommand {
  const chain: string[] = [...setsid ? [setsid] : [], ...noNetwork ?? []];
  if (prlimit) {
    const seconds = Math.ceil(limits.timeoutSeconds * navigator.hardwareConcurrency);
    chain.push(
      prlimit,
      `--data=${limits.memoryMiB * 2 ** 20}`,
      `--cpu=${seconds}:${seconds + 5}`,
      "--fsize=0",
      "--core=0",
      // The kernel counts a user's processes together, so this says something only of a run with
      // its own.
      ...(uid === undefined ? [] : [`--nproc=${MAX_THREADS}`]),
    );
  }
  if (setpriv) {
    const user = ownUser === "setpriv" && uid !== undefined ? userArguments(uid) : [];
    chain.push(setpriv, ...user, "--no-new-privs", "--pdeathsig=KILL");
  }
  chain.push(...command);
  return {
    command: chain[0]!,
    args: chain.slice(1),
    detached: !setsid,
    ...(ownUser === "deno" && uid !== undefined ? { uid, gid: uid } : {}),
  };
}

/**
 * Flags that keep V8 within the memory of a run, so that it ends with a message rather than a
 * fault.
 */
export function heapFlag(limits: RunLimits): string {
  return `--v8-flags=--max-old-space-size=${heapMiB(limits)}`;
}

/** What of a run's memory V8 gives to objects and texts; arrays of numbers lie outside. */
export function heapMiB({ memoryMiB }: Pick<RunLimits, "memoryMiB">): number {
  return Math.max(384, memoryMiB - BASE_MIB);
}

/** Users for runs. */
export interface Users {
  /** A user that no other run of this agent is until it is given back. */
  take(): number;
  giveBack(uid: number): void;
}

export function createUsers(random: () => number = Math.random): Users {
  const taken = new Set<number>();
  // Another agent on the machine is not asked, but will hardly begin at the same place.
  let next = FIRST_UID + Math.floor(random() * (LAST_UID - FIRST_UID + 1));
  return {
    take() {
      do next = next === LAST_UID ? FIRST_UID : next + 1; while (taken.has(next));
      taken.add(next);
      return next;
    },
    giveBack(uid) {
      taken.delete(uid);
    },
  };
}

function userArguments(uid: number): string[] {
  return [`--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "--bounding-set=-all"];
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    const path = join(folder, name);
    if (await Deno.stat(path).then((info) => info.isFile, () => false)) return path;
  }
}

async function succeeds(
  command: string,
  args: string[],
  user: { uid?: number; gid?: number } = {},
): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, {
      args,
      ...user,
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
