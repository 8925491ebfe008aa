import assert from "node:assert/strict";
import { isInside, kindOfAddress } from "./address.ts";
import { createStoreClient, requireServerUrl, type StoreCall, StoreRefusal } from "./client.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { startAlgorithmStore } from "../../../tests/support/algorithm_store.ts";
import { freePort } from "../../stack/ports.ts";

interface Received {
  method: string;
  path: string;
  headers: Headers;
  body: unknown;
}

/** A small algorithm store; `answer` decides what it says. */
function startStore(answer: (path: string) => Response | Promise<Response>) {
  const received: Received[] = [];
  const server = Deno.serve(
    { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const text = await request.text();
      const path = new URL(request.url).pathname;
      received.push({
        method: request.method,
        path,
        headers: request.headers,
        body: text ? JSON.parse(text) : undefined,
      });
      return await answer(path);
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/api`,
    received,
    stop: () => server.shutdown(),
  };
}

function callTo(storeUrl: string, change: Partial<StoreCall> = {}): StoreCall {
  const serverUrl = "https://sextant.example/api";
  return { storeUrl, serverUrl, authorization: "Bearer abc", force: true, ...change };
}

/** As if the test's stores, which are on this machine, were not. */
const ELSEWHERE = { inside: () => false };

const said = (code: string) => (error: unknown) =>
  error instanceof SextantError && error.code === code;

Deno.test("register() makes the server known to the store, as the caller", async () => {
  const store = startStore(() => Response.json({ id: 1 }, { status: 201 }));
  await createStoreClient().register(callTo(`${store.url}/`));
  const [first] = store.received;
  assert.equal(store.received.length, 1);
  assert.deepEqual([first!.method, first!.path], ["POST", "/api/vantage6-server"]);
  assert.deepEqual(first!.body, { url: "https://sextant.example/api", force: true });
  assert.equal(first!.headers.get("server-url"), "https://sextant.example/api");
  assert.equal(first!.headers.get("authorization"), "Bearer abc");
  await store.stop();
});

Deno.test("unregister() asks the store for its id there, and takes away that one alone", async () => {
  const store = startAlgorithmStore();
  const client = createStoreClient();
  const other = callTo(store.url, { serverUrl: "https://other.example/api" });
  await client.register(other);
  await client.register(callTo(store.url));
  await client.unregister(callTo(store.url));
  assert.deepEqual([...store.servers.values()], ["https://other.example/api"]);
  assert.deepEqual(store.received.slice(2).map(({ what, body }) => [what, body]), [
    ["GET /vantage6-server", undefined],
    ["DELETE /vantage6-server/12", undefined],
  ]);
  await assert.rejects(client.unregister(callTo(store.url)), StoreRefusal); // it is not known there
  await store.stop();
});

Deno.test("unregister() is content with a store that lists others, and takes no answer for a list", async () => {
  const others = [{ id: 1, url: "https://sextantXexample/api" }];
  for (const answer of [others, [], { data: [] }, "x"]) {
    const store = startStore(() => Response.json(answer));
    await createStoreClient(ELSEWHERE).unregister(callTo(store.url));
    assert.deepEqual(store.received.map(({ method }) => method), ["GET"]);
    await store.stop();
  }
});

Deno.test("register() takes 'known already' for yes, and 'forbidden' when the store is public", async () => {
  for (const policy of [{ algorithm_view: "public" }, { algorithms_open: true }]) {
    const store = startStore((path) =>
      path.endsWith("/policy/public")
        ? Response.json(policy)
        : Response.json({ msg: "no" }, { status: 403 })
    );
    await createStoreClient().register(callTo(store.url));
    await store.stop();
  }
  const known = startStore(() => Response.json({}, { status: 208 }));
  await createStoreClient().register(callTo(known.url));
  await known.stop();
});

Deno.test("register() relays a refusal with its status", async () => {
  for (const status of [400, 401, 403, 500]) {
    const store = startStore(() => Response.json({ msg: "not you" }, { status }));
    await assert.rejects(
      createStoreClient(ELSEWHERE).register(callTo(store.url)),
      (error) =>
        error instanceof StoreRefusal && error.status === status && /not you/.test(error.message),
    );
    await store.stop();
  }
});

Deno.test("register() follows no redirect and waits no longer than it was told", async () => {
  const inner = startStore(() => Response.json({ secret: 1 }, { status: 201 }));
  const outer = startStore(() => Response.redirect(`${inner.url}/elsewhere`, 307));
  await assert.rejects(
    createStoreClient(ELSEWHERE).register(callTo(outer.url)),
    said("bad_gateway"),
  );
  assert.equal(inner.received.length, 0);
  await Promise.all([inner.stop(), outer.stop()]);

  const held = Promise.withResolvers<Response>();
  const slow = startStore(() => held.promise);
  await assert.rejects(
    createStoreClient({ ...ELSEWHERE, timeoutMs: 100 }).register(callTo(slow.url)),
    said("not_found"),
  );
  held.resolve(new Response());
  await slow.stop();
  const nobody = `http://127.0.0.1:${freePort()}/api`;
  await assert.rejects(createStoreClient(ELSEWHERE).register(callTo(nobody)), said("not_found"));
});

Deno.test("register() reads no more of an answer than 1 MiB", async () => {
  let sent = 0;
  const store = startStore(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent += 16_384;
          controller.enqueue(new TextEncoder().encode("x".repeat(16_384)));
          if (sent > 64 * 1024 * 1024) controller.close();
        },
      }),
      { status: 400 },
    )
  );
  await assert.rejects(createStoreClient(ELSEWHERE).register(callTo(store.url)), StoreRefusal);
  assert.ok(sent < 16 * 1024 * 1024, `${sent} bytes were read`);
  await store.stop();
});

Deno.test("approvedImage() pins what the store has approved, and takes nothing else for it", async () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  let answer: unknown;
  let status = 200;
  const asked: string[] = [];
  const server = Deno.serve(
    { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
    ({ url, headers }) => {
      asked.push(`${headers.get("authorization")} ${new URL(url).searchParams.get("image")}`);
      return Response.json(answer, { status });
    },
  );
  const call = callTo(`http://127.0.0.1:${server.addr.port}/api`);
  const ask = (image: string) => createStoreClient(ELSEWHERE).approvedImage(call, image);

  // As stores from 4.15 on describe arguments that have no default, and depend on no other.
  const argument = {
    name: "column",
    default_value: null,
    conditional_on_id: null,
    conditional_operator: null,
    conditional_value: null,
  };
  const functions = [{ name: "central", arguments: [argument] }];
  answer = { data: [{ image: "reg.example:5000/avg", digest, name: "Average", functions }] };
  const pinned = `reg.example:5000/avg@${digest}`;
  for (const image of ["reg.example:5000/avg", "reg.example:5000/avg:latest", pinned]) {
    assert.equal(await ask(image), pinned);
  }
  assert.equal(asked[1], "Bearer abc reg.example:5000/avg:latest");
  // A store that lists more than it was asked for approves none of it by that.
  await assert.rejects(ask("reg.example:5000/average:1"), said("invalid_request"));
  answer = { data: [{ image: "deno:average@1.0.0", digest: null }] };
  assert.equal(await ask("deno:average@1.0.0"), "deno:average@1.0.0");
  await assert.rejects(ask("deno:average@2.0.0"), said("invalid_request"));
  const wrong = [
    { data: [] },
    {},
    "x",
    { data: [{ image: "a", digest: "md5:1" }] },
    { data: [{ digest }] },
  ];
  for (const one of wrong) {
    answer = one;
    await assert.rejects(ask("a"), said("invalid_request"), JSON.stringify(one));
  }
  answer = { msg: "this version is not approved" };
  status = 400;
  await assert.rejects(
    ask("a"),
    (error) => error instanceof StoreRefusal && /version is not approved/.test(error.message),
  );
  await server.shutdown();
});

Deno.test("register() sends nothing to addresses where no store can be", async () => {
  const store = startStore(() => Response.json({}, { status: 201 }));
  const { port } = new URL(store.url);
  const local = [
    store.url,
    `http://localhost:${port}/api`,
    `http://LOCALHOST.:${port}/api`,
    `http://store.localhost:${port}/api`,
    `http://[::1]:${port}/api`,
    `http://[::ffff:127.0.0.1]:${port}/api`,
    `http://0.0.0.0:${port}/api`,
    `http://2130706433:${port}/api`,
    `http://0x7f.1:${port}/api`,
  ];
  for (const url of local) {
    const call = callTo(url, { force: false });
    await assert.rejects(createStoreClient().register(call), said("invalid_request"), url);
  }
  const never = [
    "http://169.254.169.254/latest",
    "http://[fe80::1]/api",
    "http://224.0.0.1/api",
    "file:///etc/passwd",
    "ftp://store.example/api",
    "http://user:password@store.example/api",
    "http://store.example/api?x=1",
    "nonsense",
  ];
  for (const url of never) {
    await assert.rejects(createStoreClient().register(callTo(url)), said("invalid_request"), url);
  }
  const resolving = (address: string) =>
    createStoreClient({
      insideMs: 50,
      resolve: () => Promise.resolve(["203.0.113.5", address]),
    });
  const named = callTo(`http://store.example:${port}/api`, { force: false });
  await assert.rejects(resolving("127.0.0.1").register(named), said("not_found"));
  const forced = { ...named, force: true };
  await assert.rejects(resolving("169.254.169.254").register(forced), said("not_found"));
  assert.equal(store.received.length, 0);
  await store.stop();
});

Deno.test("kindOfAddress() sees through IPv4 written as IPv6", () => {
  const kinds = Object.fromEntries(
    [
      "127.8.0.1",
      "::ffff:7f00:1",
      "::1",
      "::",
      "0.0.0.0",
      "169.254.1.1",
      "::ffff:a9fe:a9fe",
      "febf::1",
      "ff02::1",
      "fd00:ec2::254",
      "fd20:ce::254",
      "100.100.100.200",
      "192.0.0.192",
      "fd12:3456::1",
      "10.0.0.1",
      "203.0.113.5",
      "2001:db8::1",
    ].map((address) => [address, kindOfAddress(address)]),
  );
  assert.deepEqual(kinds, {
    "127.8.0.1": "this machine",
    "::ffff:7f00:1": "this machine",
    "::1": "this machine",
    "::": "this machine",
    "0.0.0.0": "this machine",
    "169.254.1.1": "reserved",
    "::ffff:a9fe:a9fe": "reserved",
    "febf::1": "reserved",
    "ff02::1": "reserved",
    "fd00:ec2::254": "reserved",
    "fd20:ce::254": "reserved",
    "100.100.100.200": "reserved",
    "192.0.0.192": "reserved",
    "fd12:3456::1": "elsewhere",
    "10.0.0.1": "elsewhere",
    "203.0.113.5": "elsewhere",
    "2001:db8::1": "elsewhere",
  });
});

Deno.test("isInside() knows the networks behind a hub", () => {
  const inside = ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1"]
    .concat("100.64.0.1", "::ffff:10.0.0.1", "fd12:3456::1", "fc00::1", "0.0.0.0");
  assert.deepEqual(inside.filter((address) => !isInside(address)), []);
  const outside = ["172.32.0.1", "192.169.0.1", "100.128.0.1", "203.0.113.5", "2001:db8::1"];
  assert.deepEqual(outside.filter(isInside), []);
});

Deno.test("nothing that is asked tells what listens behind the hub from what does not", async () => {
  const silent = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const speaking = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  void (async () => {
    for await (const one of speaking) {
      await one.write(new TextEncoder().encode("SSH-2.0-OpenSSH\r\n")).catch(() => {});
      one.close();
    }
  })();
  const servers = [
    () => new Response("fine"),
    () => Response.json({ data: "fine" }),
    () => Response.json({ msg: "There is no such path." }, { status: 404 }),
    () => Response.json({ msg: "no" }, { status: 405 }),
    () => Response.json({ msg: "no" }, { status: 500 }),
    () => new Response("no", { status: 403 }),
    () => Response.redirect("http://127.0.0.1:1/", 307),
  ].map(startStore);
  const portOf = (listener: Deno.Listener) => (listener.addr as Deno.NetAddr).port;
  const urls = [freePort(), portOf(silent), portOf(speaking)]
    .map((port) => `http://127.0.0.1:${port}/api`).concat(servers.map(({ url }) => url));
  const insideMs = 500;
  const client = createStoreClient({ insideMs });
  const questions = {
    register: client.register,
    unregister: client.unregister,
    approvedImage: (call: StoreCall) => client.approvedImage(call, "reg.example/avg"),
  };
  for (const [name, ask] of Object.entries(questions)) {
    const told = (url: string) =>
      name === "register"
        ? `No algorithm store that takes this server answers at ${url}. Is its name right? ` +
          "Where it is on the server's own machine, force must be set."
        : `The algorithm store at ${url} cannot be reached, or does not answer as one.`;
    await Promise.all(urls.map(async (url, index) => {
      const since = performance.now();
      const { code, message } = await ask(callTo(url))
        .then(() => assert.fail(`${name} ${index}`), (error) => error as SextantError);
      assert.deepEqual(
        [code, message],
        ["not_found", told(url)],
        `${name} ${index}`,
      );
      assert.ok(performance.now() - since >= insideMs - 5, `${name} ${index} tells by its time`);
    }));
  }
  silent.close();
  speaking.close();
  await Promise.all(servers.map((one) => one.stop()));
});

Deno.test("nothing that is asked tells which names the hub can look up, and where they lead", async () => {
  const insideMs = 500;
  // What the hub's resolver says of a name that leads to another one (CNAME).
  const outcomes: Record<string, () => Promise<string[]>> = {
    "none.example": () => Promise.reject(new Error("ENOTFOUND")),
    "slow.example": () => new Promise(() => {}),
    "loopback.example": () => Promise.resolve(["127.0.0.1"]),
    "metadata.example": () => Promise.resolve(["169.254.169.254"]),
    "inside.example": () => Promise.resolve(["10.255.255.1"]),
    "inside6.example": () => Promise.resolve(["fd12:3456::1"]),
  };
  const client = createStoreClient({ insideMs, resolve: (host) => outcomes[host]!() });
  const told = await Promise.all(
    Object.keys(outcomes).map(async (host) => {
      const since = performance.now();
      const { code, message } = await client
        .register(callTo(`http://${host}:${freePort()}/api`, { force: false }))
        .then(() => assert.fail(host), (error) => error as SextantError);
      const took = performance.now() - since;
      assert.ok(took >= insideMs - 5 && took < 3 * insideMs, `${host} took ${took} ms`);
      return `${code} ${message.replace(/http:\S+/, "…")}`;
    }),
  );
  assert.equal(new Set(told).size, 1, told.join("\n"));
});

Deno.test("register() tells what a store behind the hub says itself", async () => {
  const store = startAlgorithmStore({ refusing: 403 });
  await assert.rejects(
    createStoreClient().register(callTo(store.url)),
    (error) => error instanceof StoreRefusal && /the store speaks/.test(error.message),
  );
  await store.stop();
});

Deno.test("approvedImage() tells at once what a store behind the hub says: no, and nothing of that name", async () => {
  const store = startStore((path) => (
    path === "/api/algorithm"
      ? Response.json({ data: [{ image: "reg.example/other" }] })
      : Response.json({ msg: "not you" }, { status: 401 })
  ));
  const client = createStoreClient({ insideMs: 60_000 });
  await assert.rejects(client.approvedImage(callTo(store.url), "avg"), said("invalid_request"));
  const other = callTo(store.url.replace("/api", "/other"));
  await assert.rejects(client.approvedImage(other, "avg"), /refuses: not you/);
  await store.stop();
});

Deno.test("all that is asked of a store together takes no longer than one question may", async () => {
  const held = Promise.withResolvers<Response>();
  // The second question is whether it is one of before 4.15, or public.
  for (const status of [404, 403]) {
    let asked = 0;
    const store = startStore(() => asked++ === 0 ? Response.json({}, { status }) : held.promise);
    const call = callTo(store.url.replace("/api", ""));
    for (const options of [{ insideMs: 1000 }, { ...ELSEWHERE, timeoutMs: 1000 }]) {
      asked = 0;
      const since = performance.now();
      await assert.rejects(createStoreClient(options).register(call));
      assert.ok(performance.now() - since < 1800);
      assert.equal(asked, 2);
    }
    held.resolve(new Response());
    await store.stop();
  }
});

Deno.test("a store's address is taken with its API path and, as before 4.15, without", async () => {
  const store = startAlgorithmStore();
  store.approved.set("reg.example/avg", null);
  const client = createStoreClient();
  for (const url of [store.url, store.url.replace(/\/api$/, ""), `${store.url}/`]) {
    await client.register(callTo(url));
    assert.equal(await client.approvedImage(callTo(url), "reg.example/avg"), "reg.example/avg");
    await client.unregister(callTo(url));
    assert.equal(store.servers.size, 0, url);
  }
  await store.stop();
});

Deno.test("requireServerUrl() gives the address with its API path, or says what to set", () => {
  for (const url of ["https://hub.example", "https://hub.example/", "https://hub.example/api/"]) {
    assert.equal(requireServerUrl(url), "https://hub.example/api");
  }
  assert.throws(() => requireServerUrl(undefined), /server_url is missing.*SEXTANT_SERVER_URL/);
});
