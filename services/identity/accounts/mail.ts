/**
 * Mail through the operator's SMTP server.
 * @module
 */
import { connect, type Socket } from "node:net";
import type { Transporter } from "nodemailer";
import { z } from "zod";
import { envBoolean, envInteger } from "../../../shared/service/config.ts";

/** What may be set in the environment; without a host no mail is sent. */
export const SMTP_CONFIG = {
  SEXTANT_SMTP_HOST: z.string().optional(),
  SEXTANT_SMTP_PORT: envInteger.pipe(z.number().min(1).max(65535)).default(587),
  SEXTANT_SMTP_USERNAME: z.string().optional(),
  SEXTANT_SMTP_PASSWORD: z.string().optional(),
  /** TLS from the first byte (port 465); else STARTTLS. */
  SEXTANT_SMTP_TLS: envBoolean.default(false),
  /** Lets a server without any TLS in: for one on the same machine only. */
  SEXTANT_SMTP_PLAIN: envBoolean.default(false),
  SEXTANT_SMTP_FROM: z.string().default("sextant@localhost"),
};
export type SmtpConfig = z.infer<z.ZodObject<typeof SMTP_CONFIG>>;

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Sends one mail; resolves when the server has taken it. */
export type SendMail = (mail: Mail) => Promise<void>;

type SocketCallback = (error: Error | null, socket?: { connection: Socket }) => void;

/** The way to send mail, or `undefined` when none is configured. */
export function createSendMail(config: SmtpConfig): SendMail | undefined {
  const host = config.SEXTANT_SMTP_HOST;
  if (host === undefined) return undefined;
  const user = config.SEXTANT_SMTP_USERNAME;
  const options = {
    host,
    port: config.SEXTANT_SMTP_PORT,
    secure: config.SEXTANT_SMTP_TLS,
    requireTLS: !config.SEXTANT_SMTP_TLS && !config.SEXTANT_SMTP_PLAIN,
    ignoreTLS: config.SEXTANT_SMTP_PLAIN,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    // Left to itself the library resolves the name and connects to an address, which a process that
    // may only reach this host by its name is not allowed.
    getSocket(_options: unknown, callback: SocketCallback) {
      const socket = connect({ host, port: config.SEXTANT_SMTP_PORT, timeout: 10_000 });
      socket.once("timeout", () => socket.destroy(new Error("The mail server does not answer.")));
      socket.once("error", (error) => callback(error));
      socket.once("connect", () => {
        socket.setTimeout(0);
        callback(null, { connection: socket });
      });
    },
    ...(user === undefined ? {} : { auth: { user, pass: config.SEXTANT_SMTP_PASSWORD ?? "" } }),
  };
  let transport: Promise<Transporter> | undefined;
  return async function sendMail({ to, subject, text }) {
    // Only now: most hubs never send a mail.
    transport ??= import("nodemailer").then(({ createTransport }) => createTransport(options));
    await (await transport).sendMail({ from: config.SEXTANT_SMTP_FROM, to, subject, text });
  };
}
