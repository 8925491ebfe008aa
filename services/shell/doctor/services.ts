import { z } from "zod";
import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { VERSION } from "../../../shared/version.ts";
import type { Addresses } from "../connections.ts";
import type { Shell } from "../shell.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

const RESTART = "See its log and start it again: deno task up, or docker compose up -d.";

/** Whether each service answers, and in which version. */
export async function checkServices(shell: Shell, addresses: Addresses): Promise<Finding[]> {
  return [
    ...shell.broker ? await Promise.all(HUB_SERVICES.map((one) => checkService(shell, one))) : [],
    await checkGateway(addresses),
  ];
}

async function checkService(shell: Shell, service: HubService): Promise<Finding> {
  try {
    const { database, version = "unknown" } = await shell.broker!.ask(service, "health", {});
    return database ? told(service, version) : wrong(
      service,
      `version ${version} answers, but cannot reach its database`,
      "See whether PostgreSQL runs, and the service's log.",
    );
  } catch (error) {
    return wrong(service, messageOf(error), RESTART);
  }
}

function told(check: string, version: string): Finding {
  if (version === VERSION) return ok(check, `version ${version} answers`);
  const differs = `version ${version} answers; this shell is ${VERSION}`;
  return note(check, differs, "Start all parts from one checkout.");
}

const versionAnswer = z.object({ sextant: z.string() });

async function checkGateway({ gatewayUrl }: Addresses): Promise<Finding> {
  if (!gatewayUrl) {
    const advice = "Name it in SEXTANT_GATEWAY_URL, such as http://gateway:7601.";
    return note("gateway", "its address is not known here", advice);
  }
  try {
    const url = new URL("/api/version", gatewayUrl);
    const response = await fetch(url, { signal: AbortSignal.timeout(3000) });
    return told("gateway", versionAnswer.parse(await response.json()).sextant);
  } catch (error) {
    return wrong("gateway", `does not answer at ${gatewayUrl}: ${messageOf(error)}`, RESTART);
  }
}
