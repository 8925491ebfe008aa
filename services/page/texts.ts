/**
 * Every text of the page, by the screen that shows it: for another language, another file like
 * this. What has a number or a name in it is a function.
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
    notLive: "Looked at every 15 seconds",
    rulesChanged: "Your rules have changed: the page shows what you may do now.",
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
    lostPassword: "Password forgotten?",
    lostSecondFactor: "Second factor lost?",
  },
  recovery: {
    password: "A new password",
    secondFactor: "A new second factor",
    passwordHelp:
      "The hub sends a token to the mail of your account. It is good once, for a while.",
    secondFactorHelp:
      "With your password, the hub sends a token to the mail of your account. It is " +
      "good once, for a while, and brings a new second factor. All your log-ins end then.",
    nameOrMail: "User name or e-mail address",
    send: "Send the token",
    have: "I have a token",
    token: "Token from the mail",
    fresh: "New password",
    set: "Set the password",
    show: "Show the new second factor",
    keep:
      "Scan the picture with an authenticator app, or type the secret into it. It is shown this " +
      "once; then log in with the code that the app shows.",
    toLogIn: "To the log-in",
  },
  password: {
    good: "This password will do.",
    lacks: (problems: string[]) => `It ${problems.join(", ")}.`,
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
    inAll: (total: number) => `${count(total)} in all`,
    pageOf: ({ page, pages, total }: { page: number; pages: number; total: number }) =>
      `Page ${count(page)} of ${count(pages)} · ${count(total)} in all`,
  },
  results: {
    title: "Results",
    none: "No organization has finished yet.",
    noneAtAll: "No organization has a result.",
    empty: "There is no result.",
    removed: "The hub has removed this result.",
    organization: (id: number) => `Organization ${id}`,
    organizationColumn: "organization",
    moreOrganizations: (count: number) => `Show more organizations (${count})`,
    byOrganization: "All organizations",
    openedOf: (opened: number, all: number) => `${opened} of ${all} organizations are opened.`,
    cannotOpen: (why: string) => `The result cannot be opened: ${why}`,
    method: "Result of",
    methodHelp:
      "The question is encrypted for others, so nobody here knows which method was called. " +
      "Choose it to see pictures.",
    asItIs: "unknown: shown as it is",
    readAs: (label: string | undefined, bytes: number) =>
      `${label ?? "Shown as it is: nobody here describes this algorithm's results"} · ` +
      (bytes < 1000
        ? `${bytes} bytes`
        : bytes < 1e6
        ? `${(bytes / 1000).toFixed(1)} kB`
        : `${(bytes / 1e6).toFixed(1)} MB`),
    saveAll: "Save all as JSON",
    saveAs: (file: string) => `Save as ${file}`,
    saveTable: (title: string) => `Save CSV: ${title}`,
    savePicture: (title: string) => `Save SVG: ${title}`,
    csv: "Save CSV",
    svg: "Save SVG",
    withoutValue: "Without a value, as they do not apply or were withheld:",
    noJson: "This is no JSON; it is shown as text.",
    text: "Result as text",
    beginning: (shown: number, all: number) =>
      `The first ${shown} of ${all} characters. Save it to see all.`,
    numbersOf: (title: string) => `${title}: the numbers`,
    own: {
      facts: "Single values",
      estimates: "Estimates and tests",
      rest: "Others",
      result: "Result",
    },
    noValue: "no value",
    moreRows: (count: number) => `Show more rows (${count})`,
    moreColumns: (count: number) => `${count} more columns are in the CSV file.`,
    items: (count: number) => count === 1 ? "1 item" : `${count} items`,
    parts: (count: number) => count === 1 ? "1 part" : `${count} parts`,
    key: {
      title: "Key",
      choose: "Choose key file",
      promise:
        "The key is read into the memory of this tab alone. It is never stored and never sent, " +
        "and it is gone when you forget it, log out or close the tab.",
      held: (name: string) => `The key of ${name} is held in the memory of this tab.`,
      forget: "Forget key",
      refused: (why: string) => `This key cannot be used. ${why}`,
      tooLarge: "The file is too large to be a key.",
      toOpen: {
        ask: (name: string) =>
          `These results are encrypted for ${name}. Choose the file with its private key, or ` +
          "drop it here.",
        ofOther: (other: string, name: string) =>
          `This is the key of ${other}. The results are encrypted for ${name}, and only its key ` +
          "opens them.",
        unknown: (name: string, held: string, atHub: string | undefined) =>
          `This is not the key that the hub has on record for ${name}: its fingerprint is ` +
          `${held}, and the record ${atHub === undefined ? "has none" : `has ${atHub}`}. It ` +
          "opens results only if it was the key when they were made.",
      },
      toSign: {
        ask: (name: string) =>
          `Optional. The collaboration is encrypted: with the private key of ${name} the task is ` +
          "signed for the nodes that read signed ones, and nobody else can make or change it. " +
          "Choose its file, or drop it here.",
        ofOther: (other: string, name: string) =>
          `This is the key of ${other}. You ask for ${name}, and only its key signs for it.`,
        unknown: (name: string, held: string, atHub: string | undefined) =>
          `This is not the key that the hub has on record for ${name}: its fingerprint is ` +
          `${held}, and the record ${atHub === undefined ? "has none" : `has ${atHub}`}. ` +
          "Nothing is sent with it.",
      },
    },
    withheld: {
      title: "Withheld by the rules of the organizations",
      organization: "Organization",
      part: "Part",
      values: "Values",
      why: "Why",
      all: "everything",
      more: (count: number) => `And ${count} more.`,
      rules: {
        min_cell: "A count is of fewer persons than may be told of, or would give such a one away.",
        min_subset: "It rests on fewer persons than may be told of.",
        "min_subset (differs from an earlier result by fewer persons)":
          "It rests on nearly the same persons as an earlier result: both together would tell of " +
          "the few by whom they differ.",
        min_level: "A value of a category is had by fewer persons than may be told of.",
        max_terms_share: "The model has too many terms for so few persons.",
        min_residual_freedom: "The model leaves too few degrees of freedom.",
        dominance: "A few persons make up most of a sum.",
        p_ratio: "From a sum the value of one person could be estimated too closely.",
        extremes: "The smallest and the largest values are those of single persons.",
        round_to: "Not withheld: counts are rounded.",
        rests_on: "It does not say on how many persons it rests.",
        persons: "It is not known how many persons it rests on.",
        other: "The algorithm does not say what it is, and the owner has not trusted it.",
        "the ledger is full": "The site can compare no more results with earlier ones.",
        "more groups than the ledger takes of one result":
          "The site compares no more groups of one result with earlier ones: ask for fewer.",
      } as Record<string, string>,
    },
    pictures: {
      all: "all",
      totals: { fixed: "Fixed effect", random: "Random effects" } as Record<string, string>,
      interval: (value: string, low: string, high: string) => `${value} (${low} to ${high})`,
      forestAxis: (scale: "ratio" | "linear", whisker: "interval" | "error" | "none") =>
        scale === "ratio"
          ? "Ratio, logarithmic, with interval"
          : whisker === "interval"
          ? "Estimate, with interval"
          : whisker === "error"
          ? "Mean ± standard error"
          : "Value",
      forestGist: (title: string, scale: "ratio" | "linear", told: string, more: number) =>
        `${title}${scale === "ratio" ? ", as ratios on a logarithmic scale" : ""}: ${told}` +
        (more > 0 ? `; and ${more} more` : ""),
      leftOut: (names: string) => `Not in the picture: ${names}.`,
      quantile: (probability: number) => `${Number((probability * 100).toPrecision(6))} %`,
      time: "Time",
      atRisk: "At risk",
      atRiskHelp: "At risk: as many as just before the next event from that time on.",
      survivalAt: (name: string, share: string, time: string) => `${name} ${share} at ${time}`,
      survivalGist: (title: string, told: string, count: number) =>
        `${title}: ${count === 1 ? "survival curve" : `survival curves of ${count} groups`}; ` +
        `in the end ${told}`,
      rows: "Rows",
      density: "Rows by unit",
      withheld: "withheld",
      open: "open",
      openHelp: "Dashed bars are open at one end: their width is not known.",
      binTitle: (from: string, to: string, count: string, isOpen: boolean) =>
        `${from} to ${to}${isOpen ? " and beyond" : ""}: ${count}`,
      histogramGist: (
        title: string,
        most: { bins: number; count: string; from: string; to: string },
      ) =>
        `${title}: histogram of ${most.bins} bins; most rows, ${most.count}, from ${most.from} to ` +
        most.to,
      loading: "Loading",
      profileHelp: "Each column goes from its lowest centre to its highest.",
      profileGist: (title: string, told: string, isAll: boolean) =>
        `${title}: ${told}${isAll ? "" : "; more in the table"}`,
      noShares: "A count is withheld: no shares",
      noRows: "No rows",
      sharesGist: (title: string, rows: number, columns: string) =>
        `${title}: shares of ${columns} in each of ${rows} rows`,
      barsGist: (title: string, told: string, more: number) =>
        `${title}: ${told}${more > 0 ? `, and ${more} more` : ""}`,
    },
  },
  names: {
    organization: (id: number) => `Organization ${id}`,
    collaboration: (id: number) => `Collaboration ${id}`,
    study: (id: number) => `Study ${id}`,
    user: (id: number) => `User ${id}`,
    task: (id: number) => `Task ${id}`,
  },
  work: {
    title: "Work",
    filters: "Filters",
    search: "Text",
    searchHelp: "In the name, the description or the image.",
    status: "Status",
    anyStatus: "Any",
    collaboration: "Collaboration",
    anyCollaboration: "All",
    whose: "Whose",
    ownOnly: "My own",
    everybodys: "Everybody's",
    from: "From",
    till: "Until",
    subtasks: "Subtasks too",
    clear: "Clear the filters",
    caption: "Tasks, the newest first",
    task: "Task",
    organizations: "Organizations",
    begun: "Created",
    nothing: "No task fits these filters.",
    nothingYet: "There are no tasks yet.",
    newer: "Newer",
    older: "Older",
    pages: "Pages of the list",
    /** `3 completed, 1 active` */
    shares: (counts: [word: string, count: number][]) =>
      counts.map(([word, one]) => `${count(one)} ${word}`).join(", "),
    noShares: "none",
    by: (user: string) => `by ${user}`,
    waiting: "waits for release",
    came: (howMany: number) =>
      howMany === 1 ? "A new task came." : `${count(howMany)} new tasks came.`,
    showNew: "Show",
    newTask: "New task",
  },
  task: {
    toWork: "All tasks",
    kill: "Kill",
    killTitle: (name: string) => `Kill “${name}”?`,
    killText: "It and its subtasks end at all nodes, and what is not finished has no result.",
    killIt: "Kill it",
    repeat: "Run again with changes",
    firstFailure: "First failure",
    at: "at",
    noReason: "It left no reason.",
    wholeLog: "The whole log",
    waits: "Waits for release",
    waitsAt: "waiting for release at",
    facts: "What was asked",
    asked: "Asked by",
    of: "of",
    collaboration: "Collaboration",
    study: "Study",
    created: "Created",
    finished: "Finished",
    image: "Algorithm",
    code: "Code",
    codeUnknown: "not known before it starts",
    codeAt: (howMany: number) => `at ${count(howMany)}`,
    databases: "Databases",
    noDatabases: "none",
    description: "Description",
    parent: "Subtask of",
    store: "Algorithm store",
    timeLimit: "Time limit",
    time: "Organizations over time",
    timeHint: "Choose an organization to read its log.",
    since: "since",
    all: "All",
    wholeTime: "With the time queued",
    runningTime: "From the first start",
    queued: "queued",
    running: "running",
    held: "waits for release",
    earlier: "earlier attempts",
    attempt: (number: number) => `attempt ${number}`,
    subtask: (name: string) => `Subtask ${name}`,
    asTable: "The same as a table",
    tableCaption: "Each organization's share",
    organization: "Organization",
    status: "Status",
    attempts: "Attempt",
    assigned: "Queued at",
    started: "Started at",
    ended: "Ended at",
    took: "Ran for",
    node: "Node",
    log: "Log",
    openLog: "Log",
    logOf: "Log:",
    emptyLog: "It has printed nothing yet.",
    noLog: "It has printed nothing.",
    goOn: "Follow again",
    goOnNew: (lines: number) => `Follow again (${count(lines)} new lines)`,
    closeLog: "Close the log",
    more: (howMany: number) => `and ${count(howMany)} more`,
    before: "Before",
    next: "Next",
    gone: "This task was deleted.",
    noRuns: "You may not see how far the organizations are.",
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

const COUNT = new Intl.NumberFormat();

/** A number as readers write it. */
export function count(number: number): string {
  return COUNT.format(number);
}
