/**
 * compose.yaml run for real: Podman with a storage of its own, docker-compose on its socket, and
 * images under the names that compose.yaml has, all made here of Debian's packages, the real
 * nats-server and this Deno. Where something for that is missing, tests are skipped and say so.
 */
import { join } from "node:path";
import { z } from "zod";
import { createEngine, type Engine } from "../../services/node/container/engine.ts";
import { portIsFree } from "../../services/stack/ports.ts";
import { findProgram, startProcess } from "../../services/stack/process.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { temporaryFolder, waitFor } from "../harness.ts";
import { imagesFor, run } from "./compose_images.ts";

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
  const images = await imagesFor(`${ROOT}compose.yaml`);
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
    `[storage]\ndriver="overlay"\ngraphroot="${at("graph")}"\nrunroot="${at("run")}"\n` +
      `[storage.options]\nadditionalimagestores=["${images}"]\n`,
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
  const project = at("project");
  await run("git", ["clone", "--quiet", "--no-hardlinks", ROOT, project]);
  await Deno.copyFile(`${ROOT}compose.yaml`, `${project}/compose.yaml`);
  for (const name of ["packages", "node-packages"]) await fillWithPackages(podman, name);
  const service = startProcess({
    command: findProgram("podman")!,
    args: ["system", "service", "--time=0", env.DOCKER_HOST],
    env,
  });
  await waitFor(() => Deno.stat(at("podman.sock")).then(() => true), { what: "Podman to answer" });
  const stopping = new AbortController();
  const checking = checkHealth(createEngine(at("podman.sock")), stopping.signal);
  return {
    project,
    folder: temporary.path,
    podman,
    async compose(...args) {
      const all = ["--project-directory", project, "-f", `${project}/compose.yaml`, ...args];
      try {
        return await run("docker-compose", all, env);
      } catch (error) {
        // Podman 4 looks at a container that has come to its end so fast that it is gone.
        if (!/read \/proc\/\d+\/cgroup: no such process/.test(messageOf(error))) throw error;
        return await run("docker-compose", all, env);
      }
    },
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
      const mounts = (await Deno.readTextFile("/proc/self/mounts")).split("\n")
        .map((line) => line.split(" ")[1]).filter((path) => path?.startsWith(`${temporary.path}/`));
      for (const path of mounts.toReversed()) await run("umount", ["--lazy", path!]);
      await temporary.remove();
    },
  };
}

/**
 * Makes a volume with the packages that this Deno has already: what is missing is still fetched.
 */
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

/**
 * Podman leaves health checks to timers of systemd, which are not to be had everywhere: in their
 * place. Asked over the socket, for a start of Podman costs as much as many questions.
 */
async function checkHealth(engine: Engine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const running = await engine.json("GET", "/containers/json", healthList, { podman: true })
      .catch(() => []); // it may be busy
    // The healthy are left alone.
    const waiting = running.filter(({ Status }) => /starting|unhealthy/.test(Status));
    await Promise.all(
      waiting.map(({ Id }) =>
        engine.done("GET", `/containers/${Id}/healthcheck`, { podman: true }).catch(() => {}) // it is ill still
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

const healthList = z.array(z.object({ Id: z.string(), Status: z.string() }));
