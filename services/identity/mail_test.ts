import assert from "node:assert/strict";
import { SMTPServer } from "smtp-server";
import { readConfig } from "../../shared/config.ts";
import { createSendMail, SMTP_CONFIG } from "./mail.ts";

/** A real SMTP server on a free port that keeps what it is sent. */
async function startSmtp({ auth }: { auth?: { user: string; pass: string } } = {}) {
  const received: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authOptional: !auth,
    allowInsecureAuth: true,
    onAuth({ username, password }, _session, callback) {
      const right = username === auth?.user && password === auth?.pass;
      callback(right ? null : new Error("wrong password"), { user: username });
    },
    onData(stream, _session, callback) {
      const chunks: Uint8Array[] = [];
      stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      stream.on("end", () => {
        received.push(new TextDecoder().decode(Uint8Array.from(chunks.flatMap((one) => [...one]))));
        callback();
      });
    },
  });
  const { promise: listening, resolve } = Promise.withResolvers<void>();
  const handle = server.listen(0, "127.0.0.1", resolve);
  await listening;
  return {
    port: String((handle.address() as { port: number }).port),
    received,
    close: () => new Promise<void>((done) => server.close(() => done())),
  };
}

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
