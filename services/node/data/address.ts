/**
 * Where a database is that is no file: what its configured address tells of host and port.
 * @module
 */
import { isIP } from "node:net";
import type { Target } from "../container/network/routes.ts";
import type { DatabaseType } from "./types.ts";

/**
 * Ports of schemes, and of what a database's `DBMS` is called. The part of a scheme after `+` is
 * its driver.
 */
const PORTS: Readonly<Record<string, number>> = {
  http: 80,
  https: 443,
  postgresql: 5432,
  postgres: 5432,
  redshift: 5439,
  mysql: 3306,
  mariadb: 3306,
  mssql: 1433,
  sqlserver: 1433,
  "sql server": 1433,
  oracle: 1521,
  clickhouse: 8123,
  trino: 8080,
  mongodb: 27017,
};

const HOST = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?$/i;

/**
 * Hosts and ports that a database's address names: none if it names none, or no port that could be
 * known. `postgresql://user:password@db.example/research`, several hosts, `?host=` and `jdbc:` are
 * understood.
 */
export function addressesOf(
  { type, uri, env = {} }: {
    type: DatabaseType;
    uri: string;
    env?: Record<string, string> | undefined;
  },
): Target[] {
  const dbms = Object.entries(env).find(([key]) => key.toUpperCase() === "DBMS")?.[1];
  const [, scheme, rest = ""] = /^(?:jdbc:)?(?:([a-z][a-z0-9+.-]*):)?\/\/(.*)$/is.exec(uri) ??
    // What OHDSI programs take: server/database, of a kind that a variable tells.
    (type === "omop" && dbms && !/^[a-z][a-z0-9+.-]*:[^\d]/i.test(uri) ? [, undefined, uri] : []);
  const kind = scheme?.split("+")[0] ?? dbms ?? "";
  const port = PORTS[kind.toLowerCase()];
  const authority = rest.split(/[/?#;\\]/)[0]!;
  const hosts = authority.slice(authority.lastIndexOf("@") + 1).split(",").filter(Boolean);
  const query = new URLSearchParams(/\?([^#]*)/.exec(rest)?.[1] ?? "");
  const named = query.getAll("host").flatMap((one) => one.split(","));
  const all = hosts.length > 0 ? hosts : named;
  return all.map((one) => readTarget(one, Number(query.get("port")) || port))
    .filter((one) => one !== undefined);
}

/** Reads `host:port`, or `host` where there is a usual port; IPv6 addresses stand in brackets. */
export function readTarget(text: string, usualPort?: number): Target | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ??
    [];
  const host = (bracketed ?? plain ?? "").toLowerCase().replace(/\.$/, "");
  const port = digits === undefined ? usualPort : Number(digits);
  const valid = bracketed === undefined ? HOST.test(host) : isIP(host) === 6;
  if (!valid || port === undefined || port < 1 || port > 65535) return undefined;
  // What looks like a number and is no address would be read in different ways.
  if (/^[\d.]+$/.test(host) && isIP(host) !== 4) return undefined;
  return { host, port };
}
