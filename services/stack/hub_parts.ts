/**
 * The hub's services as parts: what each is told, and the least it is allowed.
 * @module
 */
import { FILES } from "./names.ts";
import { dirname, join } from "node:path";
import type { HubService } from "../../shared/broker/subjects.ts";
import { INHERITS, TRACES } from "./child_environment.ts";
import { PROGRAM_SETTINGS } from "./programs.ts";
import { denoPart, type DenoPartOptions } from "./service_part.ts";
import type { Part } from "./supervisor.ts";

export interface HubAddresses {
  /** The checkout whose services run. */
  checkout: string;
  /** `host:port` of the WebSocket of each server of the broker. */
  brokers: string[];
  /** The broker's address for nodes. */
  nodeNatsUrl: string;
  /** The database's socket, or `host:port` of each of its servers. */
  database: { socket: string } | { servers: string[] };
  /** Where traces are posted to, if they are kept. */
  traces?: string | undefined;
  /** The folder with the services' programs, from which those that start next are taken. */
  programs: () => string;
  /** The folder that `service` alone reads. */
  serviceFolder(service: HubService | "gateway"): string;
}

const natsUrls = (brokers: string[]) => brokers.map((one) => `ws://${one}`).join(",");

/** One replica of a hub service. */
export function hubServicePart(
  service: HubService,
  name: string,
  { checkout, brokers, nodeNatsUrl, database, traces, programs, serviceFolder }: HubAddresses,
): Part {
  const folder = serviceFolder(service);
  const env: Record<string, string> = {
    SEXTANT_NATS_URL: natsUrls(brokers),
    SEXTANT_DATABASE_URL_FILE: join(folder, FILES.databaseUrl),
  };
  const socket = "socket" in database ? database.socket : undefined;
  const databases = "servers" in database ? database.servers : [`unix:${socket}`];
  const permissions = [
    ...PROGRAM_SETTINGS,
    // collaboration calls the algorithm stores that users name; what clouds tell their machines is
    // no store.
    ...service === "collaboration"
      ? ["--allow-net", "--deny-net=169.254.169.254"]
      : [`--allow-net=${[...brokers, ...databases].join(",")}`],
    `--allow-read=${checkout}services/${service},${checkout}shared/storage/schema,${folder}`,
    // Deno asks for both to connect to a socket.
    ...socket === undefined ? [] : [`--allow-read=${socket}`, `--allow-write=${socket}`],
    "--allow-env",
  ];
  if (service === "identity") {
    env.SEXTANT_BROKER_TRUST = join(folder, FILES.brokerTrust);
    env.SEXTANT_SECRETS_KEY_FILE = join(folder, FILES.secretsKey);
    env.SEXTANT_DISPATCH_PUBLIC_KEYS_FILE = join(folder, FILES.dispatchPublicKeys);
    env.SEXTANT_NODE_NATS_URL = nodeNatsUrl;
    env.SEXTANT_ADMIN_FILE = join(folder, FILES.newAdministrator);
    permissions.push(`--allow-write=${env.SEXTANT_ADMIN_FILE}`);
    // The password hash is native code that lies beside the program; the audit record says who
    // started an empty hub, and where.
    permissions.push(
      "--allow-ffi",
      "--allow-sys=uid,hostname",
      `--allow-read=${dirname(programs())}`,
    );
    const mailHost = Deno.env.get("SEXTANT_SMTP_HOST");
    if (mailHost) {
      permissions.push(`--allow-net=${mailHost}:${Deno.env.get("SEXTANT_SMTP_PORT") ?? 587}`);
    }
  } else {
    env.SEXTANT_ENROLMENT = join(folder, FILES.enrolment);
  }
  if (service === "task") env.SEXTANT_DISPATCH_KEY_FILE = join(folder, FILES.dispatchKey);
  const main = () => join(programs(), `${service}.js`);
  return tracedPart({ name, main, permissions, env, inherits: INHERITS[service] }, traces);
}

/** A part that may send traces, if they are kept. */
function tracedPart(options: DenoPartOptions, traces: string | undefined): Part {
  if (traces === undefined) return denoPart(options);
  const { hostname, port, protocol } = new URL(traces);
  const collector = `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
  // Beside a list, the right to reach everything would end.
  const reachesAll = options.permissions.includes("--allow-net");
  return denoPart({
    ...options,
    permissions: [...options.permissions, ...reachesAll ? [] : [`--allow-net=${collector}`]],
    env: { ...options.env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces },
    inherits: [...options.inherits, ...TRACES],
  });
}

export interface GatewayPartOptions
  extends Pick<HubAddresses, "checkout" | "brokers" | "traces" | "programs" | "serviceFolder"> {
  /** `host:port` on which it listens. */
  listen: string;
  /** Whether a front tells the client's address. */
  behindFront: boolean;
}

/** A gateway. */
export function gatewayPart(
  name: string,
  { checkout, brokers, listen, behindFront, traces, programs, serviceFolder }: GatewayPartOptions,
): Part {
  const folder = serviceFolder("gateway");
  return tracedPart({
    name,
    main: () => join(programs(), "gateway.js"),
    permissions: [
      // Among them that a request's signal does not fire at its successful end.
      ...PROGRAM_SETTINGS,
      `--allow-net=${[...brokers, listen].join(",")}`,
      `--allow-read=${checkout}services/gateway,${folder}`,
      "--allow-env",
    ],
    env: {
      SEXTANT_NATS_URL: natsUrls(brokers),
      SEXTANT_ENROLMENT: join(folder, FILES.enrolment),
      SEXTANT_LISTEN: listen,
      ...behindFront ? { SEXTANT_TRUST_PROXY: "true" } : {},
      SEXTANT_METRICS_TOKEN_FILE: join(folder, FILES.metricsToken),
      SEXTANT_PAGE_FOLDER: join(folder, FILES.page),
    },
    inherits: INHERITS.gateway,
  }, traces);
}
