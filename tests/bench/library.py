"""The same analyses as library.ts, on the pooled rows: TIMES FILE... Prints milliseconds as JSON."""
import json
import sys
import time

import lifelines
import numpy as np
import pandas
import statsmodels.api as sm
import statsmodels.formula.api as smf
from lifelines.statistics import logrank_test
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

times = int(sys.argv[1])
files = [pandas.read_csv(path).assign(site=i) for i, path in enumerate(sys.argv[2:])]
rows = pandas.concat(files, ignore_index=True)
PREDICTORS = "x1 + x2 + x3 + C(g)"


def summary():
    rows[["x1", "x2", "x3"]].agg(["count", "mean", "std"])
    rows.groupby("h")[["x1", "x2", "x3"]].agg(["count", "mean", "std"])
    rows["g"].value_counts()
    rows.groupby("h")["g"].value_counts()


def crosstab():
    stats.chi2_contingency(pandas.crosstab(rows["g"], rows["h"]))


def anova():
    groups = [values.to_numpy() for _, values in rows.groupby("g")["y"]]
    stats.f_oneway(*groups)
    anova_oneway(groups, use_var="unequal", welch_correction=True)


def correlation():
    for first, second in (("x1", "x2"), ("x1", "x3"), ("x2", "x3")):
        stats.pearsonr(rows[first], rows[second]).confidence_interval()


def glm(outcome, family):
    return lambda: smf.glm(f"{outcome} ~ {PREDICTORS}", rows, family=family).fit().summary()


def kaplan_meier():
    parts = [part for _, part in rows.groupby("h")]
    for part in parts:
        fitter = lifelines.KaplanMeierFitter().fit(part["t"], part["e"])
        fitter.confidence_interval_, fitter.median_survival_time_
    logrank_test(parts[0]["t"], parts[1]["t"], parts[0]["e"], parts[1]["e"])


def cox(strata):
    frame = rows[["t", "e", "x1", "x2", "x3", "g", *strata]]
    fitter = lifelines.CoxPHFitter(strata=strata or None)
    return lambda: fitter.fit(frame, "t", "e", formula="x1 + x2 + x3 + C(g)")


ANALYSES = {
    "summary": ("pandas", summary),
    "crosstab": ("pandas, scipy", crosstab),
    "anova": ("scipy, statsmodels", anova),
    "correlation": ("scipy", correlation),
    "quantiles": ("numpy", lambda: np.quantile(rows["x1"], [0.25, 0.5, 0.75])),
    "histogram": ("numpy", lambda: np.histogram(rows["x1"], bins=50, range=(-4, 4))),
    "linear": ("statsmodels", glm("y", sm.families.Gaussian())),
    "logistic": ("statsmodels", glm("b", sm.families.Binomial())),
    "poisson": ("statsmodels", glm("c", sm.families.Poisson())),
    "kaplan-meier": ("lifelines", kaplan_meier),
    "cox": ("lifelines", cox(["site"])),
    "cox, pooled baseline": ("lifelines", cox([])),
}

found = {}
for name, (by, analyse) in ANALYSES.items():
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        analyse()
        taken.append((time.perf_counter() - began) * 1000)
    found[name] = {"ms": min(taken), "by": by}
print(json.dumps(found))
