import { go, to } from "../routes.ts";
import { logOut } from "../session/session.ts";
import { me } from "../texts/me.ts";

const words = me.secondFactor;

/**
 * The hub renews a second factor for who knows the password and reads the account's mail, and ends
 * all their log-ins then. So one goes out first: the new picture must not vanish with the session.
 */
export function SecondFactor() {
  async function leave(): Promise<void> {
    await logOut();
    go(to("recover", "second-factor"));
  }
  return (
    <section class="card">
      <h2>{words.title}</h2>
      <p>{words.help}</p>
      <button type="button" onClick={() => void leave()}>{words.renew}</button>
    </section>
  );
}
