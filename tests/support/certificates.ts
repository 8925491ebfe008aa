/** A private authority and a certificate that it has signed, made by openssl. */
import { temporaryFolder } from "../harness.ts";

export interface Certificates {
  /** Path of the authority's certificate, in PEM. */
  ca: string;
  /** The server's, in PEM. */
  cert: string;
  key: string;
  remove(): Promise<void>;
}

/** A certificate for these names, and the authority behind it. */
export async function makeCertificates(names: readonly string[]): Promise<Certificates> {
  const folder = await temporaryFolder();
  async function openssl(...args: string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command("openssl", { args, cwd: folder.path })
      .output();
    if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr)}`);
  }
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-days",
    "2",
    "-subj",
    "/CN=Hospital CA",
  );
  await openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=hub");
  await Deno.writeTextFile(
    `${folder.path}/names`,
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`,
  );
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
  await openssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    ...signing,
    "-days",
    "2",
    "-out",
    "server.pem",
  );
  return {
    ca: `${folder.path}/ca.pem`,
    cert: await Deno.readTextFile(`${folder.path}/server.pem`),
    key: await Deno.readTextFile(`${folder.path}/server.key`),
    remove: folder.remove,
  };
}
