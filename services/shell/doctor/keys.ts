import { connect } from "node:tls";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import { parseJwtSegment } from "../../../shared/node_protocol/credential.ts";
import type { Addresses } from "../connections.ts";
import type { Shell } from "../shell.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

const DAY = 86_400_000;
const SOON_DAYS = 21;
/** identity makes a new one every 90 days, unless it was told otherwise. */
const OLD_KEY_DAYS = 120;

/** How long certificates and keys are good for yet. */
export async function checkKeys(shell: Shell, addresses: Addresses): Promise<Finding[]> {
  return [
    await checkSigningKey(shell),
    ...addresses.broker ? [await checkEnrolment(shell, addresses.broker.enrolmentFile)] : [],
    ...addresses.gatewayUrl?.startsWith("https:")
      ? [await checkCertificate(shell, new URL(addresses.gatewayUrl))]
      : [],
  ];
}

async function checkSigningKey({ databases, now }: Shell): Promise<Finding> {
  const check = "key that signs tokens";
  const [key] = await databases.identity<{ created_at: Date }[]>`
    select created_at from signing_key order by created_at desc limit 1`;
  if (!key) return wrong(check, "there is none", "identity makes it when it starts.");
  const days = Math.floor((now().getTime() - key.created_at.getTime()) / DAY);
  if (days < OLD_KEY_DAYS) return ok(check, `${days} days old`);
  return note(
    check,
    `${days} days old`,
    "identity replaces it by itself while it runs; see its log, and SEXTANT_SIGNING_KEY_DAYS.",
  );
}

const claims = z.object({ exp: z.number().optional() });

async function checkEnrolment({ now }: Shell, path: string): Promise<Finding> {
  const check = "enrolment of the shell";
  const { jwt } = z.object({ jwt: z.string() }).parse(JSON.parse(await Deno.readTextFile(path)));
  const { exp } = claims.parse(parseJwtSegment(jwt.split(".")[1] ?? ""));
  if (exp === undefined) return ok(check, "has no end");
  return untilEnd(check, new Date(exp * 1000), now(), "Remove the file and run the set-up again.");
}

function checkCertificate({ now }: Shell, { hostname, port }: URL): Promise<Finding> {
  const check = `certificate of ${hostname}`;
  return new Promise((resolve) => {
    const advice = "See the front's log: it gets and renews the certificate.";
    const failed = (error: unknown) => resolve(wrong(check, messageOf(error), advice));
    const socket = connect({
      host: hostname,
      port: Number(port || 443),
      servername: hostname,
      // A certificate that has run out is to be looked at too.
      rejectUnauthorized: false,
    }, () => {
      const end = new Date(socket.getPeerCertificate()?.valid_to ?? "");
      socket.destroy();
      if (Number.isNaN(end.getTime())) return failed(new Error("it cannot be read"));
      resolve(untilEnd(check, end, now(), "See the front's log: it should have renewed it."));
    });
    socket.setTimeout(3000, () => socket.destroy(new Error("no answer within 3 s")));
    socket.on("error", failed);
  });
}

function untilEnd(check: string, end: Date, now: Date, advice: string): Finding {
  const days = Math.floor((end.getTime() - now.getTime()) / DAY);
  const finding = days < 0 ? `ran out ${-days} days ago` : `good for ${days} more days`;
  if (days >= SOON_DAYS) return ok(check, finding);
  return (days < 0 ? wrong : note)(check, finding, advice);
}
