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
    none: "This hub asks nobody for a second factor.",
    help: "For a new phone, or when somebody may have seen the secret. This log-in goes on; all " +
      "others of yours end.",
    code: "Code of the present second factor",
    codeHelp: "Six digits from the authenticator app that you have used so far.",
    show: "Show a new second factor",
    scan:
      "Scan the picture with an authenticator app, or type the secret into it. It is shown this " +
      "once, and in force when the app's code for it has come back.",
    picture: "QR code of the new second factor",
    secret: "Secret",
    fresh: "Code that the app shows for it",
    confirm: "Replace the second factor",
    lost: "The old one is lost?",
    renew: "Log out and replace it by mail",
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
