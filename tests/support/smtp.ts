import { SMTPServer } from "smtp-server";

/** A real SMTP server on a free port that keeps what it is sent. */
export async function startSmtp({ auth }: { auth?: { user: string; pass: string } } = {}) {
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
