import assert from "node:assert/strict";
import { join } from "node:path";
import { newUserKey } from "../../shared/broker/signing.ts";
import { temporaryFolder } from "../../tests/harness.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

/** A folder with a configuration in it, and the commands as they are typed in that folder. */
async function withNode(
  work: (
    folder: string,
    type: (...args: string[]) => Promise<{ code: number; text: string }>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await Deno.writeTextFile(
      join(folder.path, "node.yaml"),
      "api_key: k\nserver_url: http://127.0.0.1:1\n",
    );
    await work(folder.path, async (...args) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", MAIN, ...args],
        env: { INIT_CWD: folder.path },
      }).output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      return { code, text: text.trimEnd() };
    });
  } finally {
    await folder.remove();
  }
}

Deno.test("audit verify says when there is nothing to verify", async () => {
  await withNode(async (folder, type) => {
    const verify = ["audit", "verify", "--config", "node.yaml"];
    const absent = await type(...verify);
    assert.equal(absent.code, 1);
    assert.match(absent.text, /node-data\/audit\.log: there is no such file\. An agent that has/);

    await Deno.mkdir(join(folder, "node-data"));
    await Deno.writeTextFile(join(folder, "node-data/audit.log"), "");
    const empty = await type(...verify);
    assert.equal(empty.code, 1);
    assert.match(empty.text, /audit\.log: is empty\./);

    const mistyped = await type(...verify, "--expect", "abc");
    assert.equal(mistyped.code, 2);
    assert.match(mistyped.text, /^--expect must be a digest as audit verify prints it/);
  });
});

Deno.test("check --explain names the file that cannot be read, and what is wrong in it", async () => {
  await withNode(async (folder, type) => {
    const explain = ["check", "--config", "node.yaml", "--explain", "task.json"];
    const absent = await type(...explain);
    assert.equal(absent.code, 1);
    assert.match(absent.text, /^The task cannot be read from \S+\/task\.json: No such file/);
    await Deno.writeTextFile(join(folder, "task.json"), "{");
    assert.match((await type(...explain)).text, /^The task cannot be read from \S+\/task\.json: /);
    await Deno.writeTextFile(join(folder, "task.json"), `{"imag": "x"}`);
    const { text } = await type(...explain);
    assert.match(text, /^The task is not as --help shows it:\n.*Unrecognized key: "imag"/);
  });
});

Deno.test("accept-key writes down which key of an organization is used from now on, unless one is pinned", async () => {
  await withNode(async (folder, type) => {
    const data = join(folder, "node-data");
    await Deno.mkdir(data);
    const [before, key] = ["ab", "cd"].map((one) => `sha256:${one.repeat(32)}`) as [string, string];
    await Deno.writeTextFile(join(data, "known_keys.json"), JSON.stringify({ 4: before }));
    const accept = ["accept-key", "--config", "node.yaml"];
    const accepted = await type(...accept, "--organization", "4", "--key", key.toUpperCase());
    assert.equal(accepted.code, 0, accepted.text);
    assert.match(accepted.text, new RegExp(`${key} of organization 4 is used; it was ${before}`));
    const file = join(data, "accepted_keys.json");
    assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), { 4: key });
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);

    const wrong: [string[], RegExp][] = [
      [[], /^--organization ID and --key FINGERPRINT are missing/],
      [["--organization", "4", "--key", "cd"], /^--key must be a fingerprint/],
      [["--organization", "0", "--key", key], /organization/],
    ];
    for (const [args, why] of wrong) {
      const refused = await type(...accept, ...args);
      assert.equal(refused.code, 2);
      assert.match(refused.text, why);
    }
    await Deno.writeTextFile(
      join(folder, "node.yaml"),
      "api_key: k\nserver_url: http://127.0.0.1:1\nencryption:\n  pinned_keys:\n" +
        `    4: "${before}"\n`,
    );
    const pinned = await type(...accept, "--organization", "4", "--key", key);
    assert.equal(pinned.code, 1);
    assert.match(
      pinned.text,
      /Cannot accept another key of organization 4: encryption\.pinned_keys/,
    );
    assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), { 4: key });
  });
});

Deno.test("accept-name writes down whose a listed name is, and check says whose each is", async () => {
  await withNode(async (folder, type) => {
    const data = join(folder, "node-data");
    await Deno.mkdir(data);
    await Deno.writeTextFile(
      join(folder, "node.yaml"),
      "api_key: k\nserver_url: http://127.0.0.1:1\npolicies:\n" +
        "  allowed_users: [7, Ann Lee, bob]\n",
    );
    await Deno.writeTextFile(
      join(data, "known_names.json"),
      JSON.stringify({ user: [["Ann Lee", 12]] }),
    );
    const accept = ["accept-name", "--config", "node.yaml"];
    const said = /names in policies +user "Ann Lee" is (\d+); user "bob" is whoever comes first/;
    assert.equal(said.exec((await type("check", "--config", "node.yaml")).text)?.[1], "12");
    const accepted = await type(...accept, "user", "Ann Lee", "15");
    assert.equal(accepted.code, 0, accepted.text);
    assert.match(accepted.text, /^From now on the user "Ann Lee" is user 15; it was 12 before\.$/);
    const file = join(data, "accepted_names.json");
    const kept = { user: [["Ann Lee", 15]], organization: [] };
    assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), kept);
    assert.equal(said.exec((await type("check", "--config", "node.yaml")).text)?.[1], "15");

    const task = join(folder, "task.json");
    const explain = ["check", "--config", "node.yaml", "--explain", "task.json"];
    const asked = { image: "deno:average@1.0.0", user: { id: 12, name: "Ann Lee" } };
    await Deno.writeTextFile(task, JSON.stringify(asked));
    assert.match((await type(...explain)).text, /^not allowed: .* so far, user 15;/);
    asked.user.id = 15;
    await Deno.writeTextFile(task, JSON.stringify(asked));
    assert.match((await type(...explain)).text, /^allowed/);

    const wrong: [string[], RegExp][] = [
      [[], /^The command is: accept-name user\|organization NAME ID/],
      [["node", "bob", "12"], /^The command is: accept-name/],
      [["user", "bob", "x"], /ID/],
      [["user", "bob", "0"], /ID/],
      [["user", "carol", "12"], /^policies\.allowed_users in \S+ does not list the name "carol"/],
      [["organization", "bob", "12"], /^policies\.allowed_organizations in \S+ does not list/],
    ];
    for (const [args, why] of wrong) {
      const refused = await type(...accept, ...args);
      assert.equal(refused.code, 2, refused.text);
      assert.match(refused.text, why);
    }
    assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), kept);
  });
});

Deno.test("accept-hub writes down keys and address of a hub that are believed from now on", async () => {
  await withNode(async (folder, type) => {
    await Deno.mkdir(join(folder, "node-data"));
    const { publicKey, seed } = newUserKey();
    const accept = ["accept-hub", "--config", "node.yaml"];
    const url = "wss://hub.example/nats";
    const accepted = await type(...accept, "--key", publicKey, "--url", url);
    assert.equal(accepted.code, 0, accepted.text);
    assert.match(accepted.text, /^Accepted: .*Start the agent again\.$/);
    const file = join(folder, "node-data/accepted_hub.json");
    const kept = { dispatch_keys: [publicKey], nats_url: url };
    assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), kept);
    for (const args of [[], ["--key", seed], ["--key", "U"], ["--url", "https://hub.example"]]) {
      const refused = await type(...accept, ...args);
      assert.equal(refused.code, 2, refused.text);
    }
    assert.deepEqual(JSON.parse(await Deno.readTextFile(file)), kept);
  });
});

Deno.test("accept-record wants a reason, says what is acknowledged, and leaves the rest to the agent", async () => {
  await withNode(async (folder, type) => {
    const data = join(folder, "node-data");
    await Deno.mkdir(data);
    const at = "2026-03-24T10:00:00.000Z";
    const alarm = { service: "task", kind: "rolled back", problem: "It has 3 entries.", at };
    const nothing = { checkpoints: {}, witnesses: {}, followed: [] };
    await Deno.writeTextFile(
      join(data, "hub-checkpoints.json"),
      JSON.stringify({ ...nothing, alarms: [alarm] }),
    );
    const accept = ["accept-record", "--config", "node.yaml"];
    const accepted = await type(...accept, "--service", "task", "--reason", "a backup of Monday");
    assert.equal(accepted.code, 0, accepted.text);
    assert.match(accepted.text, /rolled back: It has 3 entries\.\nAcknowledged\./);
    const kept = JSON.parse(await Deno.readTextFile(join(data, "accepted-records.json")));
    assert.equal(kept.length, 1);
    assert.deepEqual([kept[0].service, kept[0].reason], ["task", "a backup of Monday"]);
    const wrong: [string[], RegExp][] = [
      [[], /^--service must be one of identity, collaboration, task, nodes/],
      [["--service", "gateway", "--reason", "r"], /^--service must be one of/],
      [["--service", "task"], /^--reason TEXT is missing/],
      [["--service", "task", "--reason", " "], /^--reason TEXT is missing/],
    ];
    for (const [args, why] of wrong) {
      const refused = await type(...accept, ...args);
      assert.equal(refused.code, 2);
      assert.match(refused.text, why);
    }
    const other = await type(...accept, "--service", "identity", "--reason", "r");
    assert.match(other.text, /^There is no alarm about identity\./);
  });
});
