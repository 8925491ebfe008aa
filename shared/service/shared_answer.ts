/**
 * One answer for all who ask within a while: what strangers may ask as often as they like must not
 * cost its work each time.
 * @module
 */

/**
 * The same as `work`, which begins no sooner than `everyMs` after it has ended, and is under way
 * once at most; an error is an answer, too.
 */
export function shareAnswer<Answer>(
  work: () => Promise<Answer>,
  { everyMs, now = () => performance.now() }: { everyMs: number; now?: () => number },
): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined;
  let endedAt = Infinity;
  return function ask() {
    if (answer && now() - endedAt < everyMs) return answer;
    endedAt = Infinity;
    answer = work();
    const end = () => void (endedAt = now());
    answer.then(end, end);
    return answer;
  };
}
