import { Sign } from "../parts/status.tsx";
import { administration } from "../texts/administration.ts";

const words = administration.nouns.nodes;

/** Whether a node is there: a sign, a word and a colour. */
export function Presence({ status }: { status: string }) {
  const tone = status === "online" ? "good" : "waiting";
  return (
    <span class={`status ${tone}`}>
      <Sign tone={tone} />
      {status === "online" ? words.online : words.offline}
    </span>
  );
}
