/**
 * What the prompt shows on terminals of several widths, compared as text with `screens/`: to root,
 * to a user, and to a user on a terminal that belongs to somebody else (`su`, `sudo -u`). With
 * `SEXTANT_WRITE_SCREENS=1` the files are written anew, for a person to read.
 */
import assert from "node:assert/strict";
import stringWidth from "string-width";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { temporaryFolder, useTestPostgres } from "../../tests/harness.ts";
import {
  AS_NOBODY,
  canBeNobody,
  newShellHub,
  type OpenPromptOptions,
  packagesForAll,
  runShell,
  withPrompt,
} from "../../tests/support/shell.ts";

const postgres = useTestPostgres();
const WIDTHS = [60, 80, 140, 200];

const LOOKED_AT = [
  "db.help()",
  "db.Task.help()",
  "await db.Organization.get()",
  "await db.User.get()",
  "await db.User.get(1)",
  "await db.Task.get()",
  "await db.Task.get(1)",
  "await db.Result.get()",
  "await db.Node.get(1)",
  `await db.Organization.find({country: "Belgium"})`,
];

const FILL = `
  const iknl = await new db.Organization({
    name: "Integraal Kankercentrum Nederland", domain: "iknl.nl", address1: "Zernikestraat 29",
    address2: "Eindhoven", zipcode: "5612HZ", country: "Netherlands",
  }).save();
  const other = await new db.Organization({name: "見出し"}).save();
  await new db.User({
    username: "anne-marie.van.der.berg@iknl.example", firstname: "Anne-Marie",
    lastname: "van der Berg", password: "p", roles: ["Root", "Researcher"], organization: iknl,
  }).save();
  await new db.User({username: "viewer", password: "p", roles: "Viewer", organization: other}).save();
  const c = await new db.Collaboration({
    name: "Rare cancers", encrypted: false, organizations: [iknl, other],
  }).save();
  const apiKey = "123e4567-e89b-12d3-a456-426614174001";
  await new db.Node({name: "IKNL - Rare cancers Node", organization: iknl, collaboration: c, apiKey}).save();
  const task = await new db.Task({
    name: "average age", description: "the first question of the study", collaboration: c, runId: 1,
    image: "harbor2.vantage6.ai/demo/average:1.0", database: "default", initiator: iknl,
  }).save();
  await new db.Task({
    name: "never dispatched", image: "deno:average@1.0.0", collaboration: c, runId: 2, initiator: other,
  }).save();
  await new db.Result({task, organization: iknl, status: "completed", input: "e30=".repeat(200)}).save();
  await new db.Result({task, organization: other}).save();`;

/** A hub whose times are the same in every run. */
async function newWorld() {
  const { env, urls } = await newShellHub(postgres);
  const { code, stderr } = await runShell(["--eval", FILL], { env });
  assert.equal(code, 0, stderr);
  const at = "2026-03-24 10:00:00+00";
  for (const [service, statements] of Object.entries(TIMES)) {
    const db = openDatabase(urls[service as keyof typeof urls], {
      schema: service,
      log: silentLogger,
      max: 1,
    });
    for (const statement of statements) await db.unsafe(statement.replaceAll("$at", `'${at}'`));
    await db.end();
  }
  return env;
}

const TIMES = {
  identity: [`update organization set created_at = $at`, `update "user" set created_at = $at`],
  collaboration: ["update node set created_at = $at"],
  task: [
    "update task set created_at = $at",
    "update result set assigned_at = $at, finished_at = $at where status = 'completed'",
    "update result set assigned_at = $at where status <> 'completed'",
  ],
};

async function screen(columns: number, options: OpenPromptOptions): Promise<string> {
  let shown = "";
  await withPrompt({ columns, ...options }, async (prompt) => {
    for (const typed of LOOKED_AT) {
      shown += `sextant> ${typed}\n${(await prompt.type(typed)).trimEnd()}\n`;
    }
  });
  return shown;
}

Deno.test("the prompt shows the same in every terminal of a width, whoever types and whose it is", async () => {
  const env = await newWorld();
  const folder = await temporaryFolder();
  const accounts: [whose: string, OpenPromptOptions][] = [["the tests' own", { env }]];
  if (canBeNobody()) {
    const options = { env: { ...env, DENO_DIR: await packagesForAll(folder.path) } };
    accounts.push(["a user's", { ...options, terminalThrough: AS_NOBODY }]);
    accounts.push(["another's", { ...options, through: AS_NOBODY }]);
  }
  for (const columns of WIDTHS) {
    const file = new URL(`./screens/${columns}.txt`, import.meta.url);
    for (const [whose, options] of accounts) {
      const shown = await screen(columns, options);
      if (Deno.env.get("SEXTANT_WRITE_SCREENS")) await Deno.writeTextFile(file, shown);
      assert.equal(shown, await Deno.readTextFile(file), `${columns} columns, ${whose} terminal`);
      for (const line of shown.split("\n")) {
        if (/^[┌│├└]/.test(line)) assert.ok(stringWidth(line) <= columns, line);
      }
    }
  }
  await folder.remove();
});
