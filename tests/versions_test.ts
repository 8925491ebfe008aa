/**
 * An agent of another version than its hub, each a real process, with a door between them that
 * makes the one look older to the other: they work, or say what to do, and go on once that is done.
 * @module
 */
import assert from "node:assert/strict";
import { parse, stringify } from "yaml";
import { NODE_PROTOCOL } from "../shared/node_protocol/reports.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Site } from "./site.ts";

const stack = useTestStack();
const BEFORE = NODE_PROTOCOL - 1;

interface Door {
  /** What is said of the versions; nothing is changed while it is undefined. */
  older: "agent" | "hub" | undefined;
  port: number;
  stop(): Promise<void>;
}

/** A door to the hub through which one side says that it speaks the protocol of before. */
function openDoor(hub: string, older: Door["older"]): Door {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const { method, headers } = request;
    const credential = method === "POST" && pathname === "/api/token/broker";
    let body: Uint8Array<ArrayBuffer> | string | null = request.body && await request.bytes();
    if (credential && door.older === "agent") {
      body = JSON.stringify({
        ...JSON.parse(new TextDecoder().decode(body as Uint8Array)),
        protocol: BEFORE,
      });
    }
    const passed = new Headers(headers);
    passed.delete("content-length");
    passed.delete("host");
    const answer = await fetch(`${hub}${pathname}${search}`, { method, headers: passed, body });
    if (!credential || door.older !== "hub" || !answer.ok) return answer;
    return Response.json({ ...await answer.json(), protocol: BEFORE });
  });
  const door: Door = { older, port: server.addr.port, stop: () => server.shutdown() };
  return door;
}

/** A site of one node that reaches the hub through a door; the node is about to start. */
async function siteBehind(door: Door): Promise<{ site: Site; started: Promise<void> }> {
  const site = await createSite(stack(), { data: ["x\n1\n2\n3\n"] });
  const [member] = site.members;
  const config = parse(await Deno.readTextFile(member!.config));
  await Deno.writeTextFile(member!.config, stringify({ ...config, port: door.port }));
  return { site, started: site.startNode(member!) };
}

/** Posts a task while the versions do not fit; it is done once they do. */
async function provesItself(
  { older, says, goesOn }: {
    older: "agent" | "hub";
    says: RegExp;
    /** Does as is said; resolves once the agent works. */
    goesOn: (agent: { node: string; started: Promise<void> }) => Promise<void>;
  },
): Promise<void> {
  const door = openDoor(stack().gatewayUrl, older);
  const { site, started } = await siteBehind(door);
  const { node } = site.members[0]!;
  try {
    started.catch(() => {}); // it is waited for below
    const task = await site.post({
      image: "deno:average@1.0.0",
      method: "partial",
      kwargs: { column: "x" },
    });
    const words = await waitFor(
      () => stack().log.find((line) => line.startsWith(`node ${node}: `) && says.test(line)),
      { what: "the agent to say what to do", timeout: 20_000 },
    );
    assert.doesNotMatch(words, /\n\s+at /, "a sentence, not a place in the program");
    assert.equal((await site.researcher.get(`/task/${task.id}/status`)).status, "pending");
    door.older = undefined;
    await goesOn({ node, started });
    assert.equal((await site.outcome(task.id)).status, "completed");
  } finally {
    await stack().part(`node ${node}`).stop();
    await door.stop();
  }
}

Deno.test("an agent of the version before is told by the hub to be updated; once it is, it does what waits for it", async () => {
  const says = /update the agent to version \d+\.\d+.*What it has computed is kept/;
  await provesItself({
    older: "agent",
    says,
    async goesOn({ node, started }) {
      await assert.rejects(started, says);
      await stack().part(`node ${node}`).restart();
    },
  });
});

Deno.test("an agent whose hub is of the version before says that the hub is to be updated, and works once it is", async () => {
  await provesItself({
    older: "hub",
    says: /update the hub first/,
    goesOn: ({ started }) => started,
  });
});
