/**
 * The programs that a cluster needs beside those of a single hub.
 * @module
 */
import { dirname, join } from "node:path";
import { debianFolders, findPostgresBinaries } from "../postgres_binaries.ts";
import { findProgram, isExecutable } from "../process.ts";

/** Program → what it is, and what installs it. */
const NEEDED = {
  etcd: { does: "agrees on which PostgreSQL is the primary", debian: "etcd-server" },
  patroni: { does: "looks after the PostgreSQL servers", debian: "patroni" },
  caddy: { does: "is the front before the gateways and brokers", debian: "caddy" },
} as const;

export type ClusterPrograms = Record<keyof typeof NEEDED, string>;

/** Finds all of them; throws one error that says which are missing, and how to get them. */
export function findClusterPrograms(
  path = `${Deno.env.get("PATH") ?? ""}:/usr/local/bin:/usr/bin:/usr/sbin`,
): ClusterPrograms {
  const names = Object.keys(NEEDED) as (keyof typeof NEEDED)[];
  const found = Object.fromEntries(names.map((name) => [name, findProgram(name, path)]));
  const missing = names.filter((name) => !found[name]);
  if (missing.length === 0) return found as ClusterPrograms;
  throw new Error(
    `Cannot start a cluster: ${
      missing.map((name) => `${name}, which ${NEEDED[name].does},`).join(" and ")
    } is not on this machine. Install it as root, without starting what the packages would start:\n` +
      `  RUNLEVEL=1 apt-get install --no-install-recommends ${
        missing.map((name) => NEEDED[name].debian).join(" ")
      }\n` +
      `Patroni is also to be had with: pip install "patroni[etcd,etcd3,psycopg2-binary]"`,
  );
}

/** What Patroni calls; the npm package with PostgreSQL lacks some of these. */
const POSTGRES_PROGRAMS = [
  "postgres",
  "initdb",
  "pg_basebackup",
  "pg_controldata",
  "pg_ctl",
  "pg_isready",
  "pg_rewind",
];

/** The folder with all of PostgreSQL's programs that Patroni calls. */
export function findAllOfPostgres(): string {
  const found = findPostgresBinaries();
  // A folder of links to some of them, such as /usr/local/bin, leads to that with all.
  const led = found && dirname(Deno.realPathSync(join(found, "postgres")));
  const whole = [found, led, ...debianFolders()].find((folder) =>
    folder && POSTGRES_PROGRAMS.every((name) => isExecutable(join(folder, name)))
  );
  if (whole) return whole;
  throw new Error(
    `Cannot start a cluster: no folder has all of PostgreSQL's programs that Patroni needs (${
      POSTGRES_PROGRAMS.join(", ")
    }). Install it with "apt-get install postgresql", or set SEXTANT_POSTGRES_BIN to their folder.`,
  );
}
