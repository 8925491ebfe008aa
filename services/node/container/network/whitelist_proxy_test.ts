import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { withContainers } from "../../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../../tests/support/container_engine.ts";
import { type ForwardProxy, startForwardProxy } from "../../../../tests/support/forward_proxy.ts";
import { silentLogger } from "../../../../shared/service/log.ts";
import { createWayOut } from "../../hub/way_out.ts";
import { startWhitelistProxy } from "./whitelist_proxy.ts";

const testEngine = useTestEngine();

/** A web server that tells what it was asked. */
async function startWeb() {
  const server = createServer(async (request, response) => {
    const body: Uint8Array[] = [];
    for await (const chunk of request) body.push(chunk);
    response.writeHead(request.url === "/moved" ? 302 : 200, {
      location: "http://elsewhere.example/",
      "x-seen": `${request.method} ${request.url} ${request.headers.host}`,
    });
    const { connection: _, ...headers } = request.headers;
    const text = new TextDecoder().decode(Uint8Array.from(body.flatMap((piece) => [...piece])));
    response.end(JSON.stringify({ headers, body: text }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() };
}

async function talk(socket: string, text: string): Promise<string> {
  using connection = await Deno.connect({ transport: "unix", path: socket });
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

Deno.test("startWhitelistProxy() passes requests and tunnels on to what is listed, and says why not", async () => {
  const folder = await Deno.makeTempDir();
  const socket = `${folder}/web`;
  const web = await startWeb();
  const stop = await startWhitelistProxy({
    socket,
    whitelist: { domains: ["files.example"], ips: ["127.0.0.1"], ports: [web.port] },
    wayOut: createWayOut(),
    log: silentLogger,
    resolve: () => Promise.resolve(["127.0.0.1"]),
  });
  const { port } = web;
  const ask = (line: string, more = "") =>
    talk(socket, `${line} HTTP/1.1\r\nHost: ignored.example\r\n${more}\r\n`);
  try {
    const close =
      "Connection: close, X-Hop\r\nX-Hop: 1\r\nProxy-Authorization: secret\r\nX-Kept: 2\r\n";
    const got = await ask(`GET http://files.example:${port}/a?b=c`, close);
    assert.match(got, /^HTTP\/1\.1 200/);
    assert.match(got, new RegExp(`x-seen: GET /a\\?b=c files\\.example:${port}`, "i"));
    assert.match(got, /"x-kept":"2"/);
    assert.doesNotMatch(got, /secret|x-hop|ignored/i);

    const posted = await talk(
      socket,
      `POST http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`,
    );
    assert.match(posted, /"body":"hello"/);
    const moved = await ask(`GET http://files.example:${port}/moved`, "Connection: close\r\n");
    assert.match(moved, /^HTTP\/1\.1 302[^]*location: http:\/\/elsewhere\.example/i);

    using tunnel = await Deno.connect({ transport: "unix", path: socket });
    const inner = `GET /inner HTTP/1.1\r\nHost: inner.example\r\nConnection: close\r\n\r\n`;
    await tunnel.write(
      new TextEncoder().encode(`CONNECT files.example:${port} HTTP/1.1\r\nHost: x\r\n\r\n`),
    );
    const buffer = new Uint8Array(1000);
    const size = await tunnel.read(buffer);
    assert.match(
      new TextDecoder().decode(buffer.subarray(0, size!)),
      /^HTTP\/1\.1 200 .*\r\n\r\n$/,
    );
    await tunnel.write(new TextEncoder().encode(inner));
    assert.match(await new Response(tunnel.readable).text(), /x-seen: GET \/inner inner\.example/i);

    for (
      const [line, status, reason] of [
        [`GET http://evil.example:${port}/`, 403, /not in whitelist\.domains/],
        [`GET http://files.example:1/`, 403, /port 1 is not in/],
        [`GET http://user@evil.example:${port}/`, 403, /evil\.example/],
        [`CONNECT evil.example:${port}`, 403, /not in whitelist\.domains/],
        ["CONNECT files.example:22", 403, /port 22 is not in/],
        [`CONNECT 127.0.0.2:${port}`, 403, /not in whitelist\.ips/],
        ["CONNECT files.example", 403, /no host and port/],
        ["GET /plain", 400, /This is a proxy/],
        [`GET ftp://files.example:${port}/`, 400, /This is a proxy/],
      ] as const
    ) {
      const answer = await ask(line, "Connection: close\r\n");
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), line);
      assert.match(answer, reason, line);
    }
    web.stop();
  } finally {
    stop();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("startWhitelistProxy() survives a web server that speaks no HTTP", async () => {
  const folder = await Deno.makeTempDir();
  const socket = `${folder}/web`;
  const web = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = web.addr as Deno.NetAddr;
  let answer = "";
  let last = "";
  (async () => {
    for await (const connection of web) {
      await connection.read(new Uint8Array(1000));
      await connection.write(new TextEncoder().encode(answer));
      connection.close();
    }
  })();
  const stop = await startWhitelistProxy({
    socket,
    whitelist: { domains: ["files.example"], ips: ["127.0.0.1"], ports: [port] },
    wayOut: createWayOut(),
    log: silentLogger,
    resolve: () => Promise.resolve(["127.0.0.1"]),
  });
  try {
    for (
      answer of [
        "HTTP/1.1 999 Odd\r\n\r\n",
        "HTTP/1.1 042 Odd\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\u0000b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\u0007b\r\n\r\n",
        "SSH-2.0-x\r\n",
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      ]
    ) {
      const line = `GET http://files.example:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close`;
      last = await talk(socket, `${line}\r\n\r\n`);
    }
    assert.match(last, /^HTTP\/1\.1 200 OK[^]*ok$/);
  } finally {
    stop();
    web.close();
    await Deno.remove(folder, { recursive: true });
  }
});

interface Behind {
  proxy: ForwardProxy;
  /** The port of a web server that only the proxy knows the names of. */
  port: number;
  /** What the owner reads. */
  log: string[];
  ask(line: string, more?: string): Promise<string>;
}

/** A whitelist proxy of a node that gets out through a forward proxy. */
async function behindProxy(
  use: (given: Behind) => Promise<void>,
  { login, as = login, noProxy = [], resolve }: {
    /** What the forward proxy wants, and what the node has. */
    login?: string;
    as?: string;
    noProxy?: string[];
    resolve: (name: string) => Promise<string[]>;
  },
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const web = await startWeb();
  const proxy = await startForwardProxy(login ? { login } : {});
  const url = new URL(`http://${as ? `${as}@` : ""}${proxy.address}`);
  const wayOut = createWayOut({ secureProxy: url, plainProxy: url, noProxy, authorities: [] });
  const log: string[] = [];
  const warn = (text: string, fields: unknown) => void log.push(`${text} ${Deno.inspect(fields)}`);
  const socket = `${folder}/web`;
  const stop = await startWhitelistProxy({
    socket,
    whitelist: {
      domains: ["files.test", "direct.test", "mine.test", "lost.test"],
      ips: ["203.0.113.5"],
      ports: [80, 443, web.port],
    },
    wayOut,
    log: { ...silentLogger, warn },
    resolve,
  });
  try {
    const ask = (line: string, more = "") =>
      talk(socket, `${line} HTTP/1.1\r\nHost: ignored.example\r\n${more}\r\n`);
    await use({ proxy, port: web.port, log, ask });
  } finally {
    stop();
    wayOut.close();
    await proxy.stop();
    web.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

const unknownHere = () => Promise.reject(new Error("ENOTFOUND"));
const INNER = "GET /inner HTTP/1.1\r\nHost: inner.test\r\nConnection: close\r\n\r\n";
const CLOSE = "Connection: close\r\nProxy-Authorization: mine\r\n";

Deno.test("startWhitelistProxy() goes through the owner's proxy, by the names that only that knows", async () => {
  await behindProxy(async ({ proxy, port, ask }) => {
    proxy.routes.set("files.test:443", port);
    proxy.routes.set("files.test:80", port);
    proxy.routes.set("203.0.113.5:443", port);
    const tunnelled = await ask("CONNECT files.test.:443", "\r\n" + INNER);
    assert.match(tunnelled, /^HTTP\/1\.1 200 .*\r\n\r\nHTTP\/1\.1 200[^]*GET \/inner inner\.test/);
    assert.match(await ask("CONNECT 203.0.113.5:443", "\r\n" + INNER), /GET \/inner inner\.test/);
    // A path that begins with two slashes is no other host.
    for (const path of ["/a?b=c", "//evil.test/x"]) {
      const got = await ask(`GET http://files.test${path}`, CLOSE);
      assert.match(got, /^HTTP\/1\.1 200/);
      assert.ok(got.includes(`x-seen: GET ${path} files.test`), got);
      assert.doesNotMatch(got, /"proxy-authorization":"mine"/);
    }
    assert.deepEqual(proxy.passed, [
      "CONNECT files.test:443",
      "CONNECT 203.0.113.5:443",
      "GET http://files.test/a?b=c",
      "GET http://files.test//evil.test/x",
    ]);
    for (
      const line of ["CONNECT evil.test:443", "CONNECT 203.0.113.6:443", "CONNECT files.test:1"]
    ) {
      assert.match(await ask(line), /^HTTP\/1\.1 403/, line);
    }
    assert.equal(proxy.passed.length, 4);
  }, { login: "reader:secret", resolve: unknownHere });
});

Deno.test("startWhitelistProxy() reaches directly what no_proxy names, and judges its addresses", async () => {
  await behindProxy(async ({ proxy, port, ask }) => {
    const answer = await ask(`CONNECT direct.test:${port}`, "\r\n" + INNER);
    assert.match(answer, /^HTTP\/1\.1 403 [^]*leads to this machine/);
    assert.deepEqual(proxy.passed, []);
  }, { noProxy: [".test"], resolve: () => Promise.resolve(["127.0.0.1"]) });
});

Deno.test("startWhitelistProxy() asks no proxy for a name that leads to this machine", async () => {
  const own = Deno.networkInterfaces().map(({ address }) => address);
  for (const address of ["127.0.0.1", "169.254.169.254", "::1", own[0]!]) {
    await behindProxy(async ({ proxy, port, ask }) => {
      proxy.routes.set("mine.test:443", port);
      assert.match(await ask("CONNECT mine.test:443"), /^HTTP\/1\.1 403 [^]*this machine/, address);
      assert.match(await ask("GET http://mine.test/", CLOSE), /^HTTP\/1\.1 403/, address);
      assert.deepEqual(proxy.passed, []);
    }, { resolve: () => Promise.resolve(["198.51.100.7", address]) });
  }
});

Deno.test("startWhitelistProxy() tells its owner alone why a proxy does not lead on", async () => {
  await behindProxy(async ({ ask, log, proxy }) => {
    for (const line of ["CONNECT files.test:443", "GET http://files.test/"]) {
      const answer = await ask(line, CLOSE);
      assert.match(answer, /^HTTP\/1\.1 502 [^]*own proxy does not lead there/, line);
      assert.ok(!answer.includes(proxy.address), answer);
    }
    assert.equal(proxy.refused, 2);
    assert.equal(log.length, 2, log.join("\n"));
    for (const line of log) assert.match(line, /files\.test[^]*wants a name and password/);
  }, { login: "reader:secret", as: "reader:wrong", resolve: unknownHere });
  await behindProxy(async ({ ask, log }) => {
    assert.match(await ask("CONNECT lost.test:443"), /^HTTP\/1\.1 502/);
    assert.match(log.join(), /502 Bad Gateway[^]*does not let it through/);
  }, { resolve: unknownHere });
});

Deno.test(
  containerTest(
    "Containers reach on the web what is listed, by the proxy alone, and the owner reads of the rest",
  ),
  async () => {
    const web = await startWeb();
    const whitelist = { domains: ["files.example"], ips: ["127.0.0.1"], ports: [web.port] };
    await withContainers(testEngine(), async ({ run, log }) => {
      const { log: text } = await run(`
        export http_proxy=http://squid:3128
        wget -qO- http://127.0.0.1:${web.port}/yes
        wget -O- http://evil.example:${web.port}/no 2>&1
        unset http_proxy
        wget -O- http://127.0.0.1:${web.port}/direct 2>&1
        env | grep -c -i '_proxy='`);
      assert.match(text, /"host":"127\.0\.0\.1:/);
      assert.match(text, /403 Forbidden/);
      assert.match(text, /can't connect to remote host \(127\.0\.0\.1\)/);
      assert.match(text, /^5$/m);
      assert.match(log.join("\n"), /refused a connection[^]*evil\.example/);
    }, { whitelist });
    await withContainers(testEngine(), async ({ run }) => {
      const { log: text } = await run(`nc -w 2 squid 3128 || echo none; env | grep -i proxy; true`);
      assert.match(text, /none/);
      assert.doesNotMatch(text, /_proxy/i);
    });
    web.stop();
  },
);
