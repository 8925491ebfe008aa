import assert from "node:assert/strict";
import { join } from "node:path";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { AUDIT_FILE, openAuditLog } from "../record/audit_log.ts";
import {
  ACCEPTED_NAMES_FILE,
  acceptName,
  holdersOfNames,
  KNOWN_NAMES_FILE,
  type KnownNames,
  openKnownNames,
} from "./known_names.ts";

const policy = { allowedUsers: [7, "alice", "__proto__"], allowedOrganizations: ["Alpha"] };

async function inFolder(
  work: (folder: string, open: () => Promise<KnownNames>) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const audit = await openAuditLog(join(folder.path, AUDIT_FILE));
  try {
    const options = { folder: folder.path, policy, audit, log: silentLogger };
    await work(folder.path, () => openKnownNames(options));
  } finally {
    await audit.close();
    await folder.remove();
  }
}

Deno.test("whose a listed name is stays so over a restart, for users and organizations apart", () =>
  inFolder(async (folder, open) => {
    const first = await open();
    for (const name of ["alice", "__proto__"]) {
      assert.deepEqual(await first.look("user", { id: 12, name }), { id: 12, name });
    }
    await first.look("organization", { id: 3, name: "Alpha" });
    const later = await open();
    for (const name of ["alice", "__proto__"]) {
      assert.deepEqual(await later.look("user", { id: 15, name }), { id: 15, name, nameIsOf: 12 });
    }
    assert.deepEqual(await holdersOfNames(folder, policy), [
      { kind: "user", name: "alice", id: 12 },
      { kind: "user", name: "__proto__", id: 12 },
      { kind: "organization", name: "Alpha", id: 3 },
    ]);
  }));

Deno.test("of two who come at once under a new name one has it", () =>
  inFolder(async (_, open) => {
    const names = await open();
    const both = await Promise.all(
      [12, 15].map((id) => names.look("user", { id, name: "alice" })),
    );
    assert.deepEqual(both.map(({ nameIsOf }) => nameIsOf), [undefined, 12]);
  }));

Deno.test("a name that nobody has come under is the one's whom the owner has accepted", () =>
  inFolder(async (folder, open) => {
    const names = await open();
    const accept = { kind: "user", name: "alice", id: 12 } as const;
    assert.deepEqual(await acceptName(folder, accept), { before: undefined });
    assert.equal((await names.look("user", { id: 15, name: "alice" })).nameIsOf, 12);
    assert.equal((await names.look("user", { id: 12, name: "alice" })).nameIsOf, undefined);
  }));

Deno.test("names that nobody lists, and ids, are not noted", () =>
  inFolder(async (folder, open) => {
    const names = await open();
    for (const caller of [{ id: 7, name: "alice" }, { id: 8, name: "bob" }, { id: 12 }]) {
      assert.deepEqual(await names.look("user", caller), caller);
    }
    await names.look("organization", { id: 12, name: "alice" });
    await assert.rejects(Deno.stat(join(folder, KNOWN_NAMES_FILE)), Deno.errors.NotFound);
  }));

Deno.test("names that were seen and cannot be read are said, rather than be forgotten", () =>
  inFolder(async (folder, open) => {
    const names = await open();
    await Deno.writeTextFile(join(folder, ACCEPTED_NAMES_FILE), "{");
    await assert.rejects(
      names.look("user", { id: 12, name: "alice" }),
      /Cannot read .*accepted_names\.json/,
    );
    await Deno.writeTextFile(join(folder, KNOWN_NAMES_FILE), `{"user": [["alice", "12"]]}`);
    await assert.rejects(open(), /Cannot read .*known_names\.json/);
  }));
