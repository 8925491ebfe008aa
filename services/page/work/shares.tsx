import type { Share } from "../../../shared/contract/task.ts";
import { organizationNames } from "../names/names.ts";
import { visible } from "../parts/visible.ts";
import { Sign, type Tone, toneOf, wordFor } from "../parts/status.tsx";
import { texts } from "../texts.ts";

/** More than so many are shown as a bar of parts. */
const MOST_SIGNS = 16;

/** How far each organization is: a sign each, or a bar where there are many. */
export function Shares({ shares }: { shares: readonly Share[] }) {
  if (shares.length === 0) return <>{texts.work.noShares}</>;
  const said = texts.work.shares(countsOf(shares));
  const isHeld = shares.some((one) => one.held_since !== null);
  return (
    <span class="shares">
      {shares.length > MOST_SIGNS ? <Bar shares={shares} said={said} /> : (
        <>
          {shares.map((one) => <Mark key={one.id} share={one} />)}
          <span class="unseen">{said}</span>
        </>
      )}
      {isHeld && <span class="held-note">{texts.work.waiting}</span>}
    </span>
  );
}

function Mark({ share: { organization_id, status } }: { share: Share }) {
  const tone = toneOf(status);
  const title = `${visible(organizationNames.of(organization_id))}: ${wordFor(status)}`;
  return (
    <span class={`status ${tone}`} title={title} aria-hidden="true">
      <Sign tone={tone} />
    </span>
  );
}

const TONES: readonly Tone[] = ["good", "warn", "bad", "running", "waiting"];

function Bar({ shares, said }: { shares: readonly Share[]; said: string }) {
  const byTone = Map.groupBy(shares, (one) => toneOf(one.status));
  return (
    <>
      <span class="share-bar" aria-hidden="true">
        {TONES.map((tone) => {
          const part = (byTone.get(tone)?.length ?? 0) / shares.length;
          return part > 0 && <span key={tone} class={tone} style={{ width: `${100 * part}%` }} />;
        })}
      </span>
      <span class="said">{said}</span>
    </>
  );
}

/** How many there are of each word, the most frequent first. */
export function countsOf(shares: readonly { status: string }[]): [word: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { status } of shares) {
    const word = wordFor(status);
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one);
}
