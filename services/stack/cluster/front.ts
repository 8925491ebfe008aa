/**
 * Caddy before the gateways and the servers of the broker: one address, whichever of them are
 * there.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { startProcess } from "../process.ts";
import { LOOPBACK } from "../servers.ts";
import type { Part } from "../supervisor.ts";

export interface FrontOptions {
  /** The program. */
  caddy: string;
  /** The data folder of the hub. */
  folder: string;
  port: number;
  gateways: string[];
  brokers: string[];
}

/** Whose headers do not arrive is not waited for: the gateway behind it cannot tell. */
export function frontConfig(
  { port, gateways, brokers }: Pick<FrontOptions, "port" | "gateways" | "brokers">,
): string {
  return `{
  admin off
  auto_https off
  servers {
    timeouts {
      read_header 10s
      idle 2m
    }
  }
}
http://:${port} {
  bind ${LOOPBACK}
  handle /nats {
    reverse_proxy ${brokers.join(" ")} {
      lb_policy random
      lb_try_duration 5s
      lb_try_interval 100ms
      fail_duration 2s
    }
  }
  handle {
    reverse_proxy ${gateways.join(" ")} {
      lb_policy random
      lb_try_duration 5s
      lb_try_interval 100ms
      fail_duration 2s
      health_uri /api/version
      health_interval 1s
      health_timeout 2s
    }
  }
}
`;
}

export function frontPart({ caddy, folder, ...options }: FrontOptions): Part {
  const own = join(folder, "front");
  return {
    name: "front",
    format: "zap",
    async start({ onLine, onProcess }) {
      await Deno.mkdir(own, { recursive: true });
      const config = join(own, "Caddyfile");
      await Deno.writeTextFile(config, frontConfig(options));
      const process = startProcess({
        command: caddy,
        args: ["run", "--config", config, "--adapter", "caddyfile"],
        env: { HOME: own, XDG_DATA_HOME: own, XDG_CONFIG_HOME: own },
        onLine,
      });
      onProcess(process);
      let over = false;
      process.exited.then(() => over = true);
      while (!await listens(options.port)) {
        if (over) {
          throw new Error(`Cannot start the front: it ended.\n${process.lastLines().join("\n")}`);
        }
        await delay(50);
      }
    },
  };
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: LOOPBACK, port })).close();
    return true;
  } catch {
    return false;
  }
}
