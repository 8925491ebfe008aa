import assert from "node:assert/strict";
import { readConfig } from "../../../shared/service/config.ts";
import { startSmtp } from "../../../tests/support/smtp.ts";
import { createSendMail, SMTP_CONFIG } from "./mail.ts";

function sender(env: Record<string, string>) {
  return createSendMail(readConfig(SMTP_CONFIG, { env }));
}

const mail = { to: "alice@x.example", subject: "A token", text: "Hello Alice,\nhere: abc\n" };

Deno.test("createSendMail() is nothing without a host", () => {
  assert.equal(sender({}), undefined);
});

Deno.test("createSendMail() hands a mail to the server, after logging in", async () => {
  const smtp = await startSmtp({ auth: { user: "sextant", pass: "secret" } });
  const env = {
    SEXTANT_SMTP_HOST: "127.0.0.1",
    SEXTANT_SMTP_PORT: smtp.port,
    SEXTANT_SMTP_PLAIN: "true",
    SEXTANT_SMTP_USERNAME: "sextant",
    SEXTANT_SMTP_FROM: "Sextant <noreply@x.example>",
  };
  await assert.rejects(sender({ ...env, SEXTANT_SMTP_PASSWORD: "wrong" })!(mail));
  await sender({ ...env, SEXTANT_SMTP_PASSWORD: "secret" })!(mail);
  assert.equal(smtp.received.length, 1);
  for (
    const part of ["To: alice@x.example", "Subject: A token", "noreply@x.example", "here: abc"]
  ) {
    assert.ok(smtp.received[0]!.includes(part), part);
  }
  await smtp.close();
});

Deno.test("createSendMail() sends nothing in clear unless it is told to", async () => {
  const smtp = await startSmtp();
  const env = { SEXTANT_SMTP_HOST: "127.0.0.1", SEXTANT_SMTP_PORT: smtp.port };
  await assert.rejects(sender(env)!(mail));
  assert.equal(smtp.received.length, 0);
  await smtp.close();
});
