/**
 * An image built as v6's are: a Debian with Python, the published `vantage6-algorithm-tools`, and a
 * package with a central and a partial function. It is not made by Docker, which is not needed for
 * that, and not changed for Sextant.
 */
import { join } from "node:path";
import { containerTest, type TestEngine } from "./container_engine.ts";

export const PYTHON_IMAGE = "localhost/sextant-test-python";

const TOOLS = "vantage6-algorithm-tools==4.14.0";
/** What Debian's Python needs to run, and numpy. */
const PACKAGES = "apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts " +
  "--no-breaks --no-replaces --no-enhances python3 libstdc++6 | grep '^\\w' | sort -u";

const ALGORITHM = `
import os

from vantage6.algorithm.client import AlgorithmClient
from vantage6.algorithm.tools.decorators import algorithm_client, data
from vantage6.algorithm.tools.util import get_env_var, info
from vantage6.algorithm.tools.wrappers import load_data


@algorithm_client
def central(client: AlgorithmClient, column):
    organizations = [one["id"] for one in client.organization.list()]
    task = client.task.create(
        input_={"method": "partial", "kwargs": {"column": column}},
        organizations=organizations,
        name="partial",
        description="sums",
    )
    results = client.wait_for_results(task_id=task["id"])
    return {
        "average": sum(one["sum"] for one in results) / sum(one["count"] for one in results),
        "parts": len(results),
    }


@algorithm_client
def central_large(client: AlgorithmClient, length):
    organizations = [one["id"] for one in client.organization.list()]
    task = client.task.create(
        input_={"method": "partial_large", "kwargs": {"text": "ä" * length}},
        organizations=organizations,
    )
    results = client.wait_for_results(task_id=task["id"])
    return [one == {"text": "ä" * length} for one in results]


def partial_large(text):
    return {"text": text}


@data(1)
def partial(df, column):
    info("computing a sum")
    return {"sum": float(df[column].sum()), "count": int(df[column].count())}


def tables():
    """What the tools make of each database: its columns, or what they say against it."""
    return {label: table(label) for label in os.environ["USER_REQUESTED_DATABASE_LABELS"].split(",")}


def table(label):
    try:
        df = load_data(get_env_var(f"{label.upper()}_DATABASE_URI"), "csv")
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"columns": [[str(name), str(df[name].dtype), *map(plain, df[name])] for name in df]}


def plain(value):
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value != value:
        return None
    return value if isinstance(value, (bool, int, float)) and abs(value) != float("inf") else str(value)
`;

const missing = await whatIsMissing();
if (missing) console.log(`Tests of a published Python image are skipped: ${missing}`);

/** Options of a `Deno.test` that needs the image. */
export function pythonTest(name: string): { name: string; ignore: boolean } {
  const { ignore } = containerTest(name);
  return { name, ignore: ignore || missing !== undefined };
}

async function whatIsMissing(): Promise<string | undefined> {
  const debian = await run("sh", ["-c", "apt-cache show --no-all-versions python3"]);
  const version = /^Version: (\d+\.\d+)/m.exec(debian.output)?.[1];
  if (!version) return "apt knows of no Python here (apt-get update)";
  const pip = await run("sh", ["-c", "pip --version"]);
  if (!pip.output.includes(`python ${version}`)) {
    return `there is no pip of Python ${version}, which is Debian's`;
  }
  const found = await run("pip", ["download", "-q", "--no-deps", "-d", "/tmp/sextant-pip", TOOLS]);
  if (!found.success) return "PyPI cannot be reached";
}

/** Makes the image; the folder it is made of is kept in the account's cache between runs. */
export async function importPythonImage(engine: TestEngine): Promise<void> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/root", ".cache");
  const cache = join(home, "sextant-tests");
  await Deno.mkdir(cache, { recursive: true });
  using turn = await Deno.open(join(cache, "lock"), { create: true, write: true });
  await turn.lock(true);
  const root = join(cache, TOOLS);
  if (!await Deno.stat(root).catch(() => undefined)) await makeRoot(root);
  await Deno.mkdir(join(root, "app/federated_average"), { recursive: true });
  await Deno.writeTextFile(join(root, "app/federated_average/__init__.py"), ALGORITHM);
  const command = "from vantage6.algorithm.tools.wrap import wrap_algorithm; wrap_algorithm()";
  await engine.importImage(PYTHON_IMAGE, root, [
    "ENV PKG_NAME=federated_average",
    "ENV PYTHONPATH=/app/site:/app",
    "ENV PATH=/usr/local/bin:/usr/bin:/bin",
    `CMD ["/usr/bin/python3","-c",${JSON.stringify(command)}]`,
  ]);
}

/**
 * Python runs from Debian's packages as they are unpacked. A whole Debian, with its packages
 * configured, takes minutes.
 */
async function makeRoot(root: string): Promise<void> {
  const making = `${root}.part`;
  await Deno.remove(making, { recursive: true }).catch(() => {});
  await Deno.mkdir(join(making, "packages"), { recursive: true });
  const script = `set -e; cd packages; apt-get download -qq $(${PACKAGES}); cd ..
for package in packages/*.deb; do dpkg-deb -x "$package" .; done
rm -r packages usr/share/doc usr/share/perl usr/lib/*/perl`;
  await mustRun("sh", ["-c", script], making);
  await mustRun("pip", ["install", "-q", "--no-compile", "--target", "app/site", TOOLS], making);
  // As pip and Debian do; else every container compiles pandas anew.
  const compile = ["/usr/bin/python3", "-m", "compileall", "-q", "/usr/lib", "/app/site"];
  await mustRun("chroot", [".", ...compile], making);
  await Deno.rename(making, root);
}

async function mustRun(command: string, args: string[], cwd: string): Promise<void> {
  const { success, output } = await run(command, args, cwd);
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${output.slice(-2000)}`);
}

async function run(
  command: string,
  args: string[],
  cwd?: string,
): Promise<{ success: boolean; output: string }> {
  const options = { args, ...(cwd ? { cwd } : {}) };
  const { success, stdout, stderr } = await new Deno.Command(command, options).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}
