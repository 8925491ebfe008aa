/**
 * Who is in at the owner's page. A session has two halves, both random: a cookie that no script can
 * read, and a word that the page's scripts keep and send as a header. Cookies do not know ports:
 * any account of this machine can serve another page at 127.0.0.1 and is sent this one's cookie by
 * the browser of whoever looks at it. What a page keeps belongs to its port, so the cookie alone is
 * of no use to them, as the word alone is not.
 *
 * Sessions are in memory: they end with the agent.
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** A working day; then another link is needed. */
const SESSION_MS = 12 * 3_600_000;
/** The oldest one ends when there are more. */
const MOST = 16;

/** What a browser keeps of a session. */
export interface Halves {
  cookie: string;
  word: string;
}

export interface Sessions {
  begin(): Halves;
  has(halves: Halves): boolean;
  end(halves: Halves): void;
}

export function createSessions(now: () => number = Date.now): Sessions {
  /** Digests of words, by those of cookies. */
  const open = new Map<string, { word: Uint8Array; until: number }>();

  function has({ cookie, word }: Halves): boolean {
    const key = digestOf(cookie).toString("hex");
    const session = open.get(key);
    if (!session) return false;
    if (session.until < now()) {
      open.delete(key);
      return false;
    }
    return timingSafeEqual(session.word, digestOf(word));
  }

  return {
    has,
    begin() {
      const halves = { cookie: newSecret(), word: newSecret() };
      const session = { word: digestOf(halves.word), until: now() + SESSION_MS };
      open.set(digestOf(halves.cookie).toString("hex"), session);
      if (open.size > MOST) open.delete(open.keys().next().value!);
      return halves;
    },
    end(halves) {
      if (has(halves)) open.delete(digestOf(halves.cookie).toString("hex"));
    },
  };
}

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

function digestOf(secret: string) {
  return createHash("sha256").update(secret).digest();
}
