"""Survival: lifelines, and statsmodels' PHReg for ties by Breslow."""
import numpy as np
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import median_survival_times, restricted_mean_survival_time
from statsmodels.duration.hazard_regression import PHReg

import data
from data import case


def finite(numbers):
    """A number that is not reached is null in our result, and no number to compare."""
    return {name: value for name, value in numbers.items() if np.isfinite(value)}


def mean_error(fit, horizon):
    """The restricted mean's standard error, from the curve and its counts (Klein and Moeschberger)."""
    table = fit.event_table.loc[lambda rows: (rows.observed > 0) & (rows.index < horizon)]
    times = np.append(table.index, horizon)
    survival = fit.survival_function_at_times(table.index).to_numpy()
    after = np.cumsum((survival * np.diff(times))[::-1])[::-1]
    left = table.at_risk - table.observed
    parts = np.where(left > 0, after**2 * table.observed / (table.at_risk * left.clip(lower=1)), 0)
    return np.sqrt(parts.sum())


def kaplan_meier(frame, name, time, event, group, horizon):
    known = frame.dropna(subset=[column for column in (time, event, group) if column])
    numbers = {"n": len(known)}
    groups = known.groupby(group) if group else [("all", known)]
    for level, rows in groups:
        level = f"{level:g}" if isinstance(level, float) else level
        fit = KaplanMeierFitter().fit(rows[time], rows[event])
        curve = fit.event_table.loc[lambda counts: counts.observed > 0]
        interval = fit.confidence_interval_
        at = f"groups/{level}"
        low, high = median_survival_times(interval).to_numpy().ravel()
        numbers |= {
            f"{at}/n": len(rows), f"{at}/events": rows[event].sum(),
            f"{at}/median/estimate": fit.median_survival_time_,
            f"{at}/median/low": low, f"{at}/median/high": high,
            f"{at}/restricted_mean/estimate": restricted_mean_survival_time(fit, t=horizon),
            f"{at}/restricted_mean/standard_error": mean_error(fit, horizon),
        }
        for i, moment in enumerate(curve.index):
            point = f"{at}/curve/{i}"
            numbers[f"{point}/time"] = moment
            numbers[f"{point}/at_risk"] = curve.at_risk[moment]
            numbers[f"{point}/survival"] = fit.survival_function_.loc[moment].iloc[0]
            # Where nobody survives, the interval on the scale log(-log S) is none: null in ours.
            if numbers[f"{point}/survival"] > 0:
                numbers[f"{point}/low"], numbers[f"{point}/high"] = interval.loc[moment]
    if group:
        test = multivariate_logrank_test(known[time], known[group], known[event])
        numbers |= {
            "log_rank/statistic": test.test_statistic, "log_rank/p": test.p_value,
            "log_rank/degrees_of_freedom": test.degrees_of_freedom,
        }
    arguments = {"time": time, "event": event, "horizon": horizon} | ({"group": group} if group else {})
    return case("kaplan_meier", name, "lifelines", arguments, finite(numbers))


# lifelines ends its iterations early: it is compared to 1e-6. statsmodels' go on as ours do.
PRECISION = {"precision": 1e-14, "max_steps": 100}
ITERATED = 1e-6


def plain(name):
    """lifelines' names of coefficients as ours: C(ecog)[T.1.0] is ecog[1]."""
    if name.startswith("C("):
        name = name[2:].replace(")[T.", "[").replace(".0]", "]")
    return name


def cox_numbers(fit, formula_columns):
    numbers = {}
    for name in fit.params_.index:
        at = f"coefficients/{formula_columns.get(plain(name), plain(name))}"
        row = fit.summary.loc[name]
        numbers |= {
            f"{at}/estimate": row["coef"], f"{at}/standard_error": row["se(coef)"],
            f"{at}/statistic": row["z"], f"{at}/p": row["p"],
            f"{at}/low": row["coef lower 95%"], f"{at}/high": row["coef upper 95%"],
            f"{at}/ratio/estimate": row["exp(coef)"],
            f"{at}/ratio/low": row["exp(coef) lower 95%"], f"{at}/ratio/high": row["exp(coef) upper 95%"],
        }
    test = fit.log_likelihood_ratio_test()
    return numbers | {
        "log_likelihood": fit.log_likelihood_, "aic": fit.AIC_partial_,
        "likelihood_ratio/statistic": test.test_statistic, "likelihood_ratio/p": test.p_value,
        "likelihood_ratio/degrees_of_freedom": test.degrees_freedom,
    }


def cox_pooled(frame, name, time, event, formula, arguments, names={}, strata=None):
    """One baseline for all sites, whatever the split."""
    fit = CoxPHFitter().fit(frame, time, event, formula=formula, strata=strata, fit_options=PRECISION)
    numbers = cox_numbers(fit, names)
    hazard = fit.baseline_cumulative_hazard_
    for i, column in enumerate(hazard.columns):
        steps = hazard[column][hazard[column].diff().fillna(hazard[column]) > 0]
        for j in {0, len(steps) // 2, len(steps) - 1}:
            at = f"baselines/{i}/curve/{j}"
            numbers |= {f"{at}/time": steps.index[j], f"{at}/cumulative_hazard": steps.iloc[j]}
    arguments = arguments | {"baseline": "pooled", "show_baseline": True}
    if strata:
        arguments["strata"] = strata
    return case("cox", name, "lifelines CoxPHFitter", arguments, numbers, ITERATED)


def cox_by_site(frame, name, time, event, formula, arguments, sort, names={}):
    """Each site has a baseline: what lifelines calls strata."""
    for split, site in data.sites(frame, sort).items():
        rows = frame.assign(site=site)
        columns = [time, event, *(column for column in frame if column in formula)]
        rows = rows[[*columns, "site"]].dropna()
        fit = CoxPHFitter().fit(rows, time, event, formula=formula, strata="site", fit_options=PRECISION)
        numbers = cox_numbers(fit, names) | {"concordance": fit.concordance_index_, "n": len(rows)}
        yield case("cox", name, "lifelines CoxPHFitter, strata", arguments, numbers, ITERATED, sort, split)


def cox_statsmodels(frame, name, time, event, columns, arguments, ties, strata=None, **options):
    known = frame.dropna(subset=[time, event, *columns])
    model = PHReg(
        known[time].astype(float), known[columns].astype(float), status=known[event], ties=ties,
        strata=None if strata is None else known[strata],
    )
    fit = model.fit(method="newton", tol=1e-14, disp=False, maxiter=100)
    nothing = np.zeros(len(columns))
    score = model.score(nothing)
    numbers = {
        "log_likelihood": fit.llf, "null_log_likelihood": model.loglike(nothing),
        "score_test/statistic": score @ np.linalg.solve(-model.hessian(nothing), score),
    }
    for i, column in enumerate(columns):
        at = f"coefficients/{column}"
        numbers |= {
            f"{at}/estimate": fit.params[i], f"{at}/standard_error": fit.bse[i],
            f"{at}/p": fit.pvalues[i], f"{at}/low": fit.conf_int()[i][0],
        }
    arguments = arguments | {"predictors": columns, "ties": ties}
    return case("cox", name, "statsmodels PHReg", arguments, numbers, **options)


def cox(rossi, lung):
    weeks = {"time": "week", "event": "arrest"}
    days = {"time": "time", "event": "status"}
    pooled = {"baseline": "pooled"}
    columns = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    all_of_rossi = weeks | {"predictors": columns}
    lung = lung.rename(columns={"ph.ecog": "ecog", "ph.karno": "karno"})
    names = {"ecog": "ph.ecog", "karno": "ph.karno"}
    levels = {f"ecog[{level}]": f"ph.ecog[{level}]" for level in (1, 2, 3)}
    health = days | {"predictors": ["age", "sex", "ph.ecog"]}
    ecog = health | {"categories": ["ph.ecog"]}
    known = lung[["time", "status", "age", "sex", "ecog"]].dropna()
    formula = " + ".join(columns)
    ended = rossi.assign(week=rossi.week.astype(float))
    return [
        cox_pooled(ended, "rossi", "week", "arrest", formula, all_of_rossi),
        cox_pooled(
            ended, "rossi", "week", "arrest", "fin + age + prio",
            weeks | {"predictors": ["fin", "age", "prio"]}, strata="wexp",
        ),
        cox_pooled(known, "lung", "time", "status", "age + sex + ecog", health, names),
        cox_pooled(known, "lung", "time", "status", "age + sex + C(ecog)", ecog, levels),
        *cox_by_site(ended, "rossi", "week", "arrest", "age + race + prio + mar",
                     weeks | {"predictors": ["age", "race", "prio", "mar"]}, "fin"),
        *cox_by_site(lung, "lung", "time", "status", "age + ecog", days | {"predictors": ["age", "ph.ecog"]},
                     "sex", names),
        cox_statsmodels(rossi, "rossi", "week", "arrest", columns, weeks | pooled, "breslow"),
        cox_statsmodels(rossi, "rossi", "week", "arrest", ["age", "prio"],
                        weeks | pooled | {"strata": "fin"}, "breslow", "fin"),
        *(cox_statsmodels(lung.assign(site=site), "lung", "time", "status", ["age", "wt.loss"], days, ties,
                          "site", sort="sex", split=split)
          for split, site in data.sites(lung, "sex").items() for ties in ("efron", "breslow")),
    ]


def cases():
    rossi, lung = data.rossi(), data.lung()
    return [
        kaplan_meier(rossi, "rossi", "week", "arrest", "race", 50),
        kaplan_meier(rossi, "rossi", "week", "arrest", "fin", 40),
        kaplan_meier(lung, "lung", "time", "status", "sex", 365),
        kaplan_meier(lung, "lung", "time", "status", "ph.ecog", 100),
        kaplan_meier(lung, "lung", "time", "status", None, 700),
        *cox(rossi, lung),
    ]
