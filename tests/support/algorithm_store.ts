/** An algorithm store as a hub sees it: which images it has approved, and who asked. */
import { freePort } from "../../services/stack/ports.ts";

export interface TestStore {
  /** With its path, as it is linked. */
  url: string;
  /** Image → digest, or null where it knows none. */
  approved: Map<string, string | null>;
  /** The `Authorization` of each question. */
  askedBy: (string | null)[];
  stop(): Promise<void>;
}

export function startAlgorithmStore(): TestStore {
  const approved = new Map<string, string | null>();
  const askedBy: (string | null)[] = [];
  const server = Deno.serve(
    { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      await request.body?.cancel();
      const { pathname, searchParams } = new URL(request.url);
      // Else it is told whose users to trust.
      if (pathname !== "/api/algorithm") return Response.json({}, { status: 201 });
      askedBy.push(request.headers.get("authorization"));
      const image = searchParams.get("image")!;
      const digest = approved.get(image);
      return Response.json({ data: digest === undefined ? [] : [{ image, digest }] });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/api`,
    approved,
    askedBy,
    stop: () => server.shutdown(),
  };
}
