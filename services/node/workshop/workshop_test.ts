import assert from "node:assert/strict";
import { join } from "node:path";
import { temporaryFolder } from "../../../tests/harness.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

async function algorithm(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

Deno.test("deno task algorithm makes, checks, tries, describes and packs an algorithm", async () => {
  const { path: folder, remove } = await temporaryFolder();
  try {
    const made = await algorithm("new", "mine", "--in", folder);
    assert.equal(made.code, 0, made.err);
    const mine = join(folder, "mine");
    const checked = await algorithm("check", mine);
    assert.equal(checked.code, 0, checked.out);
    assert.match(checked.out, /ok +tests +algorithm_test\.ts/);

    const files = ["--data", join(mine, "a.csv"), "--data", join(mine, "b.csv")];
    const column = ["--kwargs", '{"column": "age"}'];
    const tried = await algorithm("try", mine, ...files, ...column, "--pooled");
    assert.equal(tried.code, 0, tried.out + tried.err);
    assert.match(tried.out, /central at a\.csv: completed/);
    assert.match(
      tried.out,
      /b\.csv → a\.csv {2}result of partial, 20 bytes\n +\{"sum":62,"count":1\}/,
    );
    assert.match(tried.out, /all rows at one site: the same, to the last digit/);
    const json = JSON.parse(
      (await algorithm("try", mine, ...files, ...column, "--json", "--repeat", "2")).out,
    );
    assert.deepEqual(json.result, { average: 48.5, count: 4 });
    assert.equal(json.seconds.length, 2);

    // One value is too few to tell of, so that only a.csv has a part in it.
    const rules = ["--disclosure", "datashield"];
    const guarded = JSON.parse(
      (await algorithm("try", mine, ...files, ...column, ...rules, "--json")).out,
    );
    assert.deepEqual(guarded.result, { average: 44, count: 3 }, JSON.stringify(guarded.runs));
    const withRows = join(folder, "rows.ts");
    await Deno.writeTextFile(
      withRows,
      `export const central = (context: any) => context.table().numeric("age");\n`,
    );
    const refused = await algorithm("try", withRows, ...files, ...rules);
    assert.equal(refused.code, 1);
    assert.match(refused.out, /gets no rows.*profile datashield.*disclosure\.trusted/);

    const library = await algorithm(
      "try",
      "summary",
      ...files,
      "--kwargs",
      '{"columns": ["age", "sex"], "where": "age < 60"}',
    );
    assert.equal(library.code, 0, library.out + library.err);
    assert.match(library.out, /central at a\.csv: completed/);

    const page = await algorithm("describe", mine);
    assert.match(page.out, /^# mine 0\.1\.0\n/);
    assert.match(page.out, /\| `column` \| column; of number \| What is averaged \|/);
    assert.doesNotMatch(page.out, /partial/);
    assert.match(page.out, /## What leaves a site\n.*\| `sum` \| moments \| The sum \(rests on/s);

    const out = join(folder, "mine.js");
    const packed = await algorithm("pack", mine, "--out", out);
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-256", await Deno.readFile(out)),
    ).toHex();
    assert.ok(packed.out.includes(`sha256 ${digest}`), packed.out);
    const again = await algorithm("try", out, ...files, ...column);
    assert.equal(again.code, 0, again.out + again.err);
  } finally {
    await remove();
  }
});

Deno.test("deno task algorithm try shows the line that failed, as it stands in the source", async () => {
  const { path: folder, remove } = await temporaryFolder();
  try {
    await Deno.mkdir(join(folder, "broken"));
    await Deno.writeTextFile(
      join(folder, "broken/algorithm.ts"),
      `import { fail } from "./fail.ts";\nexport const central = () => fail(3);\n`,
    );
    await Deno.writeTextFile(
      join(folder, "broken/fail.ts"),
      `interface Unused { a: 1 }\n\nexport function fail(x: number): never {\n` +
        `  throw new RangeError(\`no \${x}\`);\n}\n`,
    );
    await Deno.writeTextFile(join(folder, "a.csv"), "x\n1\n");
    const { code, out } = await algorithm(
      "try",
      join(folder, "broken"),
      "--data",
      join(folder, "a.csv"),
    );
    assert.equal(code, 1);
    assert.match(out, /RangeError: no 3/);
    assert.match(out, /fail\.ts:4:9/);
    assert.match(out, /algorithm\.ts:2:30/);
    const checked = await algorithm("check", join(folder, "broken"));
    assert.match(checked.out, /ok +description +none/);
  } finally {
    await remove();
  }
});

Deno.test("deno task algorithm says what is wrong with its command line and its files", async () => {
  const { path: folder, remove } = await temporaryFolder();
  try {
    const file = join(folder, "x.ts");
    await Deno.writeTextFile(
      file,
      'export const description = { name: 1 };\nexport const a: number = "x";',
    );
    const cases: [string[], number, RegExp][] = [
      [["tyr"], 2, /no command "tyr"\. Did you mean "try"/],
      [["try"], 2, /Name the algorithm/],
      [["try", file], 2, /--data FILE/],
      [["try", file, "--data", file], 2, /must end in one of \.csv/],
      [["try", file, "--data", "a.csv", "--kwargs", "{"], 2, /--kwargs is not JSON/],
      [["try", file, "--data", "a.csv", "--kwargs", "[]"], 2, /--kwargs: .*must be an object/s],
      [
        ["try", file, "--data", join(folder, "none.csv")],
        1,
        /cannot be used\. Its file is not there/,
      ],
      [["try", join(folder, "none")], 2, /--data FILE/],
      [["pack", join(folder, "none")], 1, /There is no file or folder/],
      [["pack", "sumary"], 1, /no file or folder .*sumary\. The library has: .*, summary/],
      [["describe", file], 1, /description is wrong/],
      [["describe", file, "--as", "store"], 2, /needs --image and --code-url/],
      [["new", "My"], 2, /only small letters/],
      [["check", file], 1, /^FAIL +types/m],
      [["prove", "sumary"], 2, /The library has no "sumary"; it has: .*, summary/],
    ];
    for (const [args, code, message] of cases) {
      const found = await algorithm(...args);
      assert.equal(found.code, code, `${args}: ${found.out}${found.err}`);
      assert.match(found.out + found.err, message);
    }
  } finally {
    await remove();
  }
});

Deno.test("deno task algorithm prove prints a line for each analysis and split, and what is within its bounds", async () => {
  const { code, out } = await algorithm("prove", "histogram");
  assert.equal(code, 0, out);
  const lines = out.trim().split("\n");
  assert.match(lines[0]!, /^algorithm +data +split +numbers +difference +bound +reference$/);
  assert.match(lines[1]!, /^histogram +penguins +one site +27 +0 +1e-9 +numpy histogram$/);
  assert.match(lines.at(-1)!, /^(\d+) of \1 numbers are within their bounds$/);
});
