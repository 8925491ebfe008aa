/**
 * A request whose sender loses the right to it while its body is on the way.
 * @module
 */
import { waitFor } from "../harness.ts";
import type { Row } from "./table.ts";
import { ROLES, type World } from "./world.ts";

/** Routes whose body is read before anybody asks whose it is. */
const READ_FIRST = /^\/(?:token|password|recover)\//;

interface Sender {
  token: string;
  /** Ids of the users by their role, as the row is to see them. */
  callers: World["callers"];
  /** Whether the hub has looked the sender up since. */
  seen(): Promise<boolean>;
  loseRight(): Promise<void>;
}

/** Sends half of a body as somebody who may, takes the right away, sends the rest; the answer. */
export async function sendWhileTheRightEnds(
  world: World,
  row: Row,
  caller: string,
): Promise<{ status: number; text: string }> {
  const sender = await newSender(world, caller);
  const { path, body = {} } = await row.request(
    { ...world, callers: sender.callers },
    "own",
    caller,
  );
  const [method] = row.route.split(" ") as [string];
  const { token } = sender;
  return await sendInHalves(world.hub.address, { method, path, token, body }, async () => {
    if (!READ_FIRST.test(path)) {
      await waitFor(sender.seen, { what: "the hub to look at the sender" });
    }
    await sender.loseRight();
  });
}

/** Sends the first byte of a body, and the rest after what happens in between; the answer. */
export async function sendInHalves(
  address: Deno.ConnectOptions,
  { method, path, token, body }: { method: string; path: string; token: string; body: unknown },
  between: () => Promise<unknown>,
): Promise<{ status: number; text: string }> {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const head = `${method} /api${path} HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n` +
    `authorization: Bearer ${token}\r\ncontent-type: application/json\r\n` +
    `content-length: ${bytes.length}\r\n\r\n`;
  using connection = await Deno.connect(address);
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(head));
  await writer.write(bytes.subarray(0, 1));
  await between();
  await writer.write(bytes.subarray(1));
  const text = await new Response(connection.readable).text();
  return { status: Number(text.split(" ", 2)[1]), text };
}

async function newSender(world: World, caller: string): Promise<Sender> {
  return ROLES.includes(caller) ? await newUser(world, caller) : await newMachine(world, caller);
}

async function newUser(world: World, role: string): Promise<Sender> {
  const { hub } = world;
  const { id, token } = await world.newCaller(role);
  return {
    token,
    callers: { ...world.callers, [role]: id },
    async seen() {
      const [row] = await hub.db.identity`
        select 1 from "user" where id = ${id} and last_seen is not null`;
      return row !== undefined;
    },
    loseRight: () => asRoot(world, "DELETE", `/user/${id}?delete_dependents=true`),
  };
}

async function newMachine(world: World, caller: string): Promise<Sender> {
  const { hub, nodeId: id } = world;
  if (caller === "a node") await world.signNodeIn();
  else await world.newContainer();
  await hub.db.collaboration`update node set last_seen = null where id = ${id}`;
  return {
    token: world.tokens[caller]!,
    callers: world.callers,
    async seen() {
      const [row] = await hub.db.collaboration`
        select 1 from node where id = ${id} and last_seen is not null`;
      return row !== undefined;
    },
    async loseRight() {
      if (caller === "a container") {
        return await asRoot(world, "POST", "/kill/task", { id: world.container.task });
      }
      await asRoot(world, "POST", "/recover/node", { id });
      await world.signNodeIn();
    },
  };
}

async function asRoot({ hub }: World, method: string, path: string, body?: unknown) {
  const answer = await hub.call(method, path, { token: hub.root, body });
  if (answer.status > 201) throw new Error(`${method} ${path}: ${answer.body.msg}`);
}
