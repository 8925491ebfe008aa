/**
 * A socket before a container engine's, for tests of what goes wrong on the way: it passes
 * everything on, and can hold a request or its answer, drop it, refuse it, or put an error in the
 * answer's place.
 */
import { joinConnections } from "../../services/node/container/network/pipe.ts";
import { temporaryFolder, waitFor } from "../harness.ts";

interface Held {
  /** Resolves when something is held; rejects when that takes too long. */
  reached(): Promise<unknown>;
  /** Lets it go on, and holds nothing any more. */
  release(): void;
  /** Cuts its connection, and holds nothing any more. */
  drop(): void;
}

export interface EngineBetween {
  socket: string;
  /** The first lines of all requests so far: `POST /v1.41/containers/create?name=x`. */
  seen: string[];
  /**
   * Holds requests of which the first line matches, before the engine has them or when it has
   * carried them out.
   */
  hold(request: RegExp, what: "request" | "answer"): Held;
  /** From now on lets the engine carry out what matches, and answers with an error. */
  failAnswers(request: RegExp): void;
  /**
   * From now on cuts the connection of each request whose first line `which` says yes to; called
   * once for each.
   */
  refuse(which: (line: string) => boolean): void;
  stop(): Promise<void>;
}

const MESSAGE = JSON.stringify({ message: "the engine is mistaken" });
const FAILURE = "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\n" +
  `content-length: ${MESSAGE.length}\r\nconnection: close\r\n\r\n${MESSAGE}`;

export async function startEngineBetween(engine: string): Promise<EngineBetween> {
  const folder = await temporaryFolder();
  const socket = `${folder.path}/between.sock`;
  const listener = Deno.listen({ transport: "unix", path: socket });
  const seen: string[] = [];
  let rule:
    | { request: RegExp; what: "request" | "answer"; pass: () => Promise<boolean> }
    | undefined;
  let failing: RegExp | undefined;
  let refused = (_line: string) => false;

  async function serve(client: Deno.Conn): Promise<void> {
    using inside = client;
    const head = new Uint8Array(64 * 1024);
    const size = await inside.read(head);
    if (size === null) return;
    const line = new TextDecoder().decode(head.subarray(0, size)).split(" HTTP/")[0]!;
    seen.push(line);
    if (refused(line)) return;
    const held = rule?.request.test(line) ? rule : undefined;
    if (held?.what === "request" && !await held.pass()) return;
    using outside = await Deno.connect({ transport: "unix", path: engine });
    for (let done = 0; done < size;) done += await outside.write(head.subarray(done, size));
    if (failing?.test(line)) {
      await outside.read(head);
      await inside.write(new TextEncoder().encode(FAILURE));
      return;
    }
    if (held?.what === "answer") {
      const length = await outside.read(head);
      if (!await held.pass()) return;
      await inside.write(head.subarray(0, length ?? 0));
    }
    await joinConnections(inside, outside);
  }

  (async () => {
    for await (const client of listener) serve(client).catch(() => {});
  })();

  return {
    socket,
    seen,
    hold(request, what) {
      let reached = false;
      const opened = Promise.withResolvers<boolean>();
      rule = {
        request,
        what,
        pass() {
          reached = true;
          return opened.promise;
        },
      };
      function open(pass: boolean) {
        rule = undefined;
        opened.resolve(pass);
      }
      const arrives = () => waitFor(() => reached, { what: `a request like ${request}` });
      return { reached: arrives, release: () => open(true), drop: () => open(false) };
    },
    refuse: (which) => void (refused = which),
    failAnswers: (request) => void (failing = request),
    async stop() {
      listener.close();
      await folder.remove();
    },
  };
}
