import assert from "node:assert/strict";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import {
  algorithmNames,
  resolveAlgorithm,
  type ResolveAlgorithmOptions,
  type ResolvedAlgorithm,
} from "./algorithm_store.ts";

const SOURCE = "export function central() { return 1; }\n";

interface Place {
  folder: string;
  cacheDir: string;
  /** Requests that reached the web server. */
  requests: string[];
  /** Address of the web server, which serves SOURCE as /a.ts. */
  origin: string;
  resolve(reference: string, options?: Partial<ResolveAlgorithmOptions>): Promise<unknown>;
}

async function withPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const cacheDir = `${folder}/cache`;
  const requests: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    requests.push(pathname);
    if (pathname === "/moved.ts") return Response.redirect(new URL("/a.ts", request.url));
    if (pathname === "/big.ts") return new Response("x".repeat(5000));
    return pathname === "/a.ts" ? new Response(SOURCE) : new Response("", { status: 404 });
  });
  try {
    await use({
      folder,
      cacheDir,
      requests,
      origin: `http://127.0.0.1:${server.addr.port}`,
      resolve: (reference, options = {}) =>
        resolveAlgorithm(reference, {
          folders: [`${folder}/none`, folder],
          cacheDir,
          allowLoopbackHttp: true,
          ...options,
        }),
    });
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

async function refusal(resolving: Promise<unknown>): Promise<string> {
  const error = await resolving.then(() => assert.fail("was accepted"), (thrown) => thrown);
  assert.ok(error instanceof SextantError, String(error));
  return error.message;
}

Deno.test("resolveAlgorithm() finds an algorithm by name and version in the folders", async () => {
  await withPlace(async ({ folder, cacheDir, resolve }) => {
    await Deno.writeTextFile(`${folder}/average@1.0.0.ts`, SOURCE);
    const digest = await sha256Hex(SOURCE);
    assert.deepEqual(await resolve("deno:average@1.0.0"), {
      name: "average@1.0.0.ts",
      path: `${cacheDir}/${digest}.ts`,
      code: `sha256:${digest}`,
    });
    assert.match(
      await refusal(resolve("deno:averge@1.0.0")),
      /no algorithm deno:averge@1\.0\.0\. Did you mean deno:average@1\.0\.0\?/,
    );
    assert.match(
      await refusal(resolve("deno:average@2.0.0-rc1")),
      /Did you mean deno:average@1\.0\.0\?/,
    );
    await Deno.writeTextFile(`${folder}/loud@1.0.0.ts`, SOURCE);
    assert.match(await refusal(resolve("deno:nosuch@1.0.0")), /deno:nosuch@1\.0\.0\.$/);
  });
});

Deno.test("resolveAlgorithm() finds an algorithm of the library, unless a folder has it or the owner has not", async () => {
  await withPlace(async ({ folder, resolve }) => {
    const name = "deno:histogram@1.0.0";
    assert.match(await refusal(resolve(name)), /no algorithm deno:histogram@1\.0\.0\.$/);
    const library = { library: true };
    const found = await resolve(name, library) as ResolvedAlgorithm;
    const bytes = await Deno.readFile(found.path);
    assert.equal(found.name, "histogram@1.0.0.js");
    assert.equal(found.code, `sha256:${await sha256Hex(bytes)}`);
    assert.deepEqual(await resolve(name, library), found);
    assert.match(
      await refusal(resolve("deno:histgram@1.0.0", library)),
      /Did you mean deno:histogram@1\.0\.0\?/,
    );
    await Deno.writeTextFile(`${folder}/histogram@1.0.0.ts`, SOURCE);
    assert.deepEqual(await algorithmNames({ folders: [folder] }), ["histogram@1.0.0"]);
    const own = await resolve(name, library) as ResolvedAlgorithm;
    assert.equal(await Deno.readTextFile(own.path), SOURCE);
  });
});

Deno.test("resolveAlgorithm() keeps the bytes of a file that is changed or removed afterwards", async () => {
  await withPlace(async ({ folder, cacheDir, resolve }) => {
    const file = `${folder}/average@1.0.0.ts`;
    const codes: string[] = [];
    for (const text of [SOURCE, `${SOURCE}// changed\n`, SOURCE]) {
      await Deno.writeTextFile(file, text);
      const { path, code } = await resolve("deno:average@1.0.0") as ResolvedAlgorithm;
      await Deno.writeTextFile(file, "something else");
      await Deno.remove(file);
      assert.equal(await Deno.readTextFile(path), text);
      assert.equal(code, `sha256:${await sha256Hex(text)}`);
      codes.push(code);
    }
    assert.equal(codes[0], codes[2]);
    assert.notEqual(codes[0], codes[1]);
    const kept = (await Array.fromAsync(Deno.readDir(cacheDir))).map(({ name }) => name).sort();
    assert.deepEqual(kept, [...new Set(codes)].map((one) => `${one.slice(7)}.ts`).sort());
  });
});

Deno.test("resolveAlgorithm() keeps a named file anew when the kept one was changed", async () => {
  await withPlace(async ({ folder, resolve }) => {
    await Deno.writeTextFile(`${folder}/average@1.0.0.ts`, SOURCE);
    const { path } = await resolve("deno:average@1.0.0") as ResolvedAlgorithm;
    await Deno.writeTextFile(path, "evil");
    await resolve("deno:average@1.0.0");
    assert.equal(await Deno.readTextFile(path), SOURCE);
  });
});

Deno.test("resolveAlgorithm() refuses names that lead elsewhere, and symbolic links", async () => {
  await withPlace(async ({ folder, resolve }) => {
    await Deno.writeTextFile(`${folder}/secret@1.ts`, SOURCE);
    await Deno.mkdir(`${folder}/sub`);
    await Deno.symlink(`${folder}/secret@1.ts`, `${folder}/link@1.ts`);
    const names = ["../secret@1", "sub/../secret@1", "secret@1/../1", "secret@../1", "secret@1\n"];
    for (const name of [...names, "/etc/passwd@1", ".@1", "secret@1\0", "secret", "@1", ""]) {
      assert.match(await refusal(resolve(`deno:${name}`)), /not a valid reference/, name);
    }
    assert.match(await refusal(resolve("deno:link@1")), /no algorithm deno:link@1/);
  });
});

Deno.test("resolveAlgorithm() says that containers are not supported", async () => {
  await withPlace(async ({ resolve }) => {
    for (const image of ["harbor.example/average:4", "average@1.0.0", "https://a.example/a.ts"]) {
      assert.match(
        await refusal(resolve(image)),
        /no container engine, so container images are not supported/,
      );
    }
  });
});

Deno.test("resolveAlgorithm() fetches once, and keeps what has the right digest", async () => {
  await withPlace(async ({ origin, cacheDir, requests, resolve }) => {
    const digest = await sha256Hex(SOURCE);
    const reference = `deno:${origin}/a.ts#sha256=${digest}`;
    const expected = {
      name: `${digest.slice(0, 12)}.ts`,
      path: `${cacheDir}/${digest}.ts`,
      code: `sha256:${digest}`,
    };
    assert.deepEqual(await resolve(reference), expected);
    assert.equal(await Deno.readTextFile(expected.path), SOURCE);
    assert.deepEqual(await resolve(reference.replace(digest, digest.toUpperCase())), expected);
    assert.equal(requests.length, 1);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(cacheDir))).map(({ name }) => name), [
      `${digest}.ts`,
    ]);
  });
});

Deno.test("resolveAlgorithm() fetches again when the kept file was changed", async () => {
  await withPlace(async ({ origin, cacheDir, requests, resolve }) => {
    const digest = await sha256Hex(SOURCE);
    await Deno.mkdir(cacheDir);
    await Deno.writeTextFile(`${cacheDir}/${digest}.ts`, "evil");
    await resolve(`deno:${origin}/a.ts#sha256=${digest}`);
    assert.equal(await Deno.readTextFile(`${cacheDir}/${digest}.ts`), SOURCE);
    assert.equal(requests.length, 1);
  });
});

Deno.test("resolveAlgorithm() keeps nothing that has another digest, is too large or cannot be had", async () => {
  await withPlace(async ({ origin, cacheDir, resolve }) => {
    const digest = `#sha256=${"0".repeat(64)}`;
    const other = await refusal(resolve(`deno:${origin}/a.ts${digest}`));
    assert.match(other, new RegExp(`not the one .* its SHA-256 is ${await sha256Hex(SOURCE)}`));
    assert.match(
      await refusal(resolve(`deno:${origin}/big.ts${digest}`, { maxBytes: 4000 })),
      /larger than the 4000 bytes/,
    );
    for (const path of ["/none.ts", "/moved.ts"]) {
      assert.match(await refusal(resolve(`deno:${origin}${path}${digest}`)), /could not fetch/);
    }
    await assert.rejects(Deno.stat(cacheDir), Deno.errors.NotFound);
  });
});

Deno.test("resolveAlgorithm() refuses addresses that cannot be verified or trusted", async () => {
  await withPlace(async ({ origin, resolve, requests }) => {
    const digest = `#sha256=${"0".repeat(64)}`;
    const cases: [address: string, why: RegExp, options?: Partial<ResolveAlgorithmOptions>][] = [
      ["https://a.example/a.ts", /must end in #sha256=/],
      ["https://a.example/a.ts#sha256=12", /must end in #sha256=/],
      [`http://a.example/a.ts${digest}`, /must be https/],
      [`${origin}/a.ts${digest}`, /must be https/, { allowLoopbackHttp: false }],
      [`https://me:secret@a.example/a.ts${digest}`, /user name or password/],
      [`https://a.example/a.py${digest}`, /must end in \.ts/],
      [`https://${digest}`, /not a valid address/],
    ];
    for (const [address, why, options] of cases) {
      assert.match(await refusal(resolve(`deno:${address}`, options)), why);
    }
    assert.match(await refusal(resolve(`deno:file:///etc/a.ts${digest}`)), /not a valid reference/);
    assert.equal(requests.length, 0);
  });
});
