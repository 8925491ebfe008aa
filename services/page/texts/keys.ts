/**
 * The texts about other organizations' public keys: see `texts.ts`.
 * @module
 */
export const keys = {
  changed: (name: string) => `The public key of ${name} is another than before.`,
  notUsed: "Nothing is encrypted for it until you have looked at that.",
  more: (count: number) =>
    count === 1
      ? "One more organization has another key."
      : `${count} more organizations have other keys.`,
  look: "Compare the keys",
  title: (name: string) => `Is this the new key of ${name}?`,
  why:
    "Whoever has the private half of this key can read what you encrypt for the organization, and " +
    "sign results in its name. The hub shows another key than it did before: the organization may " +
    "have made a new one, or somebody has put theirs in its place, the hub's operator or whoever " +
    "broke in there.",
  ask:
    "Ask the organization's people by another way than this hub, as by telephone, and compare the " +
    "fingerprint with them.",
  before: "Before",
  since: "Known since",
  now: "Now",
  accept: "It is theirs: use it",
  acceptAndSend: "It is theirs: use it and send",
  refuse: "Do not use it",
  notSent: "Nothing was sent.",
  notKept:
    "This browser keeps nothing for the page, because there is no room or it is forbidden: " +
    "whether the key of an organization has changed is noticed only until the tab is closed.",
};
