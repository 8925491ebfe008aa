/** A registry of container images with one image and one log-in, as much of it as a pull needs. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

export interface TestRegistry {
  /** `host:port`. */
  host: string;
  /** The digest of the image's manifest. */
  digest: string;
  /** What was asked for with the right log-in. */
  asked: string[];
  stop(): Promise<void>;
}

const digestOf = (bytes: Uint8Array | string) =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/**
 * Serves the image `one` whose only layer is the tar archive `layer`; blobs come once `gate` is
 * open.
 */
export function startTestRegistry(
  layer: Uint8Array,
  { username, password, gate }: { username: string; password: string; gate?: Promise<void> },
): TestRegistry {
  const packed = gzipSync(layer);
  const config = JSON.stringify({
    architecture: Deno.build.arch === "x86_64" ? "amd64" : "arm64",
    os: "linux",
    config: { Cmd: ["/bin/sh", "/command"], Env: ["PATH=/bin"] },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
  });
  const type = "application/vnd.docker.distribution.manifest.v2+json";
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: type,
    config: {
      mediaType: "application/vnd.docker.container.image.v1+json",
      size: config.length,
      digest: digestOf(config),
    },
    layers: [{
      mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      size: packed.length,
      digest: digestOf(packed),
    }],
  });
  const asked: string[] = [];
  const blobs: Record<string, Uint8Array<ArrayBuffer> | string> = {
    [digestOf(config)]: config,
    [digestOf(packed)]: new Uint8Array(packed),
  };
  const login = `Basic ${btoa(`${username}:${password}`)}`;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (request.headers.get("authorization") !== login) {
      return new Response("{}", {
        status: 401,
        headers: { "www-authenticate": 'Basic realm="test"' },
      });
    }
    asked.push(pathname);
    if (pathname === "/v2/") return Response.json({});
    const [, kind, name] = /^\/v2\/one\/(manifests|blobs)\/(.+)$/.exec(pathname) ?? [];
    if (kind === "manifests" && (name === "1" || name === digestOf(manifest))) {
      const headers = { "content-type": type, "docker-content-digest": digestOf(manifest) };
      return new Response(request.method === "HEAD" ? null : manifest, { headers });
    }
    const blob = kind === "blobs" ? blobs[name!] : undefined;
    if (blob !== undefined) await gate;
    if (blob !== undefined) return new Response(blob);
    return Response.json({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }, {
      status: 404,
    });
  });
  return {
    host: `127.0.0.1:${server.addr.port}`,
    digest: digestOf(manifest),
    asked,
    stop: () => server.shutdown(),
  };
}
