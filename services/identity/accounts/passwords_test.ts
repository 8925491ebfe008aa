import assert from "node:assert/strict";
import { hash as bcryptHash } from "@node-rs/bcrypt";
import { hash as argon2Hash } from "@node-rs/argon2";
import { hashPassword, needsUpgrade, verifyPassword } from "./passwords.ts";

const PASSWORD = "Sx1-correct-horse";
const BCRYPT = await bcryptHash(PASSWORD, 12);
const ARGON2 = await hashPassword(PASSWORD);

/** With which algorithm and at which cost a hash was made: what comparing with it costs. */
const costOf = (stored: string) => /^\$(2[aby]\$\d+|argon2id\$v=\d+\$[^$]+)\$/.exec(stored)![1]!;

/** What a failing log-in compares with, in no order: the time it takes. */
async function work(stored: string | undefined, bcryptInUse: boolean): Promise<string[]> {
  const costs: string[] = [];
  const fits = await verifyPassword(stored, "Wrong-password-1", {
    bcryptInUse,
    verify(against) {
      costs.push(costOf(against));
      return Promise.resolve(false);
    },
  });
  assert.equal(fits, false);
  return costs.sort();
}

Deno.test("verifyPassword() knows the password by either kind of hash, and no other", async () => {
  for (const stored of [BCRYPT, ARGON2]) {
    assert.equal(await verifyPassword(stored, PASSWORD), true);
    assert.equal(await verifyPassword(stored, `${PASSWORD} `, { bcryptInUse: true }), false);
  }
  assert.equal(await verifyPassword(undefined, PASSWORD, { bcryptInUse: true }), false);
  assert.deepEqual([needsUpgrade(BCRYPT), needsUpgrade(ARGON2)], [true, false]);
  const weaker = ARGON2.replace(/m=\d+/, "m=4096");
  assert.equal(needsUpgrade(weaker), true, "parameters that were raised since");
  assert.equal(needsUpgrade(ARGON2.replace(/t=\d+/, "t=1")), true);
  assert.equal(needsUpgrade(ARGON2.replace(/t=\d+/, "t=3")), false);
});

Deno.test("needsUpgrade() of hashes that cost a guesser less than today's, and of no others", async () => {
  const made = (memoryCost: number, timeCost: number) =>
    argon2Hash(PASSWORD, { memoryCost, timeCost, parallelism: 1 });
  assert.equal(needsUpgrade(await made(4096, 2)), true);
  assert.equal(needsUpgrade(await made(19_456, 1)), true);
  assert.equal(needsUpgrade(await made(19_456, 2)), false);
  assert.equal(needsUpgrade(await made(32_768, 3)), false, "dearer than asked for");
  assert.equal(needsUpgrade("$argon2i$v=19$m=65536,t=9,p=1$c2FsdHNhbHQ$aGFzaA"), true);
});

Deno.test("verifyPassword() does the same work for a known user as for an unknown one", async () => {
  assert.deepEqual(await work(undefined, false), [costOf(ARGON2)]);
  assert.deepEqual(await work(ARGON2, false), [costOf(ARGON2)]);
});

Deno.test("verifyPassword() does the work of both kinds for everybody while a bcrypt hash is left", async () => {
  const both = [costOf(ARGON2), costOf(BCRYPT)].sort();
  for (const stored of [undefined, ARGON2, BCRYPT]) {
    assert.deepEqual(await work(stored, true), both);
  }
});
