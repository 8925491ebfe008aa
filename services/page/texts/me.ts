/**
 * Texts of one's own account and of the ways back into it: part of `texts.ts`.
 * @module
 */
export const me = {
  title: "Me",
  who: {
    title: "Account",
    username: "User name",
    email: "E-mail address",
    person: "Name",
    organization: "Organization",
    roles: "Roles",
    change: "Change",
  },
  password: {
    title: "Password",
    current: "Current password",
    fresh: "New password",
    change: "Change password",
    help: "This log-in goes on; all others of yours end.",
  },
  secondFactor: {
    title: "Second factor",
    help:
      "Where this hub asks for a second factor, it is set up at the first log-in, with a picture " +
      "for the authenticator app. To replace it, for a new phone or after a loss, you need your " +
      "password and the mail of your account: a new picture is shown once, and all your log-ins end.",
    renew: "Log out and replace it",
  },
  sessions: {
    title: "Log-ins",
    help: "Each is of one browser or of one program. End those that you do not know, and change " +
      "your password.",
    columns: ["Begun", "Ends, unless renewed", "Used from", "End it"],
    isThis: "this one",
    end: "End",
    endOne: (begun: string) => `End the log-in of ${begun}`,
    endOthers: "End all others",
    unknown: "not known",
  },
  rules: {
    title: "My rules",
    none: "You hold no rules: you may do nothing here. Ask an administrator of your organization.",
    help: "What you may do, from all of your roles together.",
    operations: {
      VIEW: "see",
      EDIT: "change",
      CREATE: "create",
      DELETE: "delete",
      SEND: "send",
      RECEIVE: "receive",
    } as Record<string, string>,
    scopes: {
      OWN: "your own",
      ORGANIZATION: "those of your organization",
      COLLABORATION: "those of your collaborations",
      GLOBAL: "all there are",
    } as Record<string, string>,
    sentence: (operation: string, scope: string) => `${operation} ${scope}`,
    table: "As a table",
  },
};
