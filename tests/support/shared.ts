/**
 * One server for many users: started by the first, stopped by the last.
 * @module
 */

export interface Shared<Server> {
  /** The server; waits until it runs. Each call is to be followed by one of `release`. */
  acquire(): Promise<Server>;
  release(): Promise<void>;
}

export function shareServer<Server extends { stop(): Promise<void> }>(
  start: () => Promise<Server>,
): Shared<Server> {
  let running: Promise<Server> | undefined;
  let users = 0;
  return {
    async acquire() {
      users++;
      running ??= start();
      return await running;
    },
    async release() {
      if (--users > 0) return;
      const server = await running;
      running = undefined;
      await server?.stop();
    },
  };
}
