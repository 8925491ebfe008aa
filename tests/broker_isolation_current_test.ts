/**
 * What a node's credential cannot do on the broker, with a current nats-server.
 * @module
 */
import { runProgram } from "../services/stack/process.ts";
import { pythonNatsServer, VERSION } from "../services/stack/python_nats_server.ts";
import { useNatsServer } from "./support/broker_isolation.ts";
import { CACHE_FOLDER } from "./support/folders.ts";

useNatsServer({
  find: () => pythonNatsServer(CACHE_FOLDER, runProgram),
  isMeant: (version) => version === VERSION,
});
