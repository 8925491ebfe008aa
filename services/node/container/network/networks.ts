/**
 * The networks of all containers of an agent, so that they end with it.
 * @module
 */
import { join } from "node:path";
import type { Logger } from "../../../../shared/service/log.ts";
import type { WayOut } from "../../hub/way_out.ts";
import type { Connect } from "./connect.ts";
import { type ContainerNetwork, openContainerNetwork, type Serve } from "./container_network.ts";
import type { Route } from "./routes.ts";
import type { Whitelist } from "./whitelist.ts";

export interface Networks {
  /** Opens all that a run reaches. */
  open(run: string, serve: Serve, routes: readonly Route[]): Promise<ContainerNetwork>;
  close(network: ContainerNetwork): Promise<void>;
  closeAll(): Promise<void>;
}

export interface NetworksOptions {
  /** For sockets: a short path. */
  folder: string;
  whitelist: Whitelist | undefined;
  wayOut: WayOut;
  connect: Connect;
  log: Logger;
}

export function createNetworks(
  { folder, whitelist, wayOut, connect, log }: NetworksOptions,
): Networks {
  const all = new Set<ContainerNetwork>();
  return {
    async open(run, serve, routes) {
      const network = await openContainerNetwork({
        folder: join(folder, run),
        serve,
        routes,
        whitelist,
        wayOut,
        connect,
        log: log.with({ run }),
      });
      all.add(network);
      return network;
    },
    async close(network) {
      all.delete(network);
      await network.close();
    },
    async closeAll() {
      for (const network of all) await network.close();
    },
  };
}
