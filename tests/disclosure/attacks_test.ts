/**
 * The table of attacks: of each in the list of the rules' promises, by what runs, the test that
 * tries it. A test that is renamed, gone or left out is missed here.
 *
 * Each test of an own algorithm and of the library tries both profiles, `datashield` and `strict`;
 * a container under `strict` does not run at all, whatever it would do.
 * @module
 */
import assert from "node:assert/strict";

const OWN = "./own_algorithm_test.ts";
const LIBRARY = "./library_test.ts";
const CONTAINER = "./container_test.ts";
const STEPS = "./steps_test.ts";
const FEW = "./few_persons_test.ts";
const SUMS = "./sums_test.ts";
const PRODUCTS = "../../services/node/disclosure/guarded/cross_products_test.ts";
const CHOICES = "./choices_of_few_test.ts";
const DIFFERENCES = "./differences_of_counts_test.ts";
const GUARDED = "../../services/node/disclosure/guarded/answer_test.ts";
const SINGLING = "../../services/node/algorithms/sextant/condition/singling_test.ts";
const DISGUISED = "./disguised_counts_test.ts";
const BINS = "../algorithms/few_persons_test.ts";
const RULES = "../algorithms/under_rules_test.ts";
const ERRORS = "./errors_of_choices_test.ts";
const SYSTEM = "../disclosure_test.ts";
const PROXY = "../../services/node/subtasks/proxy/proxy_test.ts";
const CLIENT = "../../services/node/subtasks/sandbox_client_test.ts";

type Cell = readonly [file: string, test: string];

const CARRIED = "rows, errors, logs, names and a forged n carry nothing out of a guarded site";
const IN_CONTAINER = (
  by: string,
): Cell => [CONTAINER, `a container gets nothing out by \${by}, of: ${by}`];

/**
 * What somebody tries; and who tries it: an own algorithm, the library by its arguments, a
 * container.
 */
const ATTACKS: Record<string, { own: Cell[]; library: Cell[]; container: Cell[] }> = {
  "a site of one row": {
    own: [[OWN, "a site of one row tells nothing of it"]],
    library: [
      [LIBRARY, "a site of one row tells nothing by any of the library's algorithms"],
      [SYSTEM, "a site with one row lets out none of it"],
      [FEW, "tells nothing of one person or two at a site of their own"],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "a filter that isolates one person": {
    own: [[OWN, "a condition on one person is answered as one on nobody"]],
    library: [
      [
        LIBRARY,
        "a condition on one person of the library's algorithms is answered as one on nobody",
      ],
      [CHOICES, "whether the one who has a value is among those that a condition chooses"],
      [CHOICES, "a level that is named chooses its rows, and of nobody's is told what is told"],
      [SYSTEM, "a filter that isolates one person gets nothing of them"],
      [
        SYSTEM,
        "whoever chooses the rows of one person by preprocessing reads the same as of nobody's",
      ],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "two filters that differ by one person": {
    own: [
      [OWN, "two conditions that differ by one person, in one run or in two"],
      [
        PRODUCTS,
        "of guarded products the ledger hears who has which of few values, of weights too",
      ],
      [OWN, "a group in one run, and in another its rows without one person by a filter"],
      [OWN, "by whether a condition with a name in it is refused nobody learns"],
    ],
    library: [
      [LIBRARY, "two conditions that differ by one person, in two runs"],
      [
        SUMS,
        "k-means of rows that differ by one person are told of once, whatever the centres are",
      ],
      [SUMS, "the rows of a column's value are not told of again but for one person"],
      [DIFFERENCES, "the bins of all less those of a condition's rows do not count the few"],
      [DIFFERENCES, "one of very many groups in one run, and in another its rows but for one"],
      [SINGLING, "a condition singles out by what few lack, however it asks for that"],
      [LIBRARY, "by whether a condition with a name in it is refused nobody learns"],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "subtraction through margins": {
    own: [[OWN, "subtraction through margins"]],
    library: [[LIBRARY, "subtraction through the margins of a crosstab"]],
    container: [IN_CONTAINER("its output")],
  },
  "a small count in disguise": {
    own: [[OWN, "a saturated model, and a column that marks one person"]],
    library: [
      [DISGUISED, "the mean of a column of 0 and 1, whichever way round, is not told where few"],
      [DISGUISED, "a rate's events, or its person-time, of few who have any is not told"],
      [
        DISGUISED,
        "of a column that all but few lack, these few are not counted by what is missing",
      ],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "quantiles and histograms down to one value": {
    own: [
      [OWN, "thresholds and bins down to one value"],
      [GUARDED, "guarded risk sets take no times that come nearer to a value than others are"],
    ],
    library: [
      [LIBRARY, "limits that close in on a value, and bins of one person"],
      [SINGLING, "a condition singles out by a limit nearer to a value than others are"],
      [BINS, "histogram comes no nearer to a value by bins that begin a little further on"],
      [BINS, "quantiles come no nearer to a value however they are asked for"],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "a saturated model": {
    own: [
      [OWN, "a saturated model, and a column that marks one person"],
      [PRODUCTS, "are refused where a value, or what two columns differ in, is of one person"],
    ],
    library: [
      [LIBRARY, "a saturated model, and one of a column that marks few"],
      [RULES, "a model with too many terms for a site leaves it out"],
      [SUMS, "products of columns are not told that show one person"],
      [SUMS, "products and moments of a column that one person makes up are not told"],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "residuals and predictions": {
    own: [[OWN, "residuals and predictions are of rows, and there are none"]],
    library: [
      [LIBRARY, "residuals by coefficients and weights of the attacker's"],
      [RULES, "a model's parts refuse coefficients that single rows out"],
      [SUMS, "a glm's step that comes to a row without a mean tells nothing of those before it"],
      [
        SUMS,
        "a glm's step tells nothing at coefficients and scales that make a chance all or nothing",
      ],
      [SUMS, "a glm's step tells no sum of Pearson's that is nearly one person's"],
      [SUMS, "meta_analysis fits no model in which one person weighs as much as all others"],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "k-means with singleton clusters": {
    own: [[OWN, "clusters of one, by centres and limits of the attacker's"]],
    library: [
      [LIBRARY, "k-means with as many clusters as persons"],
      [SUMS, "a cluster of k-means is not told of again with one person more"],
      [SUMS, "k-means tells nothing where the rules ask how much one person makes up"],
    ],
    container: [IN_CONTAINER("its output")],
  },
  "a forged n": {
    own: [[OWN, CARRIED], [OWN, "a description that says it is the library's changes nothing"]],
    // Its counts are its own; whoever is not the library, by its digest, is an own algorithm.
    library: [[OWN, "a description that says it is the library's changes nothing"]],
    container: [IN_CONTAINER("a forged count")],
  },
  "values in error messages": {
    own: [[OWN, CARRIED]],
    library: [
      [LIBRARY, "errors of the library say what was asked, and nothing of a row"],
      [ERRORS, "whether an analysis fails of rows that were chosen tells of nobody"],
    ],
    container: [IN_CONTAINER("its error"), IN_CONTAINER("its exit code")],
  },
  "values in logs": {
    own: [[OWN, CARRIED]],
    library: [[LIBRARY, "errors of the library say what was asked, and nothing of a row"]],
    container: [IN_CONTAINER("its log")],
  },
  "values in names of subtasks": {
    own: [[OWN, CARRIED]],
    library: [[
      SYSTEM,
      "an algorithm that nobody trusts sees no rows, and can return, say and send none",
    ]],
    container: [IN_CONTAINER("the name of a subtask")],
  },
  "values in what is asked of the hub": {
    own: [[CLIENT, "CLOSED_CLIENT asks nothing of the hub"]],
    library: [[CLIENT, "CLOSED_CLIENT asks nothing of the hub"]],
    container: [[PROXY, "Proxy passes nothing on of a run that may send nothing"]],
  },
  "timing of refusals": {
    own: [[STEPS, "does, sends and writes the same of nobody, of one person"]],
    library: [
      [STEPS, "does, sends and writes the same of nobody, of one person"],
      [FEW, "tells nothing of one person or two at a site of their own"],
    ],
    // Whatever it does, its result waits for a person, and why it failed is not told.
    container: [IN_CONTAINER("its output"), IN_CONTAINER("its exit code")],
  },
};

Deno.test("each attack is tried by an own algorithm, by the library and by a container", async () => {
  const texts = new Map<string, string>();
  for (const [attack, { own, library, container }] of Object.entries(ATTACKS)) {
    for (const [file, test] of [...own, ...library, ...container]) {
      const text = texts.get(file) ?? await Deno.readTextFile(new URL(file, import.meta.url));
      texts.set(file, text);
      const [name, script] = test.split(", of: ");
      // As the name of a test that runs, wherever the formatter breaks the line.
      const runs = new RegExp(
        String.raw`Deno\.test\(\s*(?:containerTest\(\s*)?["` + "`" +
          String.raw`][^\n]*${RegExp.escape(name!)}`,
      );
      assert.match(text, runs, `${attack}: ${file} has no test "${test}"`);
      assert.doesNotMatch(text, /\.ignore\(|\.only\(|\b(?:ignore|only): true/, file);
      if (script) assert.ok(text.includes(`"${script}": \``), `${attack}: ${file}, ${script}`);
    }
  }
  for (const file of [OWN, LIBRARY, STEPS]) {
    assert.match(texts.get(file)!, /const PROFILES = \["datashield", "strict"\] as const;/, file);
  }
  assert.ok(texts.get(CONTAINER)!.includes("under strict no container runs at all"));
});
