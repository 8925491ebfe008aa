/**
 * The public keys of organizations that a client was shown: whoever replaces a key reads what is
 * encrypted with it from then on, so that a change is worth a word.
 * @module
 */
import { z } from "zod";
import { fingerprintOfText } from "../../shared/contract/public_key.ts";

const keyed = z.object({ id: z.number(), name: z.string(), public_key: z.string() });
const answer = z.union([
  keyed.transform((one) => [one]),
  z.object({ data: z.array(keyed) })
    .transform(({ data }) => data),
]).catch([]);

/**
 * Returns a function that is shown each answer of `/organization`, and says when the public key of
 * an organization is another than before.
 */
export function rememberKeys(say: (line: string) => void): (shown: unknown) => void {
  const seen = new Map<number, string>();
  return function look(shown) {
    for (const { id, name, public_key } of answer.parse(shown)) {
      const now = fingerprintOfText(public_key);
      if (now === null) continue;
      const before = seen.get(id);
      if (before !== undefined && before !== now) {
        say(
          `The public key of organization ${id} "${name}" is ${now} now, and was ${before}. ` +
            "Ask its people whether they have changed it before you encrypt for it.",
        );
      }
      seen.set(id, now);
    }
  };
}
