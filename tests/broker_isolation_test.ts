/**
 * What a node's credential cannot do on the broker, with the nats-server of this machine, or
 * Debian's.
 * @module
 */
import { join } from "node:path";
import { findNatsServer } from "../services/stack/nats_server.ts";
import { VERSION } from "../services/stack/python_nats_server.ts";
import { CACHE_FOLDER } from "./harness.ts";
import { useNatsServer } from "./support/broker_isolation.ts";

useNatsServer({
  // In a folder of its own: where Python's is kept, that is taken.
  find: () => findNatsServer(join(CACHE_FOLDER, "debian"), { env: { PATH: Deno.env.get("PATH") } }),
  isMeant: (version) => version !== VERSION,
});
