import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { VERSION } from "../../../shared/version.ts";
import type { Addresses } from "../connections.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "../shell.ts";

const RESTART = "See its log and start it again: deno task up, or docker compose up -d.";

/** Whether each service answers, and in which version. */
export async function checkServices(shell: Shell, addresses: Addresses): Promise<Finding[]> {
  return [
    ...shell.broker ? await Promise.all(HUB_SERVICES.map((one) => checkService(shell, one))) : [],
    await checkGateway(addresses),
  ];
}

async function checkService(
  shell: Shell,
  service: typeof HUB_SERVICES[number],
): Promise<Finding> {
  try {
    const { database, version = "unknown" } = await shell.broker!.ask(service, "health", {});
    if (!database) {
      return {
        check: service,
        state: "wrong",
        finding: `version ${version} answers, but cannot reach its database`,
        advice: "See whether PostgreSQL runs, and the service's log.",
      };
    }
    return told(service, version);
  } catch (error) {
    return { check: service, state: "wrong", finding: messageOf(error), advice: RESTART };
  }
}

function told(check: string, version: string): Finding {
  if (version === VERSION) return { check, state: "ok", finding: `version ${version} answers` };
  return {
    check,
    state: "note",
    finding: `version ${version} answers; this shell is ${VERSION}`,
    advice: "Start all parts from one checkout.",
  };
}

const versionAnswer = z.object({ sextant: z.string() });

async function checkGateway({ gatewayUrl }: Addresses): Promise<Finding> {
  const check = "gateway";
  if (!gatewayUrl) {
    return {
      check,
      state: "note",
      finding: "its address is not known here",
      advice: "Name it in SEXTANT_GATEWAY_URL, such as http://gateway:7601.",
    };
  }
  try {
    const url = new URL("/api/version", gatewayUrl);
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
    return told(check, versionAnswer.parse(await response.json()).sextant);
  } catch (error) {
    return {
      check,
      state: "wrong",
      finding: `does not answer at ${gatewayUrl}: ${messageOf(error)}`,
      advice: RESTART,
    };
  }
}
