import assert from "node:assert/strict";
import * as argon2 from "@node-rs/argon2";
import * as bcrypt from "@node-rs/bcrypt";
import { join } from "node:path";
import { CACHE_FOLDER, temporaryFolder } from "../../../tests/support/folders.ts";
import { type Program, PROGRAM_SETTINGS, PROGRAMS } from "../programs.ts";
import { ROOT } from "../service_part.ts";
import { keepPrograms } from "./kept.ts";

/** Kept between runs, as they are between starts. */
const PARENT = join(CACHE_FOLDER, "programs");
const PASSWORD = "Sx1-correct-horse";
const decoder = new TextDecoder();

interface Graph {
  modules: { specifier: string; dependencies?: Dependency[] }[];
}
interface Dependency {
  code?: { specifier: string };
  isDynamic?: boolean;
}

/** The modules that a program loads at its start. */
async function loadedBy(folder: string, service: Program): Promise<string[]> {
  const main = join(folder, `${service}.js`);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...PROGRAM_SETTINGS.filter((one) => /config|lock/.test(one)), main],
  }).output();
  const graph: Graph = JSON.parse(decoder.decode(stdout));
  const loaded = [`file://${main}`];
  for (const one of loaded) {
    const found = graph.modules.find(({ specifier }) => specifier === one);
    for (const { code, isDynamic } of found?.dependencies ?? []) {
      if (code && !isDynamic && !loaded.includes(code.specifier)) loaded.push(code.specifier);
    }
  }
  return loaded;
}

Deno.test("keepPrograms() puts the services together once for the same sources", async () => {
  const folder = await keepPrograms(PARENT);
  const made = (await Deno.stat(join(folder, "task.js"))).mtime;
  assert.equal(await keepPrograms(PARENT), folder);
  assert.deepEqual((await Deno.stat(join(folder, "task.js"))).mtime, made);
});

Deno.test("keepPrograms() tells the folder's own name, by which Deno knows what it has read", async () => {
  const linked = await temporaryFolder();
  try {
    await Deno.symlink(PARENT, join(linked.path, "programs"));
    assert.equal(await keepPrograms(join(linked.path, "programs")), await keepPrograms(PARENT));
  } finally {
    await linked.remove();
  }
});

Deno.test("keepPrograms() removes the programs that were not used for longest, and no others", async () => {
  const parent = await temporaryFolder();
  try {
    const current = await keepPrograms(PARENT);
    await Deno.symlink(current, join(parent.path, current.split("/").at(-1)!));
    for (let age = 1; age <= 6; age++) {
      await Deno.mkdir(join(parent.path, `old-${age}`));
      const at = new Date(Date.now() - age * 60_000);
      await Deno.utime(join(parent.path, `old-${age}`), at, at);
    }
    await keepPrograms(parent.path);
    const left = [...Deno.readDirSync(parent.path)].map(({ name }) => name).sort();
    assert.deepEqual(left, [current.split("/").at(-1)!, "old-1", "old-2", "old-3"].sort());
  } finally {
    await parent.remove();
  }
});

Deno.test("a program loads a few files of its folder at its start, and no package", async () => {
  const folder = await keepPrograms(PARENT);
  for (const service of PROGRAMS) {
    const loaded = (await loadedBy(folder, service)).filter((one) => !one.startsWith("node:"));
    const files = loaded.filter((one) => one.startsWith(`file://${folder}/`));
    assert.equal(files.length, loaded.length, loaded.join("\n"));
    assert.ok(files.length > 1 && files.length <= 25, `${service}: ${files.length}`);
    const texts = await Promise.all(files.map((one) => Deno.readTextFile(new URL(one))));
    const names = texts.join("\n");
    // What is loaded late, and the texts of errors in other languages.
    for (const late of ["nodemailer", "BatchSpanProcessor", "SwaggerUIBundle", "Ungültige"]) {
      assert.ok(
        !names.includes(`${late}"`) && !names.includes(`class ${late}`),
        `${service} ${late}`,
      );
    }
  }
});

Deno.test("native code lies beside the programs, and compares passwords as the packages do", async () => {
  const folder = await keepPrograms(PARENT);
  for (const [name, own] of Object.entries({ argon2, bcrypt })) {
    const file = new RegExp(`"\\./${name}\\.[\\w.-]+\\.node"`);
    const parts = [...Deno.readDirSync(folder)].map((entry) => join(folder, entry.name))
      .filter((path) => path.endsWith(".js") && file.test(Deno.readTextFileSync(path)));
    assert.equal(parts.length, 1, name);
    const beside = await import(parts[0]!);
    const fits = (of: typeof beside, hash: string, password: string): Promise<boolean> =>
      name === "argon2" ? of.verify(hash, password) : of.verify(password, hash);
    const [stored, other] = [await own.hash(PASSWORD), await beside.hash(PASSWORD)];
    assert.deepEqual(
      await Promise.all([
        fits(beside, stored, PASSWORD),
        fits(own, other, PASSWORD),
        fits(beside, stored, `${PASSWORD}2`),
      ]),
      [true, true, false],
      name,
    );
  }
});

Deno.test("what a program gives away as a text is that text", async () => {
  const { default: script } = await import("swagger-ui-dist/swagger-ui-bundle.js", {
    with: { type: "text" },
  });
  const folder = await keepPrograms(PARENT);
  const gateway = await Deno.readTextFile(join(folder, "gateway.js"));
  const parts = [...gateway.matchAll(/import\("(\.\/part-\w+\.js)"\)/g)].map(([, part]) => part!);
  const modules = await Promise.all(parts.map((part) => import(join(folder, part))));
  assert.ok(modules.some((one) => one.default === script), parts.join(" "));
});

Deno.test("a program names our own files and lines in the traces of its errors", async () => {
  const folder = await keepPrograms(PARENT);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-env", "--allow-ffi", "--allow-sys"]
      .concat("--allow-read=/nowhere", ...PROGRAM_SETTINGS, join(folder, "identity.js")),
    env: {
      SEXTANT_NATS_URL: "ws://127.0.0.1:1",
      SEXTANT_NODE_NATS_URL: "ws://127.0.0.1:1",
      SEXTANT_DATABASE_URL: "postgres://nobody:secret@127.0.0.1:1/none",
      SEXTANT_BROKER_TRUST: "/nowhere/trust.json",
      SEXTANT_SECRETS_KEY: "key",
      SEXTANT_DISPATCH_PUBLIC_KEYS: "key",
    },
  }).output();
  assert.equal(code, 1);
  const said = decoder.decode(stderr);
  const line = /services\/identity\/main\.ts:(\d+):\d+/.exec(said)?.[1];
  assert.ok(line, said);
  const source = await Deno.readTextFile(join(ROOT, "services/identity/main.ts"));
  assert.match(
    source.split("\n")[Number(line) - 1]!,
    /readTextFile\(config\.SEXTANT_BROKER_TRUST\)/,
  );
});
