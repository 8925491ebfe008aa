/**
 * How a PostgreSQL server is reached, as the address of a database says it in `node.yaml`.
 * @module
 */
import { DataError } from "./error.ts";

export interface PostgresAddress {
  /** A name, an IP address, or the folder of a socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /** With TLS, and a certificate that can be checked. */
  tls: boolean;
  /** Path of the authority behind that certificate, where it is not a public one. */
  authority: string | undefined;
}

/** SQLAlchemy's names, with or without a driver, and libpq's. */
const SCHEME = /^(?:postgresql|postgres)(?:\+\w+)?:\/\//i;
/** How libpq encrypts; `allow` and `prefer` ask for it only where it can be had. */
const WITH_TLS = ["require", "verify-ca", "verify-full"];

export function isPostgres(uri: string): boolean {
  return SCHEME.test(uri);
}

/**
 * The address with name and password in it: its own or, where it has none, those of `env`, which
 * containers get as parameters.
 */
export function withLogin(uri: string, env: Readonly<Record<string, string>> = {}): string {
  const url = parse(uri);
  const of = (name: string) =>
    Object.entries(env).find(([key]) => key.toUpperCase() === name)?.[1] ?? "";
  if (!url.username) url.username = of("USER");
  if (!url.password) url.password = of("PASSWORD");
  return url.href;
}

export function readPostgresAddress(uri: string): PostgresAddress {
  const url = parse(uri);
  const { searchParams } = url;
  const plain = decodeURIComponent;
  return {
    host: searchParams.get("host") ||
      plain(url.hostname.replace(/^\[(.*)\]$/, "$1")) || "localhost",
    port: Number(url.port || searchParams.get("port") || 5432),
    database: plain(url.pathname.slice(1)) || plain(url.username),
    user: plain(url.username),
    password: plain(url.password),
    tls: WITH_TLS.includes(searchParams.get("sslmode") ?? ""),
    authority: searchParams.get("sslrootcert") ?? undefined,
  };
}

/** The file of the socket of a server on this machine; `undefined`: it is reached by TCP. */
export function socketOf({ host, port }: PostgresAddress): string | undefined {
  return host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : undefined;
}

function parse(uri: string): URL {
  // An address may name its host in `host` alone, which is no URL to the standard.
  const withHost = uri.replace(SCHEME, "postgresql://").replace(
    /^(postgresql:\/\/(?:[^/?#]*@)?)(?=[/?#]|$)/,
    "$1localhost",
  );
  const url = URL.parse(withHost);
  if (url) return url;
  throw new DataError("The address that this node has of it cannot be read.");
}
