/**
 * The images of compose.yaml for tests: one for all names, made here of Debian's packages, the real
 * nats-server and this Deno.
 * @module
 */
import { join } from "node:path";
import { findNatsServer } from "../../services/stack/nats_server.ts";
import { CACHE_FOLDER, temporaryFolder } from "../harness.ts";

/** The names in compose.yaml. */
async function imagesOf(compose: string): Promise<string[]> {
  const text = await Deno.readTextFile(compose);
  const names = text.matchAll(/^ *image: (?:\$\{\w+:-(\S+)\}|(\S+))$/gm);
  return [...new Set(Array.from(names, ([, usual, only]) => usual ?? only!))];
}

/** As PostgreSQL's image does: makes the cluster on its first start, then runs what it is told. */
const ENTRYPOINT = `#!/bin/sh
set -e
data=/var/lib/postgresql/data
if [ "$1" = postgres ] && [ "$(id -u)" != 0 ]; then
  if [ ! -s $data/PG_VERSION ]; then
    initdb -D $data -U postgres -A scram-sha-256 --pwfile="$POSTGRES_PASSWORD_FILE"
    echo "host all all all scram-sha-256" >> $data/pg_hba.conf
  fi
  exec postgres -D $data -c listen_addresses='*' -c unix_socket_directories=/tmp
fi
exec "$@"
`;
const PACKAGES = "ca-certificates,util-linux,wget,postgresql,caddy,patroni,etcd-server";
const LEFT_OUT = [
  "var/cache/apt",
  "var/lib/apt",
  "usr/share/doc",
  "usr/share/man",
  "usr/share/locale",
  "dev",
];

/** What the images say of how they are started. */
const CHANGES = [
  ...['ENTRYPOINT ["/entrypoint"]', 'CMD ["postgres"]', "ENV DENO_TLS_CA_STORE=system"],
  "ENV PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/bin:/bin:/usr/sbin:/sbin",
  ...["ENV XDG_DATA_HOME=/data", "ENV XDG_CONFIG_HOME=/config"],
].flatMap((change) => ["--change", change]);

/**
 * A folder of Podman's with an image under all names that a compose.yaml has, for others to look up
 * images in: made once, in a few minutes, and kept.
 */
export async function imagesFor(compose: string): Promise<string> {
  const store = join(CACHE_FOLDER, "compose-images-2");
  const named = join(store, "names");
  const names = (await imagesOf(compose)).map(wholeName);
  const before = await Deno.readTextFile(named).catch(() => undefined);
  if (before === names.join("\n")) return store;
  const folder = await temporaryFolder();
  // Podman takes no path of more than 50 characters for what it keeps while it runs.
  const where = ["--root", store, "--runroot", `${folder.path}/run`, "--storage-driver", "overlay"];
  const podman = (...args: string[]) => run("podman", [...where, ...args]);
  try {
    if (before === undefined) {
      await Deno.remove(store, { recursive: true }).catch(() => {}); // half of one, or none
      const archive = `${folder.path}/image.tar`;
      await makeImage(archive);
      await podman("import", ...CHANGES, archive, names[0]!);
      await Deno.remove(archive);
    }
    const [first] = before?.split("\n") ?? names;
    for (const name of names) if (name !== first) await podman("tag", first!, name);
    await Deno.writeTextFile(named, names.join("\n"));
    return store;
  } finally {
    await new Deno.Command("umount", { args: [`${store}/overlay`, store], stderr: "null" })
      .output();
    await folder.remove();
  }
}

/** As Podman looks for it. */
function wholeName(name: string): string {
  if (/^[^/]+\.[^/]+\//.test(name)) return name;
  return `docker.io/${name.includes("/") ? "" : "library/"}${name}`;
}

/** Writes the image as a tar archive. */
async function makeImage(archive: string): Promise<void> {
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  const folder = await temporaryFolder();
  const root = `${folder.path}/root`;
  try {
    await run("mmdebstrap", [
      "--variant=minbase",
      `--include=${PACKAGES}`,
      "--quiet",
      "bookworm",
      root,
    ]);
    await Deno.copyFile(Deno.execPath(), `${root}/usr/local/bin/deno`);
    await Deno.chmod(`${root}/usr/local/bin/deno`, 0o755);
    await Deno.copyFile(await findNatsServer(CACHE_FOLDER), `${root}/usr/local/bin/nats-server`);
    await Deno.writeTextFile(`${root}/entrypoint`, ENTRYPOINT, { mode: 0o755 });
    await Deno.symlink("/usr/bin/etcd", `${root}/usr/local/bin/etcd`);
    // Where this machine's own authorities are needed on the way to a registry, they are trusted.
    await Deno.copyFile(
      "/etc/ssl/certs/ca-certificates.crt",
      `${root}/etc/ssl/certs/ca-certificates.crt`,
    );
    const data = "/var/lib/postgresql/data";
    await run("chroot", [
      root,
      "install",
      "-d",
      "-o",
      "postgres",
      "-g",
      "postgres",
      "-m",
      "700",
      data,
    ]);
    const exclude = LEFT_OUT.map((path) => `--exclude=./${path}`);
    await run("tar", ["-cf", archive, "-C", root, ...exclude, "."]);
  } finally {
    await folder.remove();
  }
}

/** Runs a program; returns what it prints, and throws it when it fails. */
export async function run(
  program: string,
  args: string[],
  env = Deno.env.toObject(),
): Promise<string> {
  const output = await new Deno.Command(program, { args, env, clearEnv: true }).output();
  const [out, err] = [output.stdout, output.stderr].map((some) => new TextDecoder().decode(some));
  if (!output.success) throw new Error(`${program} ${args.join(" ")}: ${out}${err}`.slice(-3000));
  return out!;
}
