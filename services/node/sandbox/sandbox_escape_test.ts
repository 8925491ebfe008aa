import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { temporaryFolder } from "../../../tests/harness.ts";
import {
  type Host,
  type Probe,
  probesOf,
  SECRET,
  VARIABLE,
} from "../../../tests/support/escape_probes.ts";
import { withSandbox } from "../../../tests/support/sandboxed.ts";

/** How Deno says no. */
const PERMISSION = /Requires \w+ access/;

async function withHost(use: (host: Host) => Promise<void>): Promise<void> {
  const { path: folder, remove } = await temporaryFolder();
  const text = (name: string, content: string) => Deno.writeTextFile(`${folder}/${name}`, content);
  await text("secret.txt", SECRET);
  await text("secret.env", `LEAK=${SECRET}\n`);
  await text("secret.json", JSON.stringify({ secret: SECRET }));
  await text("secret.ts", `export default "${SECRET}" as string;\n`);
  await text("worker.ts", `postMessage("${SECRET}" as string);\n`);
  const database = new DatabaseSync(`${folder}/secret.sqlite`);
  database.exec(`create table t(a); insert into t values ('${SECRET}')`);
  database.close();
  await Deno.chmod(folder, 0o777);

  const stop = new AbortController();
  const http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    if (request.headers.get("upgrade") === "websocket") {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onopen = () => socket.send(SECRET);
      return response;
    }
    const module = request.url.endsWith(".ts");
    return new Response(module ? `export default "${SECRET}"` : SECRET, {
      headers: { "content-type": module ? "application/typescript" : "text/plain" },
    });
  });
  const tcp = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const unix = Deno.listen({ transport: "unix", path: `${folder}/socket` });
  await Deno.chmod(`${folder}/socket`, 0o777);
  async function tellAll(listener: AsyncIterable<Deno.Conn>) {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode(SECRET));
      connection.close();
    }
  }
  const telling = [tellAll(tcp), tellAll(unix)];
  Deno.env.set(VARIABLE, SECRET);
  try {
    await use({ folder, http: http.addr.port, tcp: tcp.addr.port });
  } finally {
    Deno.env.delete(VARIABLE);
    stop.abort();
    tcp.close();
    unix.close();
    await Promise.all([...telling, http.shutdown()]);
    await remove();
  }
}

function sourceOf({ imports = "", body }: Probe): string {
  return `${imports}\nexport async function main() {\n${body}\n}\n`;
}

/** What each probe gets when nothing holds it back, or its error. */
async function runFreely(probes: Probe[]): Promise<string[]> {
  const { path: folder, remove } = await temporaryFolder();
  await Promise.all(
    probes.map((probe, i) => Deno.writeTextFile(`${folder}/${i}.ts`, sourceOf(probe))),
  );
  await Deno.writeTextFile(
    `${folder}/all.ts`,
    `const got = [];
     for (let i = 0; i < ${probes.length}; i++) {
       try {
         got.push(JSON.stringify(await (await import("./" + i + ".ts")).main()) ?? "nothing");
       } catch (error) {
         got.push(String(error));
       }
     }
     console.log("\\n" + JSON.stringify(got));
     Deno.exit();`,
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-config", "--no-lock", `${folder}/all.ts`],
    env: { DENO_DIR: `${folder}/deno` },
    stdin: "null",
  }).output();
  await remove();
  const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  assert.ok(last.startsWith("["), new TextDecoder().decode(stderr));
  return JSON.parse(last);
}

Deno.test("the escapes succeed where there is no sandbox", async (test) => {
  await withHost(async (host) => {
    const probes = probesOf(host).filter(({ onlyInside }) => !onlyInside);
    const got = await runFreely(probes);
    for (const [i, { name }] of probes.entries()) {
      await test.step(name, () => assert.ok(got[i]!.includes(SECRET), got[i]));
    }
  });
});

Deno.test("Sandbox refuses every known escape", async (test) => {
  await withHost(async (host) => {
    await withSandbox(async ({ run }) => {
      for (const probe of probesOf(host)) {
        await test.step(probe.name, async () => {
          const outcome = await run(sourceOf(probe), { limits: { timeoutSeconds: 20 } });
          assert.ok(["crashed", "start failed"].includes(outcome.status), outcome.status);
          assert.match(outcome.reason!, probe.refusal ?? PERMISSION);
          assert.ok(!JSON.stringify(outcome).includes(SECRET), outcome.reason!);
        });
      }
    });
    const names = [...Deno.readDirSync(host.folder)].map(({ name }) => name).sort();
    assert.deepEqual(names, [
      "secret.env",
      "secret.json",
      "secret.sqlite",
      "secret.ts",
      "secret.txt",
      "socket",
      "worker.ts",
    ]);
  });
});
