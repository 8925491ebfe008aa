/**
 * An image built as v6's are: a Debian with Python, the published `vantage6-algorithm-tools`, and a package with a
 * central and a partial function. It is not made by Docker, which is not needed for that, and not changed for Sextant.
 */
import { join } from "node:path";
import { CACHE_FOLDER } from "../harness.ts";
import { containerTest, type TestEngine } from "./container_engine.ts";

export const PYTHON_IMAGE = "localhost/sextant-test-python";

const TOOLS = "vantage6-algorithm-tools==4.14.0";
/** The Python of this Debian is the one for which pip must fetch. */
const DEBIAN = { suite: "bookworm", python: "3.11" };

const ALGORITHM = `
from vantage6.algorithm.client import AlgorithmClient
from vantage6.algorithm.tools.decorators import algorithm_client, data
from vantage6.algorithm.tools.util import info


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
`;

const missing = await whatIsMissing();
if (missing) console.log(`Tests of a published Python image are skipped: ${missing}`);

/** Options of a `Deno.test` that needs the image. */
export function pythonTest(name: string): { name: string; ignore: boolean } {
  const { ignore } = containerTest(name);
  return { name, ignore: ignore || missing !== undefined };
}

async function whatIsMissing(): Promise<string | undefined> {
  const tried = await run("sh", ["-c", "command -v debootstrap && pip --version"]);
  if (!tried.success) return "there is no debootstrap or no pip here";
  if (!tried.output.includes(`python ${DEBIAN.python}`)) {
    return `pip is not of Python ${DEBIAN.python}`;
  }
  const found = await run("pip", ["download", "-q", "--no-deps", "-d", "/tmp/sextant-pip", TOOLS]);
  if (!found.success) return "PyPI cannot be reached";
}

/** Makes the image; what is downloaded for it is kept between runs. */
export async function importPythonImage(engine: TestEngine): Promise<void> {
  const root = join(CACHE_FOLDER, `python-${DEBIAN.suite}`);
  if (!await Deno.stat(join(root, "done")).catch(() => undefined)) {
    await Deno.remove(root, { recursive: true }).catch(() => {});
    await Deno.mkdir(CACHE_FOLDER, { recursive: true });
    await mustRun("debootstrap", ["--variant=minbase", "--include=python3", DEBIAN.suite, root]);
    for (const part of ["proc", "sys"]) await run("umount", [join(root, part)]);
    for (const part of ["var/cache/apt", "var/lib/apt", "usr/share/doc", "usr/share/locale"]) {
      await Deno.remove(join(root, part), { recursive: true }).catch(() => {});
    }
    await mustRun("pip", [
      "install",
      "-q",
      "--no-compile",
      "--target",
      join(root, "app/site"),
      TOOLS,
    ]);
    await Deno.writeTextFile(join(root, "done"), "");
  }
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

async function mustRun(command: string, args: string[]): Promise<void> {
  const { success, output } = await run(command, args);
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${output.slice(-2000)}`);
}

async function run(command: string, args: string[]): Promise<{ success: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}
