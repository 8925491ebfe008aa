import { me } from "../session/session.ts";
import { LogInScreen } from "./log_in.tsx";
import { Frame } from "./frame.tsx";
import { texts } from "../texts.ts";

/** The log-in, or everything else. */
export function App() {
  const who = me.value;
  if (who === "unknown") return <p class="unseen" role="status">{texts.parts.loading}</p>;
  return who === undefined ? <LogInScreen /> : <Frame me={who} />;
}
