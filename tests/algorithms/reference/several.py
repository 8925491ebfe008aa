"""Methods with several sources: meta-analysis, rates, mixed models, components and clusters."""
import numpy as np
import statsmodels.formula.api as smf
from statsmodels import api as sm
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.meta_analysis import combine_effects

import data
from data import case


def combined(at, effects, errors, organizations):
    """What statsmodels makes of studies; of no more variance than chance, our random mean is fixed."""
    numbers = {}
    found = combine_effects(np.array(effects), np.array(errors) ** 2, method_re="dl")
    tau2 = found.tau2 if len(effects) > 1 else 0
    wide = tau2 > 0
    means = {
        "fixed": (found.mean_effect_fe, found.sd_eff_w_fe, found.weights_rel_fe),
        "random": (found.mean_effect_re, found.sd_eff_w_re, found.weights_rel_re)
        if wide else (found.mean_effect_fe, found.sd_eff_w_fe, found.weights_rel_fe),
    }
    low, high = found.conf_int(use_t=False)[0]
    numbers |= {f"{at}/fixed/low": low, f"{at}/fixed/high": high, f"{at}/tau_squared": max(tau2, 0)}
    for name, (mean, error, weights) in means.items():
        numbers |= {f"{at}/{name}/estimate": mean, f"{at}/{name}/standard_error": error}
        numbers |= {f"{at}/studies/{i}/weight_{name}": weight for i, weight in enumerate(weights)}
    for i, (effect, error) in enumerate(zip(effects, errors)):
        numbers |= {
            f"{at}/studies/{i}/estimate": effect, f"{at}/studies/{i}/standard_error": error,
            f"{at}/studies/{i}/organization": organizations[i],
        }
    if len(effects) > 1:
        test = found.test_homogeneity()
        numbers |= {
            f"{at}/heterogeneity/q": test.statistic, f"{at}/heterogeneity/p": test.pvalue,
            f"{at}/heterogeneity/degrees_of_freedom": test.df,
            f"{at}/heterogeneity/i_squared": found.i2 if wide else 0,
        }
    return numbers


def glm_of(rows, outcome, predictors, family, offset):
    model = sm.GLM(
        rows[outcome], sm.add_constant(rows[predictors], has_constant="add"), family=family,
        offset=rows[offset] if offset else None,
    )
    fit = model.fit(tol=1e-13, tol_criterion="params", maxiter=200)
    return {name.replace("const", "intercept"): (fit.params[name], fit.bse[name]) for name in fit.params.index}


def cox_of(rows, time, event, predictors):
    model = PHReg(rows[time].astype(float), rows[predictors].astype(float), rows[event], ties="efron")
    fit = model.fit(method="newton", tol=1e-14, disp=False, maxiter=100)
    return {name: (fit.params[i], fit.bse[i]) for i, name in enumerate(predictors)}


def meta_analysis(frame, name, sort, predictors, arguments, fit):
    """A model at each site that can fit one, without what is the same in all its rows."""
    for split, site in data.sites(frame, sort).items():
        # The second site of this split has no rows.
        ids = {0: 1, 1: 3, 2: 4} if "empty" in split else {i: i + 1 for i in range(4)}
        terms = {}
        used = 0
        for number, rows in frame.groupby(site):
            if len(rows) < 2:
                continue
            varying = [column for column in predictors if rows[column].nunique() > 1]
            found = fit(rows, varying)
            if any(rows[column].iloc[0] != 0 for column in set(predictors) - set(varying)):
                # What is the same in all rows is in this intercept, and in no other.
                found.pop("intercept", None)
            # A predictor separates the outcomes here: ours says so and goes on without the site.
            if any(error > 100 for _, error in found.values()):
                continue
            used += len(rows)
            for term, (effect, error) in found.items():
                terms.setdefault(term, []).append((effect, error, ids[number]))
        numbers = {"n": used}
        for term, studies in terms.items():
            numbers |= combined(f"terms/{term}", *zip(*studies))
        yield case("meta_analysis", name, "statsmodels, combine_effects",
                   arguments | {"predictors": predictors}, numbers, sort=sort, split=split)


def meta_analyses():
    rossi, lung, diabetes = data.rossi(), data.lung(), data.diabetes()
    lung = lung.dropna(subset=["age", "ph.ecog"])
    gaussian, binomial, poisson = sm.families.Gaussian(), sm.families.Binomial(), sm.families.Poisson()
    return [
        *meta_analysis(
            diabetes, "diabetes", "sex", ["bmi", "bp", "age"], {"model": "gaussian", "outcome": "target"},
            lambda rows, columns: glm_of(rows, "target", columns, gaussian, None),
        ),
        *meta_analysis(
            rossi, "rossi", "fin", ["fin", "age", "prio"], {"model": "binomial", "outcome": "arrest"},
            lambda rows, columns: glm_of(rows, "arrest", columns, binomial, None),
        ),
        *meta_analysis(
            rossi, "rossi", "fin", ["age", "prio", "mar"],
            {"model": "poisson", "outcome": "arrest", "offset": "log_week"},
            lambda rows, columns: glm_of(rows, "arrest", columns, poisson, "log_week"),
        ),
        *meta_analysis(
            rossi, "rossi", "fin", ["age", "prio", "wexp"],
            {"model": "cox", "time": "week", "event": "arrest"},
            lambda rows, columns: cox_of(rows, "week", "arrest", columns),
        ),
    ]


def cases():
    return meta_analyses()
