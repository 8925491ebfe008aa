import assert from "node:assert/strict";
import { temporaryFolder } from "../../tests/harness.ts";
import { choosePorts } from "./choose_ports.ts";
import { readPorts } from "./deployment.ts";

Deno.test("choosePorts() says that a port is taken, and goes back to it when it is free", async () => {
  const { path: folder, remove } = await temporaryFolder();
  const said: string[] = [];
  const choose = () =>
    choosePorts({ folder, names: ["nats", "natsWebsocket"], say: (line) => void said.push(line) });
  try {
    const first = await choose();
    assert.deepEqual([await choose(), said], [first, []]);
    const { natsWebsocket: port } = first;
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    let second;
    try {
      second = await choose();
      assert.notEqual(second.natsWebsocket, port);
      assert.deepEqual([second.gateway, second.nats], [first.gateway, first.nats]);
      assert.equal(said.length, 1);
      assert.match(said[0]!, new RegExp(`Port ${port}, where natsWebsocket was, is taken`));
      assert.match(said[0]!, /until a start at which \d+ is free\. Agents follow; firewalls/);
      assert.equal((await readPorts(folder)).natsWebsocket, second.natsWebsocket, "where it is");
      await choose();
    } finally {
      listener.close();
    }
    assert.deepEqual(await choose(), first);
    assert.deepEqual(await readPorts(folder), first, "nothing is wanted any more");
  } finally {
    await remove();
  }
});
