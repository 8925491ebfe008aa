/** Attacks through container images, which see the file itself. */
import assert from "node:assert/strict";
import { useTestStack, waitFor } from "../harness.ts";
import { createSite, encodeInput, type Json, type Member, type Site } from "../site.ts";
import { containerTest, SHELL_IMAGE, useTestEngine } from "../support/container_engine.ts";
import { assertNoSecret, csvOf, PEOPLE } from "./victims.ts";

const stack = useTestStack();
const engine = useTestEngine();
let made: Promise<Site> | undefined;

/** A site under datashield, where what containers return is held, and one under strict. */
function site(): Promise<Site> {
  return made ??= (async () => {
    const found = await createSite(stack(), {
      data: [csvOf(PEOPLE), csvOf(PEOPLE)],
      node: (index) => ({
        container: { socket: engine().socket },
        policies: { allowed_algorithms: [SHELL_IMAGE], require_algorithm_pull: false },
        disclosure: { profile: ["datashield", "strict"][index]! },
      }),
    });
    await Promise.all(found.members.map(found.startNode));
    return found;
  })();
}

/**
 * Runs a script in a container at a site until that says what becomes of it; all that can be seen.
 */
async function attack(script: string, at: (site: Site) => Member): Promise<Json[]> {
  const found = await site();
  const { researcher, collaborationId } = found;
  const { id } = await researcher.post("/task", {
    name: "attack",
    image: SHELL_IMAGE,
    collaboration_id: collaborationId,
    organizations: [{
      id: at(found).id,
      input: encodeInput({ method: "script", kwargs: { script: btoa(script) } }),
    }],
    databases: [{ label: "default" }],
  });
  const paths = [
    "/task/$/status",
    "/task/$",
    "/run?task_id=$",
    "/result?task_id=$",
    "/task?parent_id=$",
  ];
  return await waitFor(async () => {
    const seen: Json[] = [];
    for (const path of paths) seen.push(await researcher.get(path.replace("$", String(id))));
    const [run] = seen[2].data;
    return run.waiting || run.finished_at ? seen : undefined;
  }, { what: "the run to end or to be held", timeout: 40_000 });
}

const FIND = `line=$(grep '^p7,' /mnt/data/default.csv); value=$(echo "$line" | cut -d, -f5)`;
const SCRIPTS = {
  "its output": `cat /mnt/data/default.csv > output`,
  "a forged count": `${FIND}; echo "{\\"n\\":1000000,\\"mean\\":$value}" > output`,
  "its log": `${FIND}; echo "$line"; echo "$line" >&2; echo '{}' > output`,
  "its error": `${FIND}; echo "$line" >&2; exit 3`,
  "its exit code": `${FIND}; exit $(echo "$value" | cut -c1-2)`,
  "the name of a subtask": `${FIND}
token=$(cat token); proxy=http://127.0.0.1
until wget -qO /tmp/version $proxy/version; do sleep 0.2; done
claims=$(echo "$token" | cut -d. -f2 | tr _- /+ | sed 's/$/==/' | base64 -d 2>/dev/null || true)
number() { sed "s/.*\\"$1\\":\\([0-9]*\\).*/\\1/"; }
collaboration=$(echo "$claims" | number collaboration_id)
organization=$(echo "$claims" | number organization_id)
image=$(echo "$claims" | sed 's/.*"image":"\\([^"]*\\)".*/\\1/')
input=$(echo -n "{\\"method\\":\\"partial\\",\\"kwargs\\":{\\"v\\":$value}}" | base64 -w0)
wget -qO- --header "Authorization: Bearer $token" --post-data "{\\"name\\":\\"$line\\",\\"description\\":\\"$line\\",\\"image\\":\\"$image\\",\\"collaboration_id\\":$collaboration,\\"organizations\\":[{\\"id\\":$organization,\\"input\\":\\"$input\\"}],\\"databases\\":[{\\"label\\":\\"default\\"}]}" $proxy/task || true
echo '{}' > output`,
};

for (const [by, script] of Object.entries(SCRIPTS)) {
  Deno.test(containerTest(`attack: a container gets nothing out by ${by}`), async () => {
    const seen = await attack(script, ({ members }) => members[0]!);
    assertNoSecret(by, ...seen);
    const [run] = seen[2].data;
    assert.doesNotMatch(JSON.stringify(seen), /p7,|exit code|70425/, by);
    assert.equal(seen[4].data.length, 0, `${by}: a subtask was made`);
    // Also where it failed, which it can choose.
    assert.equal(run.status, "active", by + JSON.stringify(run).slice(0, 2000));
    assert.match(run.waiting, /^waiting for release at /, by);
    assert.ok(seen[3].data.every(({ result }: Json) => !result), by);
  });
}

Deno.test(containerTest("attack: under strict no container runs at all"), async () => {
  const seen = await attack(SCRIPTS["its output"], ({ members }) => members[1]!);
  assert.equal(seen[2].data[0].status, "not allowed", JSON.stringify(seen[2]));
});
