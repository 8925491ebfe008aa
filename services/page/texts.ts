/**
 * Every text of the page, by the screen that shows it: for another language, another file like this.
 * What has a number or a name in it is a function.
 * @module
 */
export const texts = {
  product: "Sextant",
  frame: {
    skip: "Skip to the content",
    navigation: "Main",
    work: "Work",
    newTask: "New task",
    administration: "Administration",
    me: "Me",
    logOut: "Log out",
    theme: "Colours",
    themes: { system: "As the system", light: "Light", dark: "Dark" },
    live: "Live",
    cut: "Connection lost; trying again",
    noSuchScreen: "There is no such screen here.",
    toWork: "To the tasks",
  },
  logIn: {
    title: "Log in",
    username: "User name",
    password: "Password",
    code: "Code of the second factor",
    codeHelp: "Six digits from your authenticator app.",
    logIn: "Log in",
    over: "Your session is over. Log in again to go on.",
    setUp:
      "This hub asks for a second factor. Scan the picture with an authenticator app, or type " +
      "the secret into it; then log in with the code it shows.",
    secret: "Secret",
    picture: "QR code of the second factor",
  },
  parts: {
    loading: "Loading …",
    again: "Try again",
    failed: "This could not be loaded",
    close: "Close",
    cancel: "Cancel",
    copy: "Copy",
    copied: "Copied",
    nothing: "Nothing here",
    never: "–",
    more: "Show more",
  },
  /** Of a task and of its results; the words of the API's statuses. */
  status: {
    "awaiting": "awaiting",
    "pending": "pending",
    "initializing": "initializing",
    "active": "active",
    "completed": "completed",
    "failed": "failed",
    "start failed": "start failed",
    "non-existing Docker image": "no such image",
    "crashed": "crashed",
    "killed by user": "killed",
    "not allowed": "not allowed",
    "unknown error": "unknown error",
  } as Record<string, string>,
};
