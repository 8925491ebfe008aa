import assert from "node:assert/strict";
import { DESCRIPTIONS } from "../models/all.ts";
import { complete, type CompleteOptions } from "./complete.ts";

const models = Object.fromEntries(
  DESCRIPTIONS.map((description) => [description.name, { description }]),
) as unknown as CompleteOptions["shell"]["models"];

async function candidates(line: string): Promise<string[]> {
  const evaluator = {
    declared: () => Promise.resolve(["iknl"]),
    peek: (expression: string) =>
      Promise.resolve(expression === "db" ? { ...models, help() {} } : undefined),
  };
  const [found, replaced] = await complete(line, { evaluator, shell: { models }, globals: ["db"] });
  assert.ok(line.endsWith(replaced), `${line} does not end in ${replaced}`);
  return found;
}

Deno.test("complete() knows names without regard to case", async () => {
  assert.deepEqual(await candidates("db.org"), ["db.Organization"]);
  assert.deepEqual(await candidates("IK"), ["iknl"]);
});

Deno.test("complete() knows the fields inside of a new record's braces", async () => {
  assert.deepEqual(await candidates("new db.User({user"), ["username: "]);
  assert.deepEqual(await candidates(`u = db.User({username: "a", ORG`), ["organization: "]);
  assert.deepEqual(await candidates("db.Task.find({coll"), ["collaboration: "]);
  assert.deepEqual(
    await candidates("new db.User({last"),
    ["lastname: "],
    "not lastSeen, by the hub",
  );
  assert.deepEqual(await candidates("new db.User({username: d"), ["db"]);
});

Deno.test("complete() knows what an awaited question gives", async () => {
  assert.deepEqual(await candidates("(await db.Organization.get(1)).publ"), ["publicKey"]);
  assert.deepEqual(await candidates(`(await db.Organization.getByName("a")).created`), [
    "createdAt",
    "createdTasks",
  ]);
  assert.deepEqual(await candidates("(await db.Task.get()).filt"), ["filter"]);
  assert.deepEqual(await candidates("(await (await db.Organization.get(1)).users).len"), [
    "length",
  ]);
  assert.deepEqual(await candidates("(await (await db.Node.get(1)).organization).dom"), ["domain"]);
  assert.deepEqual(await candidates("(await fetch(1)).x"), []);
});
