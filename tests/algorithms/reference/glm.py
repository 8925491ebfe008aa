"""Generalized linear models: statsmodels' GLM, with tightened convergence."""
import numpy as np
import statsmodels.formula.api as smf
from statsmodels import api as sm

import data
from data import case


def named(name):
    """statsmodels' names of coefficients as ours: C(sex)[T.male] is sex[male]."""
    if name == "Intercept":
        return "intercept"
    if name.startswith("C("):
        return name[2:].replace(")[T.", "[")
    return name.replace("[T.", "[")


def numbers_of(fit, dispersed):
    numbers = {}
    interval = fit.conf_int()
    for name in fit.params.index:
        at = f"coefficients/{named(name)}"
        numbers[f"{at}/estimate"] = fit.params[name]
        numbers[f"{at}/standard_error"] = fit.bse[name]
        numbers[f"{at}/statistic"] = fit.tvalues[name]
        numbers[f"{at}/p"] = fit.pvalues[name]
        numbers[f"{at}/low"] = interval.loc[name, 0]
        numbers[f"{at}/high"] = interval.loc[name, 1]
    numbers["deviance"] = fit.deviance
    numbers["null_deviance"] = fit.null_deviance
    numbers["pearson_chi2"] = fit.pearson_chi2
    numbers["degrees_of_freedom"] = fit.df_resid
    numbers["log_likelihood"] = fit.llf
    numbers["aic"] = fit.aic
    numbers["n"] = fit.nobs
    if dispersed:
        numbers["dispersion"] = fit.scale
    return numbers


def fit_case(frame, name, formula, family, arguments, bound=1e-9, **options):
    dispersed = isinstance(family, (sm.families.Gaussian, sm.families.Gamma))
    model = smf.glm(formula, frame, family=family, **options)
    fit = model.fit(tol=1e-13, tol_criterion="params", maxiter=200, use_t=dispersed)
    numbers = numbers_of(fit, dispersed)
    return case("glm", name, "statsmodels GLM", arguments, numbers, bound)


def cases():
    penguins, longley, rossi = data.penguins(), data.longley(), data.rossi()
    scotland, cpunish, spector = data.scotland(), data.cpunish(), data.spector()
    gaussian, gamma = sm.families.Gaussian(), sm.families.Gamma
    binomial, poisson = sm.families.Binomial(), sm.families.Poisson()
    found = []
    predictors = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]
    found.append(fit_case(
        longley, "longley", "TOTEMP ~ " + " + ".join(predictors), gaussian,
        {"outcome": "TOTEMP", "predictors": predictors},
    ))
    found.append(fit_case(
        penguins, "penguins",
        "body_mass_g ~ flipper_length_mm + species + C(sex) + C(year)", gaussian,
        {"outcome": "body_mass_g", "predictors": ["flipper_length_mm", "species", "sex", "year"],
         "categories": ["year"]},
    ))
    known = penguins.dropna(subset=["sex"]).assign(male=lambda rows: (rows.sex == "male") * 1)
    found.append(fit_case(
        known, "penguins", "male ~ body_mass_g + bill_length_mm + species", binomial,
        {"outcome": "sex", "predictors": ["body_mass_g", "bill_length_mm", "species"],
         "family": "binomial"},
    ))
    found.append(fit_case(
        spector, "spector", "GRADE ~ GPA + TUCE + PSI", binomial,
        {"outcome": "GRADE", "predictors": ["GPA", "TUCE", "PSI"], "family": "binomial"},
    ))
    found.append(fit_case(
        rossi, "rossi", "arrest ~ fin + age + race + prio", poisson,
        {"outcome": "arrest", "predictors": ["fin", "age", "race", "prio"], "family": "poisson",
         "offset": "log_week"},
        offset=rossi.log_week,
    ))
    found.append(fit_case(
        cpunish, "cpunish", "EXECUTIONS ~ INCOME + PERPOVERTY + PERBLACK + VC100k96 + SOUTH + DEGREE",
        poisson,
        {"outcome": "EXECUTIONS", "family": "poisson",
         "predictors": ["INCOME", "PERPOVERTY", "PERBLACK", "VC100k96", "SOUTH", "DEGREE"]},
    ))
    names = list(scotland.columns)
    for link, family in (("log", gamma(sm.families.links.Log())), ("inverse", gamma())):
        found.append(fit_case(
            scotland, "scotland", f"{names[0]} ~ " + " + ".join(names[1:]), family,
            {"outcome": names[0], "predictors": names[1:], "family": "gamma", "link": link},
        ))
    found.append(fit_case(
        rossi, "rossi", "arrest ~ fin + age", binomial,
        {"outcome": "arrest", "predictors": ["fin", "age"], "family": "binomial", "weights": "week"},
        freq_weights=np.asarray(rossi.week),
    ))
    return found
