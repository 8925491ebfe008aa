import { place } from "../routes.ts";
import { me } from "../session/session.ts";
import { LogInScreen } from "./log_in.tsx";
import { Frame } from "./frame.tsx";
import { LOST } from "./recovery.tsx";
import { texts } from "../texts.ts";

/** The log-in and the ways back to it, or everything else. */
export function App() {
  const who = me.value;
  if (who === "unknown") return <p class="unseen" role="status">{texts.parts.loading}</p>;
  if (who !== undefined) return <Frame me={who} />;
  const [first, what] = place.value.path;
  const Recovery = first === "recover" ? LOST[what as keyof typeof LOST] : undefined;
  return Recovery ? <Recovery key={what} /> : <LogInScreen />;
}
