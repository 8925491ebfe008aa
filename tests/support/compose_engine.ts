/**
 * compose.yaml run for real: Podman with a storage of its own, docker-compose on its socket, and images under the
 * names that compose.yaml has, all made here of Debian's packages, the real nats-server and this Deno. Where something
 * for that is missing, tests are skipped and say so.
 */
import { join } from "node:path";
import { findNatsServer } from "../../services/stack/nats_server.ts";
import { portIsFree } from "../../services/stack/ports.ts";
import { findProgram, startProcess } from "../../services/stack/process.ts";
import { CACHE_FOLDER, temporaryFolder, waitFor } from "../harness.ts";

const NEEDED = ["podman", "runc", "docker-compose", "mmdebstrap", "iptables", "git"];
const HELPERS = ["/usr/lib/podman/netavark", "/usr/lib/podman/aardvark-dns"];
const INSTALL =
  "apt-get install podman runc docker-compose mmdebstrap iptables netavark aardvark-dns catatonit";
const ROOT = new URL("../..", import.meta.url).pathname;

/** Why compose.yaml cannot be run on this machine; `undefined` where it can. */
export const missing = whatIsMissing();
if (missing) console.log(`compose.yaml is not run: ${missing}`);

function whatIsMissing(): string | undefined {
  if (Deno.uid() !== 0) return "that needs root";
  const program = NEEDED.find((name) => !findProgram(name, `${Deno.env.get("PATH")}:/usr/sbin`));
  if (program) return `there is no ${program} (${INSTALL})`;
  const helper = [...HELPERS, "/usr/libexec/podman/catatonit"].find((path) => !isThere(path));
  if (helper) return `there is no ${helper} (${INSTALL})`;
  const port = [80, 443].find((port) => !portIsFree(port, "0.0.0.0"));
  if (port) return `port ${port} is taken`;
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The names in compose.yaml. */
async function imagesOf(compose: string): Promise<string[]> {
  const text = await Deno.readTextFile(compose);
  return [...new Set([...text.matchAll(/^ *image: (\S+)$/gm)].map(([, name]) => name!))];
}

/** As PostgreSQL's image does: makes the cluster on its first start, then runs what it is told. */
const ENTRYPOINT = `#!/bin/sh
set -e
data=/var/lib/postgresql/data
if [ "$1" = postgres ] && [ "$(id -u)" != 0 ]; then
  if [ ! -s $data/PG_VERSION ]; then
    initdb -D $data -U postgres -A scram-sha-256 --pwfile="$POSTGRES_PASSWORD_FILE"
    echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  fi
  exec postgres -D $data -c listen_addresses='*' -c unix_socket_directories=/tmp
fi
exec "$@"
`;
const PACKAGES = "ca-certificates,util-linux,wget,postgresql,caddy";
const LEFT_OUT = [
  "var/cache/apt",
  "var/lib/apt",
  "usr/share/doc",
  "usr/share/man",
  "usr/share/locale",
  "dev",
];

/** One image for all names, as a tar archive: made once, in a few minutes, and kept. */
async function makeImage(): Promise<string> {
  const archive = join(CACHE_FOLDER, "compose-image-1.tar");
  if (isThere(archive)) return archive;
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  const folder = await temporaryFolder();
  const root = `${folder.path}/root`;
  try {
    await run("mmdebstrap", [
      "--variant=minbase",
      `--include=${PACKAGES}`,
      "--quiet",
      "bookworm",
      root,
    ]);
    await Deno.copyFile(Deno.execPath(), `${root}/usr/local/bin/deno`);
    await Deno.chmod(`${root}/usr/local/bin/deno`, 0o755);
    await Deno.copyFile(await findNatsServer(CACHE_FOLDER), `${root}/usr/local/bin/nats-server`);
    await Deno.writeTextFile(`${root}/entrypoint`, ENTRYPOINT, { mode: 0o755 });
    // Where this machine's own authorities are needed on the way to a registry, they are trusted.
    await Deno.copyFile(
      "/etc/ssl/certs/ca-certificates.crt",
      `${root}/etc/ssl/certs/ca-certificates.crt`,
    );
    const data = "/var/lib/postgresql/data";
    await run("chroot", [
      root,
      "install",
      "-d",
      "-o",
      "postgres",
      "-g",
      "postgres",
      "-m",
      "700",
      data,
    ]);
    const exclude = LEFT_OUT.map((path) => `--exclude=./${path}`);
    await run("tar", ["-cf", `${archive}.new`, "-C", root, ...exclude, "."]);
    await Deno.rename(`${archive}.new`, archive);
    return archive;
  } finally {
    await folder.remove();
  }
}

async function run(program: string, args: string[], env = Deno.env.toObject()): Promise<string> {
  const output = await new Deno.Command(program, { args, env, clearEnv: true }).output();
  const [out, err] = [output.stdout, output.stderr].map((some) => new TextDecoder().decode(some));
  if (!output.success) throw new Error(`${program} ${args.join(" ")}: ${out}${err}`.slice(-3000));
  return out!;
}

export interface ComposeEngine {
  /** A copy of what is committed, with this compose.yaml. */
  project: string;
  /** A folder for what is mounted besides. */
  folder: string;
  /** `docker-compose …` in the project; what it prints. */
  compose(...args: string[]): Promise<string>;
  podman(...args: string[]): Promise<string>;
  /** Where the files of a volume are on this machine. */
  volume(name: string): Promise<string>;
  stop(): Promise<void>;
}

const PROJECT = "sextest";

export async function startComposeEngine(settings: Record<string, string>): Promise<ComposeEngine> {
  const image = await makeImage();
  const temporary = await temporaryFolder();
  const at = (name: string) => join(temporary.path, name);
  await Deno.writeTextFile(
    at("containers.conf"),
    `[containers]\ndefault_ulimits=["nofile=20000:20000","nproc=32768:32768"]\n` +
      `[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\n` +
      `[network]\nnetwork_backend="netavark"\nnetwork_config_dir="${at("networks")}"\n`,
  );
  await Deno.writeTextFile(
    at("storage.conf"),
    `[storage]\ndriver="overlay"\ngraphroot="${at("graph")}"\nrunroot="${at("run")}"\n`,
  );
  // What an operator would set: nothing, so that all is as compose.yaml has it.
  const ours = Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("SEXTANT_"));
  const env = {
    ...Object.fromEntries(ours),
    CONTAINERS_CONF: at("containers.conf"),
    CONTAINERS_STORAGE_CONF: at("storage.conf"),
    DOCKER_HOST: `unix://${at("podman.sock")}`,
    COMPOSE_PROJECT_NAME: PROJECT,
    COMPOSE_HTTP_TIMEOUT: "200",
    SEXTANT_SITE: at("site"),
    ...settings,
  };
  await Deno.mkdir(at("site"));
  const podman = (...args: string[]) => run("podman", args, env);
  const changes = [
    ...['ENTRYPOINT ["/entrypoint"]', 'CMD ["postgres"]', "ENV DENO_TLS_CA_STORE=system"],
    "ENV PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    ...["ENV XDG_DATA_HOME=/data", "ENV XDG_CONFIG_HOME=/config"],
  ].flatMap((change) => ["--change", change]);
  const id = (await podman("import", ...changes, image)).trim().split("\n").at(-1)!;
  const project = at("project");
  await run("git", ["clone", "--quiet", "--no-hardlinks", ROOT, project]);
  await Deno.copyFile(`${ROOT}compose.yaml`, `${project}/compose.yaml`);
  for (const name of await imagesOf(`${project}/compose.yaml`)) {
    await podman("tag", id, `docker.io/${name.includes("/") ? "" : "library/"}${name}`);
  }
  for (const name of ["packages", "node-packages"]) await fillWithPackages(podman, name);
  const service = startProcess({
    command: findProgram("podman")!,
    args: ["system", "service", "--time=0", env.DOCKER_HOST],
    env,
  });
  await waitFor(() => Deno.stat(at("podman.sock")).then(() => true), { what: "Podman to answer" });
  const stopping = new AbortController();
  const checking = checkHealth(podman, stopping.signal);
  return {
    project,
    folder: temporary.path,
    podman,
    compose: (...args) =>
      run("docker-compose", [
        "--project-directory",
        project,
        "-f",
        `${project}/compose.yaml`,
        ...args,
      ], env),
    async volume(name) {
      const format = ["--format", "{{.Mountpoint}}"];
      return (await podman("volume", "inspect", `${PROJECT}_${name}`, ...format)).trim();
    },
    async stop() {
      stopping.abort();
      await checking;
      await podman("rm", "-af");
      await podman("network", "prune", "-f");
      await service.stop();
      await new Deno.Command("umount", { args: [at("graph/overlay"), at("graph")], stderr: "null" })
        .output();
      await temporary.remove();
    },
  };
}

/** Makes a volume with the packages that this Deno has already: what is missing is still fetched. */
async function fillWithPackages(
  podman: (...args: string[]) => Promise<string>,
  name: string,
): Promise<void> {
  const volume = `${PROJECT}_${name}`;
  await podman("volume", "create", volume);
  const to = (await podman("volume", "inspect", volume, "--format", "{{.Mountpoint}}")).trim();
  const { npmCache } = JSON.parse(await run(Deno.execPath(), ["info", "--json"]));
  if (await Deno.stat(npmCache).then(() => true, () => false)) {
    await run("cp", ["-r", npmCache, `${to}/npm`]);
  }
}

/** Podman leaves health checks to timers of systemd, which are not to be had everywhere: in their place. */
async function checkHealth(
  podman: (...args: string[]) => Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const ids = (await podman("ps", "-q").catch(() => "")).split("\n").filter(Boolean);
    for (const id of ids) {
      if (!signal.aborted) await podman("healthcheck", "run", id).catch(() => {}); // has none, or is ill
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
