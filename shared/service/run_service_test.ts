import assert from "node:assert/strict";

/**
 * Runs a service whose start is this text; returns its exit code and the messages it has logged.
 */
async function run(start: string, { sayWhen }: { sayWhen?: string } = {}) {
  const module = new URL("./run_service.ts", import.meta.url).href;
  const config = new URL("./config.ts", import.meta.url).href;
  const code = `import { runService } from "${module}";
    import { ConfigError } from "${config}";
    const never = new Promise(() => setInterval(() => {}, 1e6));
    await runService("test", async (life) => { ${start} }, { deadlineMs: 500 });`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const logged: string[] = [];
  let rest = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const { message } of lines.map((line) => JSON.parse(line))) {
      logged.push(message);
      if (message === sayWhen) child.kill("SIGTERM");
    }
  }
  return { code: (await child.status).code, logged };
}

Deno.test("runService() stops in order when it is told to, and leaves with exit code 0", async () => {
  const start = `life.onStop("a", () => life.log.info("a ends"));
    life.onStop("b", () => life.log.info("b ends")); setInterval(() => {}, 1e6);`;
  const { code, logged } = await run(start, { sayWhen: "Ready" });
  assert.deepEqual(logged, ["Ready", "Stopping", "b ends", "a ends", "Stopped"]);
  assert.equal(code, 0);
});

Deno.test("runService() can be stopped while the service still waits for something", async () => {
  const start = `life.onStop("a", () => life.log.info("a ends", { told: life.signal.aborted }));
    life.log.info("Waiting"); await never;`;
  const { code, logged } = await run(start, { sayWhen: "Waiting" });
  assert.deepEqual(logged, ["Waiting", "Stopping", "a ends", "Stopped"]);
  assert.equal(code, 0);
});

Deno.test("runService() ends what has started when the rest cannot start, with exit code 1", async () => {
  const start = `life.onStop("a", () => life.log.info("a ends")); throw new Error("no");`;
  const { code, logged } = await run(start);
  assert.deepEqual(logged, ["Cannot start", "a ends", "Stopped"]);
  assert.equal(code, 1);
});

Deno.test("runService() leaves with exit code 2 when the configuration is wrong, and says how", async () => {
  const { code, logged } = await run(`throw new ConfigError(["X is missing"]);`);
  assert.match(logged[0]!, /X is missing/);
  assert.equal(code, 2);
});

Deno.test("runService() ends a service that fails once it runs, with exit code 1", async () => {
  const start = `setTimeout(() => life.fail(new Error("no")), 10); setInterval(() => {}, 1e6);`;
  const { code, logged } = await run(start);
  assert.deepEqual(logged.toSorted(), ["Cannot go on", "Ready", "Stopped"]);
  assert.equal(code, 1);
});

Deno.test("runService() leaves although a part does not end, with exit code 1", async () => {
  const { code, logged } = await run(`life.onStop("a", () => never);`, { sayWhen: "Ready" });
  assert.deepEqual(logged, ["Ready", "Stopping", "Stopping took too long; leaving anyway"]);
  assert.equal(code, 1);
});
