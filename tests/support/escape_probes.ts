/**
 * Every way out of the sandbox that we know of, as an algorithm that tries it.
 * @module
 */

/** What must not get out. */
export const SECRET = "diagnosis-7042";
/** A variable of the agent's environment that holds it. */
export const VARIABLE = "SEXTANT_ESCAPE_TEST";

/**
 * What lies about on the host. Everything in it is readable for every user, so that only the
 * sandbox is tried.
 */
export interface Host {
  folder: string;
  /** Ports on the loopback interface: one answers HTTP and WebSockets, one any connection. */
  http: number;
  tcp: number;
}

export interface Probe {
  name: string;
  /** Stands before the method. */
  imports?: string;
  /** The method's body; what it returns has escaped. */
  body: string;
  /** Set if it cannot be arranged that this succeeds without a sandbox. */
  onlyInside?: boolean;
  /** How it fails, if not for want of a permission. */
  refusal?: RegExp;
}

/** The probes for this host, each of which succeeds there when nothing holds it back. */
export function probesOf(host: Host): Probe[] {
  return [
    ...moduleProbes(host),
    ...fileProbes(host),
    ...systemProbes(host),
    ...networkProbes(host),
    ...processProbes(host),
    ...workerProbes(host),
  ];
}

/** Modules: Deno checks no permission for some of these when the algorithm is the main module. */
function moduleProbes({ folder, http }: Host): Probe[] {
  const url = `file://${folder}`;
  const reexport = `export { default } from "${url}/secret.ts"`;
  return [
    {
      name: "static import of JSON",
      imports: `import it from "${url}/secret.json" with { type: "json" };`,
      body: "return it;",
    },
    {
      name: "static import of text",
      imports: `import it from "${url}/secret.txt" with { type: "text" };`,
      body: "return it;",
    },
    {
      name: "static import of bytes",
      imports: `import it from "${url}/secret.txt" with { type: "bytes" };`,
      body: "return new TextDecoder().decode(it);",
      onlyInside: true,
      refusal: /type of "bytes" is unsupported/,
    },
    {
      name: "static import of a module",
      imports: `import it from "${url}/secret.ts";`,
      body: "return it;",
    },
    {
      name: "static export from a module",
      imports: `export { default } from "${url}/secret.ts";`,
      body: `return (await import("${url}/secret.ts")).default;`,
    },
    { name: "literal import()", body: bundle("json", `"${url}/secret.json"`) },
    { name: "literal import() of a module", body: bundle("", `"${url}/secret.ts"`) },
    { name: "computed import()", body: bundle("json", `["${url}", "secret.json"].join("/")`) },
    {
      name: "import() in eval",
      body: `return await eval(${quote(`import("${url}/secret.ts")`)});`,
    },
    {
      name: "import() in new Function",
      body: `return await new Function(${quote(`return import("${url}/secret.ts")`)})();`,
    },
    {
      name: "data: module with a static import",
      body: bundle("", quote(dataModule(reexport))),
    },
    {
      name: "data: module in a data: module with a static import",
      body: bundle("", quote(dataModule(`export { default } from "${dataModule(reexport)}"`))),
    },
    {
      name: "static import of a data: module with a static import",
      imports: `import it from ${quote(dataModule(reexport))};`,
      body: "return it;",
    },
    {
      name: "blob: module with a static import",
      body: `const source = ${quote(reexport)};
        const blob = new Blob([source], { type: "text/javascript" });
        ${bundle("", "URL.createObjectURL(blob)")}`,
    },
    {
      name: "require() of JSON",
      body: `const { createRequire } = await import("node:module");
        return createRequire(import.meta.url)("${folder}/secret.json");`,
    },
    {
      name: "module hooks",
      body: `const { registerHooks } = await import("node:module");
        registerHooks({ load: (address, context, next) => next(address, context) });
        ${bundle("", `"${url}/secret.ts"`)}`,
    },
    ...["http", "https"].map((scheme) => ({
      name: `${scheme}: import`,
      body: bundle("", `"${scheme}://127.0.0.1:${http}/secret.ts"`),
      onlyInside: scheme === "https",
      refusal: /Requires import access|--no-remote|remote specifier/i,
    })),
    {
      name: "npm: import",
      body: bundle("", `["npm:", "ws"].join("")`),
      onlyInside: true,
      refusal: /npm specifiers were requested; but --no-npm|--no-npm/,
    },
    {
      name: "jsr: import",
      body: bundle("", `["jsr:", "@std/path"].join("")`),
      onlyInside: true,
      refusal: /--no-remote|Requires import access/,
    },
    {
      name: "static npm: import",
      imports: `import it from "npm:ws";`,
      body: "return it;",
      onlyInside: true,
      refusal: /--no-npm/,
    },
  ];
}

/** Files. */
function fileProbes({ folder }: Host): Probe[] {
  const url = `file://${folder}`;
  return [
    { name: "Deno.readTextFile", body: `return await Deno.readTextFile("${folder}/secret.txt");` },
    {
      name: "/etc/passwd",
      body: `return "${SECRET}" + Deno.readTextFileSync("/etc/passwd");`,
    },
    {
      name: "path traversal from the algorithm's own file",
      body:
        `return Deno.readTextFileSync(new URL("../../../../../../../..${folder}/secret.txt", import.meta.url));`,
    },
    { name: "stat", body: `return "${SECRET}" + (await Deno.stat("${folder}/secret.txt")).size;` },
    {
      name: "list of a folder",
      body: `return "${SECRET}" + [...Deno.readDirSync("${folder}")].length;`,
    },
    {
      name: "list of the run's own folder",
      body: `return "${SECRET}" + [...Deno.readDirSync(new URL(".", import.meta.url))].length;`,
    },
    {
      name: "fetch of a file",
      body: `return await (await fetch("${url}/secret.txt")).text();`,
    },
    {
      name: "node:fs",
      body: `return (await import("node:fs")).readFileSync("${folder}/secret.txt", "utf8");`,
    },
    {
      name: "process.getBuiltinModule",
      body: `return process.getBuiltinModule("fs").readFileSync("${folder}/secret.txt", "utf8");`,
    },
    {
      name: "process.loadEnvFile",
      body: `process.loadEnvFile("${folder}/secret.env"); return process.env.LEAK;`,
    },
    {
      name: "/proc/self/environ",
      body: `return Deno.readTextFileSync("/proc/self/environ");`,
    },
    {
      name: "the agent's environment",
      body: `return "${SECRET}" + Deno.readTextFileSync("/proc/" + Deno.ppid + "/environ");`,
    },
    {
      name: "the root through /proc",
      body: `return Deno.readTextFileSync("/proc/self/root${folder}/secret.txt");`,
    },
    {
      name: "SQLite file",
      body: `const { DatabaseSync } = await import("node:sqlite");
        return new DatabaseSync("${folder}/secret.sqlite").prepare("select * from t").all();`,
    },
    {
      name: "SQLite attach",
      body: `const { DatabaseSync } = await import("node:sqlite");
        const database = new DatabaseSync(":memory:");
        database.exec("attach '${folder}/secret.sqlite' as other");
        return database.prepare("select * from other.t").all();`,
      refusal: /too many attached databases - max 0/,
    },
    {
      name: "SQLite vacuum into",
      body: `const { DatabaseSync } = await import("node:sqlite");
        new DatabaseSync(":memory:").exec("vacuum into '${folder}/written-' || hex(randomblob(8))");
        return "${SECRET}";`,
      refusal: /too many attached databases - max 0/,
    },
    {
      name: "SQLite extension",
      body: `const { DatabaseSync } = await import("node:sqlite");
        new DatabaseSync(":memory:", { allowExtension: true }).loadExtension("${folder}/x.so");
        return "${SECRET}";`,
      onlyInside: true,
    },
    {
      name: "WASI",
      body: `const { WASI } = await import("node:wasi");
        return "${SECRET}" + new WASI({ version: "preview1", preopens: { "/": "${folder}" } });`,
      refusal: /failed to open preopen|Requires/,
    },
    {
      name: "write outside",
      body: `await Deno.writeTextFile("${folder}/written", "x"); return "${SECRET}";`,
    },
    {
      name: "write in the run's folder",
      body:
        `await Deno.writeTextFile(new URL("written", import.meta.url), "x"); return "${SECRET}";`,
    },
    {
      name: "symbolic link in the run's folder",
      body: `const link = new URL("link", import.meta.url).pathname;
        Deno.symlinkSync("${folder}/secret.txt", link); return Deno.readTextFileSync(link);`,
      refusal: /requires unscoped --allow-read/,
    },
    {
      name: "hard link in the run's folder",
      body: `const link = new URL("hard-link", import.meta.url).pathname;
        Deno.linkSync("${folder}/secret.txt", link); return Deno.readTextFileSync(link);`,
    },
    {
      name: "heap snapshot",
      body: `(await import("node:v8")).writeHeapSnapshot("${folder}/heap"); return "${SECRET}";`,
    },
    {
      name: "localStorage",
      body: `localStorage.setItem("key", "${SECRET}"); return localStorage.getItem("key");`,
      refusal: /ermission denied/,
    },
    {
      name: "web cache",
      body: `const cache = await caches.open("it");
        await cache.put("http://it/", new Response("${SECRET}"));
        return await (await cache.match("http://it/")).text();`,
      refusal: /Failed to create cache storage directory/,
    },
  ];
}

/** Environment and system. */
function systemProbes({}: Host): Probe[] {
  return [
    { name: "Deno.env", body: `return Deno.env.get("${VARIABLE}");` },
    {
      name: "process.env",
      body: `const value = process.env.${VARIABLE};
        if (value === undefined) throw new Error("is not there"); return value;`,
      refusal: /is not there|Requires env access/,
    },
    { name: "Deno.hostname", body: `return "${SECRET}" + Deno.hostname();` },
    {
      name: "node:os",
      body: `const os = await import("node:os");
        return "${SECRET}" + JSON.stringify([os.hostname(), os.networkInterfaces()]);`,
    },
    {
      name: "permission request",
      body: `const { state } = await Deno.permissions.request({ name: "read" });
        if (state !== "granted") throw new Error(state); return "${SECRET}";`,
      refusal: /^Error: denied/,
    },
  ];
}

/** Network. */
function networkProbes({ folder, http, tcp }: Host): Probe[] {
  return [
    {
      name: "fetch",
      body: `return await (await fetch("http://127.0.0.1:${http}/secret")).text();`,
    },
    {
      name: "TCP",
      body: `const connection = await Deno.connect({ port: ${tcp} });
        return await new Response(connection.readable).text();`,
    },
    {
      name: "node:net",
      body: `const net = await import("node:net");
        return await new Promise((resolve, reject) => net.connect(${tcp}, "127.0.0.1")
          .on("data", (data) => resolve(String(data))).on("error", reject));`,
    },
    {
      name: "unix socket",
      body: `const connection = await Deno.connect({ transport: "unix", path: "${folder}/socket" });
        return await new Response(connection.readable).text();`,
    },
    {
      name: "WebSocket",
      body: `return await new Promise((resolve, reject) => {
          const socket = new WebSocket("ws://127.0.0.1:${http}/");
          socket.onmessage = ({ data }) => { resolve(data); socket.close(); };
          socket.onerror = (event) => reject(new Error(event.message)); });`,
    },
    {
      name: "UDP",
      body: `const dgram = await import("node:dgram");
        const socket = dgram.createSocket("udp4");
        await new Promise((resolve, reject) =>
          socket.send("x", ${tcp}, "127.0.0.1", (error) => error ? reject(error) : resolve()));
        socket.close();
        return "${SECRET}";`,
    },
    {
      name: "DNS",
      body: `return "${SECRET}" + await Deno.resolveDns("localhost", "A");`,
      onlyInside: true,
    },
    {
      name: "listening",
      body: `Deno.listen({ port: 0 }).close(); return "${SECRET}";`,
    },
  ];
}

/** Processes and native code. */
function processProbes({ folder }: Host): Probe[] {
  return [
    {
      name: "Deno.Command",
      body:
        `const { stdout } = await new Deno.Command("/bin/cat", { args: ["${folder}/secret.txt"] }).output();
        return new TextDecoder().decode(stdout);`,
    },
    {
      name: "node:child_process",
      body: `const { execSync } = await import("node:child_process");
        return String(execSync("/bin/cat ${folder}/secret.txt"));`,
    },
    {
      name: "FFI",
      body:
        `const library = Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } });
        return "${SECRET}" + library.symbols.getpid();`,
    },
    {
      name: "FFI by Deno's internals",
      body: `const { ops } = Deno[Deno.internal].core;
        return "${SECRET}" + typeof ops.op_ffi_ptr_of_exact(new Uint8Array(8));`,
      // What nothing has loaded is not there to be called.
      refusal: /Requires|not a function/,
    },
    {
      name: ".node addon",
      body: `const { createRequire } = await import("node:module");
        return createRequire(import.meta.url)("${folder}/addon.node");`,
      onlyInside: true,
    },
    {
      name: "process.dlopen",
      body: `process.dlopen({ exports: {} }, "${folder}/addon.node"); return "${SECRET}";`,
      onlyInside: true,
      refusal: /Requires|Cannot find|not a function/,
    },
    {
      name: "signal to the agent",
      body: `Deno.kill(Deno.ppid, "SIGCONT"); return "${SECRET}";`,
    },
    { name: "process.kill", body: `process.kill(Deno.ppid, 0); return "${SECRET}";` },
    {
      name: "inspector",
      body: `const inspector = await import("node:inspector");
        inspector.open(0, "127.0.0.1"); inspector.close(); return "${SECRET}";`,
    },
    {
      name: "setuid",
      body: `process.setuid(process.getuid()); return "${SECRET}";`,
    },
    {
      name: "GPU",
      body: `if (await navigator.gpu.requestAdapter() === null) throw new Error("there is none");
        return "${SECRET}";`,
      onlyInside: true,
      refusal: /^Error: there is none/,
    },
  ];
}

/** Workers. */
function workerProbes({ folder }: Host): Probe[] {
  const url = `file://${folder}`;
  return [
    {
      name: "worker that reads a file",
      body: worker(
        `try { postMessage(Deno.readTextFileSync("${folder}/secret.txt")) } catch (error) { postMessage({ error }) }`,
      ),
    },
    {
      name: "worker with a static import",
      body: worker(`import it from "${url}/secret.ts"; postMessage(it);`),
    },
    {
      name: "worker from a file",
      body: `return await new Promise((resolve, reject) => {
          const worker = new Worker("${url}/worker.ts", { type: "module" });
          worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
          worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); }; });`,
    },
    {
      name: "worker with permissions of its own",
      body: worker(
        `postMessage(Deno.readTextFileSync("${folder}/secret.txt"))`,
        `{ type: "module", deno: { permissions: { read: true } } }`,
      ),
      onlyInside: true,
      refusal: /exit code 70/,
    },
    {
      name: "node:worker_threads",
      body: `const { Worker } = await import("node:worker_threads");
        const source = ${
        quote(
          `const { parentPort } = require("worker_threads");
           parentPort.postMessage(require("fs").readFileSync("${folder}/secret.txt", "utf8"));`,
        )
      };
        return await new Promise((resolve, reject) => new Worker(source, { eval: true })
          .on("message", resolve).on("error", reject));`,
    },
  ];
}

/** The address of a module with this source. */
function dataModule(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/** A body that runs a worker with this source, and returns what that sends. */
function worker(source: string, options = `{ type: "module" }`): string {
  return `const address = "data:text/javascript," + encodeURIComponent(${quote(source)});
     return await new Promise((resolve, reject) => {
       const worker = new Worker(address, ${options});
       worker.onmessage = ({ data }) => { worker.terminate(); data.error ? reject(data.error) : resolve(data); };
       worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
     });`;
}

/** A body that imports an address as a module of this kind, and returns what that exports. */
function bundle(kind: string, address: string): string {
  const options = kind === "" ? "" : `, { with: { type: "${kind}" } }`;
  return `return (await import(${address}${options})).default;`;
}
