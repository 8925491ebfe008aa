/**
 * What the parts of this service are given: connected once, in `start.ts`.
 * @module
 */
import type { Db } from "../../shared/storage/db.ts";
import type { Logger } from "../../shared/service/log.ts";
import type { Outbox } from "../../shared/storage/outbox.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import type { Accounts } from "./accounts/accounts.ts";
import type { BrokerDesk } from "./broker/credentials.ts";
import type { KeyRing } from "./sessions/signing_keys.ts";
import type { Vault } from "./secrets/vault.ts";
import type { Sessions } from "./sessions/sessions.ts";

export interface IdentityDeps {
  db: Db;
  outbox: Outbox;
  keys: KeyRing;
  broker: BrokerDesk;
  ask: Ask;
  log: Logger;
  now: () => Date;
  accounts: Accounts;
  sessions: Sessions;
  /** What secrets in the database are sealed with. */
  vault: Vault;
}
