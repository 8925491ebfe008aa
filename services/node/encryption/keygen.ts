/**
 * `deno task node keygen`: makes an organization's key pair.
 * @module
 */
import { readArgs, typedPath } from "../../../shared/command_line/read_args.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { GREATEST_BITS, newPrivateKey, publicKeyText, readPrivateKey } from "./keys.ts";

export const KEYGEN_HELP = `Makes the RSA key pair of an organization.

Usage: deno task node keygen [--out FILE] [--bits 4096]

  --out FILE   where the private key goes (PEM, readable by you alone); default: private_key.pem
  --bits N     2048 to 4096

Prints the public key as it stands in the organization's record. All nodes and users of an organization share one key:
keep a copy in a safe place, for without it nothing that was encrypted for the organization can be read again.
`;

/** Returns the exit code. */
export async function keygen(args: string[]): Promise<number> {
  let out: string;
  let bits: number;
  try {
    const { values } = readArgs({
      args,
      options: {
        out: { type: "string", default: "private_key.pem" },
        bits: { type: "string", default: "4096" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(KEYGEN_HELP);
      return 0;
    }
    out = typedPath(values.out);
    bits = Number(values.bits);
    if (!Number.isInteger(bits) || bits < 2048 || bits > GREATEST_BITS || bits % 8 !== 0) {
      throw new Error(
        `--bits must be a multiple of 8 from 2048 to ${GREATEST_BITS}, not ${values.bits}`,
      );
    }
  } catch (error) {
    console.error(`${messageOf(error)}\nkeygen --help explains.`);
    return 2;
  }
  const pem = await newPrivateKey(bits);
  try {
    // Never over a key that exists: what was encrypted for it would be lost.
    await Deno.writeTextFile(out, pem, { createNew: true, mode: 0o600 });
  } catch (error) {
    const exists = error instanceof Deno.errors.AlreadyExists;
    console.error(
      `Cannot write the key to ${out}: ${
        exists
          ? "the file exists. Choose another name with --out; what is encrypted for a key can be read with that key alone"
          : messageOf(error)
      }.`,
    );
    return 1;
  }
  console.error(`The private key is in ${out}. The public key:`);
  console.log(publicKeyText(readPrivateKey(pem)));
  return 0;
}
