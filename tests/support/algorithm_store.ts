/**
 * An algorithm store as a hub sees it: which images it has approved, which servers it trusts, and
 * who asked.
 *
 * It answers as v6's own store does (the package `vantage6-algorithm-store` 4.15.2,
 * `__init__.py`, `algorithm.py` and `vantage6_server.py` of its `resource/`), except that it takes
 * every token of a user for a valid one. Of a node's it asks the server, as theirs does.
 */
import { decodeJwt } from "jose";
import { freePort } from "../../services/stack/ports.ts";

/** What is in a token that a store was sent: whose it is, and what it is good for. */
export function storeTokenIn(authorization: string | null | undefined) {
  const { type, client_type, sub, sid, aud, iat, exp } = decodeJwt<Record<string, unknown>>(
    authorization!.replace(/^Bearer /, ""),
  );
  return { type, client_type, sub, sid, aud, seconds: exp! - iat! };
}

export interface StoreRequest {
  /** Such as `POST /vantage6-server`, without the API path. */
  what: string;
  authorization: string | null;
  body: unknown;
}

export interface TestStore {
  /** With its path, as it is linked. */
  url: string;
  /** Image → digest, or null where it knows none. */
  approved: Map<string, string | null>;
  /** The `Authorization` of each question for an image. */
  askedBy: (string | null)[];
  /** Id → address of the servers whose users it trusts. */
  servers: Map<number, string>;
  /** All that it was sent, in order. */
  received: StoreRequest[];
  stop(): Promise<void>;
}

export interface TestStoreOptions {
  /** Refuses new servers with this status. */
  refusing?: number;
  /** The registry, of which it asks the digest of an image, does not answer. */
  isRegistryAway?: boolean;
}

/** Where its API is: a front may have put it below a path. */
const API = /^(\/[^/]+)?\/api(?=\/)/;

/** As SQL's LIKE, which the store compares by. */
function isLike(text: string, pattern: string): boolean {
  const expression = pattern.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/%/g, ".*")
    .replace(/_/g, ".");
  return new RegExp(`^${expression}$`, "s").test(text);
}

export function startAlgorithmStore(
  { refusing, isRegistryAway = false }: TestStoreOptions = {},
): TestStore {
  const approved = new Map<string, string | null>();
  const servers = new Map<number, string>();
  const askedBy: (string | null)[] = [];
  const received: StoreRequest[] = [];
  const say = (msg: string, status: number) => Response.json({ msg }, { status });

  function trust({ url, force = false }: { url: string; force?: boolean }): Response {
    if (refusing) return say("the store speaks", refusing);
    if (/localhost|127\.0\.0\.1/.test(url) && !force) return say("specify 'force'", 400);
    if ([...servers.values()].includes(url)) return say("This server is already whitelisted", 208);
    const id = 11 + servers.size;
    servers.set(id, url);
    return Response.json({ id, url, users: "" }, { status: 201 });
  }

  /** Who may see the servers, or take one away: the users of a server that is trusted. */
  function refusal({ headers }: Request): Response | undefined {
    const server = headers.get("server-url");
    if (!server) return say("Missing Server-Url header", 400);
    if (!headers.get("authorization")) return say("Missing Authorization header", 401);
    if (![...servers.values()].includes(server)) return say(`Server '${server}' is not known`, 403);
  }

  function forget(id: number, server: string | null): Response {
    if (!servers.has(id)) return say("Vantage6 server not found", 404);
    if (servers.get(id) !== server) return say("You can only delete your own server", 403);
    servers.delete(id);
    return say("deleted", 200);
  }

  /** Who may see algorithms as a node: nodes of a server that is trusted, which says so. */
  async function refusalOfNode(request: Request): Promise<Response | undefined> {
    const refused = refusal(request);
    if (refused) return refused;
    const { headers } = request;
    const asked = await fetch(`${headers.get("server-url")}/token/node/validate`, {
      method: "POST",
      headers: { authorization: headers.get("authorization")! },
    });
    await asked.body?.cancel();
    if (asked.status === 404) return say("Could not connect to the vantage6 server.", 400);
    if (!asked.ok) return say("Token is not valid", 401);
  }

  /** All of them, or those that are under exactly this name, a page at a time. */
  function listApproved(query: URLSearchParams): Response {
    if (isRegistryAway && query.has("image")) return say("An unexpected error occurred", 500);
    const [image, digest] = query.get("image")?.split(/@(?=sha256:)/) ?? [];
    const named = [...approved].map(([image, digest]) => ({ image, digest }))
      .filter((one) => image === undefined || one.image === image);
    const found = named.filter((one) => digest === undefined || one.digest === digest);
    if (named.length > found.length) return say(`${image} has another digest`, 400);
    const [page, perPage] = [Number(query.get("page") ?? 1), Number(query.get("per_page") ?? 10)];
    if (!(page >= 1 && perPage >= 1)) return say("page needs to be >= 1", 400);
    const data = found.slice((page - 1) * perPage, page * perPage);
    return Response.json({ data }, { headers: { "total-count": `${found.length}` } });
  }

  async function answer(request: Request, body: unknown): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const path = pathname.replace(API, "");
    const { method } = request;
    // As Flask answers beside the API.
    if (!API.test(pathname)) return new Response("Not Found", { status: 404 });
    if (path === "/algorithm") {
      askedBy.push(request.headers.get("authorization"));
      const refused = request.headers.get("client-type") === "node" && await refusalOfNode(request);
      if (refused) return refused;
      return listApproved(searchParams);
    }
    if (path === "/policy/public") return Response.json({ algorithm_view: "private" });
    const [, id] = /^\/vantage6-server\/(\d+)$/.exec(path) ?? [];
    if (path !== "/vantage6-server" && !id) return say("not found", 404);
    if (!id && method === "POST") return trust(body as { url: string });
    if (!["GET", ...(id ? ["DELETE"] : [])].includes(method)) {
      return say("The method is not allowed for the requested URL.", 405);
    }
    const refused = refusal(request);
    if (refused) return refused;
    if (id && method === "DELETE") return forget(Number(id), request.headers.get("server-url"));
    const wanted = searchParams.get("url");
    const listed = [...servers].map(([id, url]) => ({ id, url, users: "" }));
    return Response.json(listed.filter(({ url }) => wanted === null || isLike(url, wanted)));
  }

  const server = Deno.serve(
    { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const text = await request.text();
      const body = text ? JSON.parse(text) : undefined;
      const path = new URL(request.url).pathname.replace(API, "");
      const authorization = request.headers.get("authorization");
      received.push({ what: `${request.method} ${path}`, authorization, body });
      return await answer(request, body);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/api`,
    approved,
    servers,
    askedBy,
    received,
    stop: () => server.shutdown(),
  };
}
