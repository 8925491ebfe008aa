import assert from "node:assert/strict";
import { ROOT } from "./service_part.ts";

interface Module {
  specifier: string;
  dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[];
}

/** The modules that a program loads at its start. */
async function loadedBy(main: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", `${ROOT}${main}`],
    cwd: ROOT,
  }).output();
  const { modules }: { modules: Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  const loaded = [`file://${ROOT}${main}`];
  for (const one of loaded) {
    const found = modules.find(({ specifier }) => specifier === one);
    for (const { code, isDynamic } of found?.dependencies ?? []) {
      if (code && !isDynamic && !loaded.includes(code.specifier)) loaded.push(code.specifier);
    }
  }
  return loaded;
}

Deno.test("the launcher, which runs as long as its hub, loads no package and nothing that only the set-up needs", async () => {
  const loaded = await loadedBy("services/stack/main.ts");
  assert.ok(loaded.includes(`file://${ROOT}services/stack/supervisor.ts`));
  assert.deepEqual(loaded.filter((one) => one.startsWith("npm:")), []);
  const needless =
    /\/(setup|database|demo|cluster\/servers|storage\/\w+|broker\/(?!subjects)\w+)\.ts$/;
  assert.deepEqual(loaded.filter((one) => needless.test(one)), []);
  assert.ok(loaded.length < 60, `${loaded.length} modules`);
});
