/**
 * How many bytes of bodies may be in memory at once, while they are read or passed on.
 *
 * Each sender has a share, so that nobody takes the room of all others by sending slowly; and there
 * is room for small bodies that no large one takes.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";
import { SextantError } from "../../../shared/service/errors.ts";

/** Bodies up to this size find room beside the large ones. */
export const SMALL_BODY = 64 * 1024;

export interface HeldBytesOptions {
  /** The largest body that is taken. */
  maxBody: number;
  /** Bytes of room for bodies up to {@linkcode SMALL_BODY}. */
  small?: number;
}

export interface HeldBytes {
  /** A body of `sender`, of which nothing has come yet. */
  bodyOf(sender: Sender): HeldBody;
}

export type Sender = Pick<Principal, "kind" | "id" | "organization_id">;

export interface HeldBody {
  /** More of it has come. Throws 503 when there is no room. */
  take(bytes: number): void;
  /** It is no longer in memory. */
  giveBack(): void;
}

/** So many of the largest bodies may be in memory at once. */
const LARGE_BODIES = 8;
/** Of one user, of one node, or of one node's algorithms. */
const OF_ONE_SENDER = 2;
/** Of one organization: who makes many users there still leaves room to the others. */
const OF_ONE_ORGANIZATION = 6;

export function createHeldBytes(
  { maxBody, small = 64 * 2 ** 20 }: HeldBytesOptions,
): HeldBytes {
  const largeRoom = createRoom(LARGE_BODIES * maxBody, {
    sender: OF_ONE_SENDER * maxBody,
    organization: OF_ONE_ORGANIZATION * maxBody,
  });
  const smallRoom = createRoom(small, { sender: small / 16, organization: small / 2 });

  return {
    bodyOf(sender) {
      let held = 0;
      let room = smallRoom;
      return {
        take(bytes) {
          const grown = held + bytes;
          if (room === smallRoom && (grown > SMALL_BODY || !smallRoom.has(sender, bytes))) {
            // It moves as a whole. Small ones that find no room of their own do so, too.
            demandRoom(largeRoom.has(sender, grown));
            smallRoom.add(sender, -held);
            largeRoom.add(sender, grown);
            room = largeRoom;
          } else {
            demandRoom(room.has(sender, bytes));
            room.add(sender, bytes);
          }
          held = grown;
        },
        giveBack() {
          room.add(sender, -held);
          held = 0;
        },
      };
    },
  };
}

function demandRoom(there: boolean): void {
  if (there) return;
  throw new SextantError(
    "unavailable",
    "Too many large bodies are being sent to this hub at once; try again in a minute.",
  );
}

/** Bytes in use, of all and of each who uses some. */
function createRoom(most: number, mostOf: { sender: number; organization: number }) {
  let used = 0;
  const usedBy = new Map<string, number>();

  function shares({ kind, id, organization_id }: Sender): [key: string, most: number][] {
    return [
      [`${kind} ${id}`, mostOf.sender],
      [`organization ${organization_id}`, mostOf.organization],
    ];
  }

  return {
    has(sender: Sender, bytes: number): boolean {
      return used + bytes <= most &&
        shares(sender).every(([key, most]) => (usedBy.get(key) ?? 0) + bytes <= most);
    },
    add(sender: Sender, bytes: number): void {
      used += bytes;
      for (const [key] of shares(sender)) {
        const left = (usedBy.get(key) ?? 0) + bytes;
        if (left === 0) usedBy.delete(key);
        else usedBy.set(key, left);
      }
    },
  };
}
