/**
 * The broker's system account as the watch over presence sees it: a list of connections that a test
 * changes, also between two pages of one answer. Shaped as nats-server answers CONNZ
 * (`server/monitor.go`).
 */
import type { SystemConnection } from "../../services/collaboration/presence/broker_connections.ts";

export const ACCOUNT = "the account";
export const SIGNER = "the signer";

export interface SystemAccountDouble extends SystemConnection {
  watch(): () => void;
  /** Pages that were asked for. */
  pages: number;
  /** Lists that were read to their end. */
  lists: number;
  /** Connects a node; returns the connection's number. */
  open(node: number, server?: string): number;
  /** Closes the oldest connection of a node. */
  close(node: number, server?: string): void;
}

/** `afterPage` is called once a page has been answered, before the next is asked for. */
export function systemAccount(
  afterPage: (double: SystemAccountDouble, offset: number) => void = () => {},
): SystemAccountDouble {
  const servers = new Map<string, { cid: number; node: number }[]>([["A", []]]);
  const told = new Map<string, (error: null, message: { data: Uint8Array }) => void>();
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const credential = (node: number) => ({ name_tag: `${node}`, issuer_key: SIGNER });
  let numbers = 0;

  function tell(kind: string, server: string, cid: number, node: number): void {
    const client = { id: cid, ...credential(node) };
    const data = encode({ server: { id: server }, client });
    told.get(`$SYS.ACCOUNT.${ACCOUNT}.${kind}`)?.(null, { data });
  }

  const double: SystemAccountDouble = {
    pages: 0,
    lists: 0,
    watch: () => () => {},
    subscribe(subject, options) {
      told.set(subject, options!.callback as never);
      return { unsubscribe: () => told.delete(subject) } as never;
    },
    requestMany(_subject, payload) {
      const { offset, limit, acc } = JSON.parse(payload as string);
      if (acc !== ACCOUNT) throw new Error(`The list is asked of account ${acc}`);
      const answers = [...servers].map(([id, all]) => {
        const page = all.slice(offset, offset + limit);
        const connections = page.map(({ cid, node }) => ({ cid, ...credential(node) }));
        return {
          data: encode({ server: { id }, data: { connections, total: all.length, offset, limit } }),
        };
      });
      const longest = Math.max(...[...servers.values()].map((all) => all.length));
      double.pages++;
      if (offset + limit >= longest) double.lists++;
      return Promise.resolve((async function* () {
        yield* answers;
        afterPage(double, offset);
      })()) as never;
    },
    open(node, server = "A") {
      const all = servers.get(server) ?? [];
      servers.set(server, all);
      all.push({ cid: ++numbers, node });
      tell("CONNECT", server, numbers, node);
      return numbers;
    },
    close(node, server = "A") {
      const all = servers.get(server)!;
      const at = all.findIndex((one) => one.node === node);
      if (at === -1) throw new Error(`Node ${node} has no connection to server ${server}`);
      const [gone] = all.splice(at, 1);
      tell("DISCONNECT", server, gone!.cid, node);
    },
  };
  return double;
}
