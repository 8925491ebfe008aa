/**
 * The hub itself, the record of what was done there, and one's own account.
 * @module
 */
import type { z } from "zod";
import { said } from "../../../shared/contract/answers.ts";
import {
  type auditList,
  auditRecord,
  type auditSealList,
  auditSeals,
} from "../../../shared/contract/audit.ts";
import { health, version } from "../../../shared/contract/hub.ts";
import {
  type lostPassword,
  type lostSecondFactor,
  offeredSecondFactor,
  ownSecondFactor,
  type passwordChange,
  type passwordReset,
  secondFactor,
  type secondFactorChange,
  type secondFactorConfirmation,
  type secondFactorReset,
} from "../../../shared/contract/password.ts";
import { ownSessions } from "../../../shared/contract/session.ts";
import { storeTokenAnswer, validUser } from "../../../shared/contract/token.ts";
import { type Calls, parsed } from "../calls.ts";
import { createList, type Filters, type ListOptions } from "../lists.ts";
import type { CallSettings } from "./noun.ts";

export function hub(calls: Calls) {
  return {
    version: (options?: CallSettings) =>
      calls.json("GET", "/version", version, { ...options, anonymous: true }),
    /** Also of a hub that is not well, which says what is wrong. */
    async health(options?: CallSettings) {
      const response = await calls.raw("GET", "/health", { ...options, anonymous: true });
      return parsed(await response.text(), health, "GET /health");
    },
  };
}

export function audit(calls: Calls) {
  return {
    list: (filters?: Filters<typeof auditList>, options?: ListOptions) =>
      createList(calls, { path: "/audit", item: auditRecord, filters, options }),
    seals: (filters?: Filters<typeof auditSealList>, options?: CallSettings) =>
      calls.json("GET", "/audit/seals", auditSeals, { ...options, query: filters }),
  };
}

/** One's own log-ins: each is of one browser, or of one program. */
export function logIns(calls: Calls) {
  return {
    /** The newest hundred. */
    list: async (options?: CallSettings) =>
      (await calls.json("GET", "/session", ownSessions, options)).data,
    /** Ends it, for all its tokens; also the one that this is asked with. */
    end: (id: string, options?: CallSettings) =>
      calls.json("DELETE", `/session/${id}`, said, options),
    endOthers: (options?: CallSettings) => calls.json("DELETE", "/session", said, options),
  };
}

export function account(calls: Calls) {
  /** Of who is not logged in. */
  function recover<Schema extends z.ZodType>(path: string, body: unknown, schema: Schema) {
    return calls.json("POST", path, schema, { body, anonymous: true, once: true, proves: true });
  }
  return {
    /** Who is logged in. */
    whoAmI: (options?: CallSettings) =>
      calls.json("POST", "/token/user/validate", validUser, options),
    /** This log-in goes on; all others of the user end. */
    changePassword: (body: z.input<typeof passwordChange>, options?: CallSettings) =>
      calls.json("PATCH", "/password/change", said, { ...options, body, proves: true }),
    /** Whether one needs a second factor here, and has one. */
    secondFactor: (options?: CallSettings) =>
      calls.json("GET", "/password/2fa", ownSecondFactor, options),
    /**
     * A new one, for who proves once more who they are; {@linkcode confirmSecondFactor} puts it in
     * place.
     */
    offerSecondFactor: (body: z.input<typeof secondFactorChange>, options?: CallSettings) =>
      calls.json("POST", "/password/2fa", offeredSecondFactor, {
        ...options,
        body,
        proves: true,
        once: true,
      }),
    /** This log-in goes on; all others of the user end. */
    confirmSecondFactor: (body: z.input<typeof secondFactorConfirmation>, options?: CallSettings) =>
      calls.json("PATCH", "/password/2fa", said, { ...options, body, proves: true }),
    /** A token to show to an algorithm store. */
    storeToken: (url: string, options?: CallSettings) =>
      calls.json("POST", "/token/store", storeTokenAnswer, { ...options, body: { url } }),
    lostPassword: (body: z.input<typeof lostPassword>) => recover("/recover/lost", body, said),
    resetPassword: (body: z.input<typeof passwordReset>) => recover("/recover/reset", body, said),
    lostSecondFactor: (body: z.input<typeof lostSecondFactor>) =>
      recover("/recover/2fa/lost", body, said),
    resetSecondFactor: (body: z.input<typeof secondFactorReset>) =>
      recover("/recover/2fa/reset", body, secondFactor),
  };
}
