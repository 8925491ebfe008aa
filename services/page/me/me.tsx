/**
 * One's own account.
 * @module
 */
import { to } from "../routes.ts";
import { Show, useAsked } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { visible } from "../parts/visible.ts";
import { client, may, me } from "../session/session.ts";
import { me as words } from "../texts/me.ts";
import { Password } from "./password.tsx";
import { MyRules } from "./rules.tsx";
import { SecondFactor } from "./second_factor.tsx";
import { Sessions } from "./sessions.tsx";

export function Screen() {
  const who = me.value;
  if (who === undefined || who === "unknown") return null;
  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <div class="me">
        <Account id={who.id} />
        <Password />
        <SecondFactor />
        <Sessions />
        <MyRules userId={who.id} />
      </div>
    </>
  );
}

function Account({ id }: { id: number }) {
  const asked = useAsked(async (signal) => {
    const [user, roles] = await Promise.all([
      client.users.get(id, { signal }),
      client.roles.list({ user_id: id }, { signal }).all(),
    ]);
    const organization = may("organization:VIEW")
      ? (await client.organizations.get(user.organization.id, { signal })).name
      : `#${user.organization.id}`;
    return { user, roles, organization };
  }, [id]);
  return (
    <section class="card">
      <h2>{words.who.title}</h2>
      <Show asked={asked}>
        {({ user, roles, organization }) => (
          <>
            <dl class="facts">
              <dt>{words.who.username}</dt>
              <dd>
                <Plain text={user.username} />
              </dd>
              <dt>{words.who.person}</dt>
              <dd>
                <Plain text={`${user.firstname ?? ""} ${user.lastname ?? ""}`} />
              </dd>
              <dt>{words.who.email}</dt>
              <dd>
                <Plain text={user.email ?? ""} />
              </dd>
              <dt>{words.who.organization}</dt>
              <dd>
                <Plain text={organization} />
              </dd>
              <dt>{words.who.roles}</dt>
              <dd>{roles.map(({ name }) => visible(name)).join(", ")}</dd>
            </dl>
            {may("user:EDIT") && may("user:VIEW") && (
              <p>
                <a class="button" href={to("administration", "users", id, "change")}>
                  {words.who.change}
                </a>
              </p>
            )}
          </>
        )}
      </Show>
    </section>
  );
}
