"""Methods with several sources: meta-analysis, rates, mixed models, components and clusters."""
import numpy as np
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
import statsmodels.formula.api as smf
from statsmodels import api as sm
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.rates import confint_poisson

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


def rate(at, events, time, per=1):
    low, high = confint_poisson(events, time, method="exact-c")
    return {
        f"{at}/estimate": events / time * per, f"{at}/low": low * per, f"{at}/high": high * per,
    }


def rate_ratio(at, a, b):
    """Exact, given the sum of events: of all of them, the first has a binomial part."""
    (events, time), (others, their_time) = a, b
    low, high = stats.binomtest(int(events), int(events + others)).proportion_ci(method="exact")
    share = time / (time + their_time)
    tails = stats.binom.cdf(events, events + others, share), stats.binom.sf(events - 1, events + others, share)
    return {
        f"{at}/estimate": events / time / (others / their_time),
        f"{at}/low": low / (1 - low) * their_time / time,
        f"{at}/high": high / (1 - high) * their_time / time,
        f"{at}/p": min(1, 2 * min(tails)),
    }


def direct(counts, standard, per):
    """Fay and Feuer's interval, with scipy's gamma distribution."""
    weights = standard / standard.sum()
    events, time = counts.events, counts.time
    mean, variance = (weights * events / time).sum(), (weights**2 * events / time**2).sum()
    largest = (weights / time).max()
    low = stats.gamma.ppf(0.025, mean**2 / variance, scale=variance / mean)
    above, spread = mean + largest, variance + largest**2
    high = stats.gamma.ppf(0.975, above**2 / spread, scale=spread / above)
    return mean, variance, {"estimate": mean * per, "low": low * per, "high": high * per}


def incidence_rates(frame, name, events, time, group, strata, standard, rates, per, sort):
    table = frame.groupby([group, strata])[[events, time]].sum().set_axis(["events", "time"], axis=1)
    crude = table.groupby(level=0).sum()
    every = table.groupby(level=1).sum()
    weights = every.time if standard is None else every.time * 0 + [standard[str(at)] for at in every.index]
    expected_rates = every.events / every.time if rates is None else every.time * 0 + [rates[str(at)] for at in every.index]
    reference = crude.index[0]
    numbers = rate("total/rate", crude.events.sum(), crude.time.sum(), per)
    standardised = {level: direct(table.loc[level], weights, per) for level in crude.index}
    for level, row in crude.iterrows():
        at = f"groups/{level}"
        expected = (table.loc[level].time * expected_rates).sum()
        observed = row.events
        tails = stats.poisson.cdf(observed, expected), stats.poisson.sf(observed - 1, expected)
        mean, variance, interval = standardised[level]
        numbers |= rate(f"{at}/rate", row.events, row.time, per)
        numbers |= {f"{at}/events": row.events, f"{at}/person_time": row.time}
        numbers |= {f"{at}/direct/{key}": value for key, value in interval.items()}
        numbers |= rate(f"{at}/indirect", observed, expected)
        numbers |= {f"{at}/indirect/expected": expected, f"{at}/indirect/p": min(1, 2 * min(tails))}
        if level == reference:
            continue
        base, base_variance, _ = standardised[reference]
        numbers |= rate_ratio(f"{at}/ratio", tuple(row), tuple(crude.loc[reference]))
        error = np.sqrt(variance / mean**2 + base_variance / base**2)
        reach = np.exp(stats.norm.ppf(0.975) * error)
        numbers |= {
            f"{at}/direct_ratio/estimate": mean / base, f"{at}/direct_ratio/low": mean / base / reach,
            f"{at}/direct_ratio/high": mean / base * reach,
        }
        difference = row.events / row.time - crude.loc[reference].events / crude.loc[reference].time
        spread = np.sqrt(row.events / row.time**2 + crude.loc[reference].events / crude.loc[reference].time**2)
        numbers[f"{at}/difference/low"] = (difference - stats.norm.ppf(0.975) * spread) * per
    arguments = {"events": events, "person_time": time, "group": group, "strata": strata, "per": per}
    if standard:
        arguments["standard"] = standard
    if rates:
        arguments["standard_rates"] = rates
    return case("incidence_rates", name, "statsmodels confint_poisson, scipy", arguments, numbers, sort=sort)


def rates():
    rossi = data.rossi()
    weights, known = {"0": 3, "1": 1}, {"0": 0.004, "1": 0.008}
    return [
        incidence_rates(rossi, "rossi", "arrest", "week", "fin", "race", None, None, 1000, "race"),
        incidence_rates(rossi, "rossi", "arrest", "week", "race", "wexp", weights, known, 52, "fin"),
        incidence_rates(rossi, "rossi", "prio", "age", "paro", "mar", None, known, 1, "wexp"),
    ]


def mixed_model(frame, name, sort, formula, predictors, reml):
    """Sites as groups with a random intercept."""
    outcome = formula.split(" ~ ")[0]
    for split, site in data.sites(frame, sort).items():
        if split == "one site":
            continue
        rows = frame.assign(site=site)
        # One optimizer or the other ends at a variance of 0 that is not the best: the best is taken.
        fits = [
            smf.mixedlm(formula, rows, groups="site").fit(reml=reml, method=[method], **options)
            for method, options in (
                ("lbfgs", {"gtol": 1e-12, "maxiter": 2000}), ("bfgs", {"gtol": 1e-10}),
                ("cg", {"gtol": 1e-10}), ("powell", {"xtol": 1e-13, "ftol": 1e-15}),
            )
        ]
        good = [one for one in fits if np.isfinite(one.llf)]
        fit = max(good, key=lambda one: one.llf) if good else fits[0]
        residual, between = fit.scale, fit.cov_re.iloc[0, 0]
        null = smf.ols(formula, rows).fit()
        flat = between < 1e-9 * residual
        if flat:
            # At a variance of 0 the model is that of least squares, and statsmodels has no likelihood.
            residual, between = (null.mse_resid if reml else null.ssr / len(rows)), 0
        # statsmodels' errors are of a Hessian with the variances in it; these are of the coefficients
        # alone, as other programs give them, at statsmodels' variances.
        x = np.asarray(fit.model.exog)
        inside = np.zeros((x.shape[1], x.shape[1]))
        for number in np.unique(site):
            part = x[site == number]
            inside += part.T @ part - between / (residual + len(part) * between) * np.outer(part.sum(0), part.sum(0))
        errors = np.sqrt(residual * np.diag(np.linalg.inv(inside)))
        numbers = {
            "n": len(rows), "residual_variance": residual,
        }
        # Near 0 the likelihood is so flat that statsmodels finds a variance to 5 digits only.
        weak = 0 < between < 1e-2 * residual
        if not weak:
            numbers |= {"site_variance": between, "icc": between / (between + residual)}
        if not flat:
            numbers["log_likelihood"] = fit.llf
        if not flat and not reml:
            numbers["site_effect_test/statistic"] = 2 * (fit.llf - null.llf)
        for i, term in enumerate(null.params.index):
            at = f"coefficients/{'intercept' if term == 'Intercept' else term}"
            estimate = (null.params if flat else fit.fe_params)[term]
            numbers |= {f"{at}/estimate": estimate, f"{at}/standard_error": errors[i]}
        ids = {0: 1, 1: 3, 2: 4} if "empty" in split else {i: i + 1 for i in range(4)}
        effects = [] if flat or weak else fit.random_effects.items()
        for i, (number, effect) in enumerate(effects):
            numbers[f"site_effects/{i}/organization"] = ids[number]
            numbers[f"site_effects/{i}/effect"] = effect.iloc[0]
        arguments = {"outcome": outcome, "predictors": predictors, "estimator": "reml" if reml else "ml"}
        yield case("mixed_model", name, "statsmodels MixedLM", arguments, numbers, 1e-6, sort, split)


def mixed_models():
    diabetes, rossi = data.diabetes(), data.rossi()
    return [
        one for reml in (True, False) for one in (
            *mixed_model(diabetes, "diabetes", "sex", "bp ~ age + bmi", ["age", "bmi"], reml),
            *mixed_model(diabetes, "diabetes", "sex", "s3 ~ age + bmi", ["age", "bmi"], reml),
        )
    ]


def pca(frame, name, columns, scale):
    values = frame[columns].dropna().to_numpy(float)
    if scale:
        # scikit-learn's scaler divides by n, ours by n - 1.
        values = StandardScaler().fit_transform(values) * np.sqrt((len(values) - 1) / len(values))
    fit = PCA(svd_solver="full").fit(values)
    numbers = {"n": len(values)}
    for i, (loadings, variance, share) in enumerate(
        zip(fit.components_, fit.explained_variance_, fit.explained_variance_ratio_)
    ):
        at = f"components/{i}"
        numbers |= {f"{at}/variance": variance, f"{at}/share": share}
        numbers |= {f"{at}/loadings/{column}": one for column, one in zip(columns, loadings)}
    arguments = {"columns": columns, "scale": scale}
    return case("pca", name, "scikit-learn PCA", arguments, numbers)


def components():
    penguins, iris = data.penguins(), data.iris()
    body = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    return [
        pca(iris, "iris", list(iris.columns), False), pca(iris, "iris", list(iris.columns), True),
        pca(penguins, "penguins", body, True), pca(penguins, "penguins", body, False),
    ]


def k_means(frame, name, columns, start, scale=False, iterations=100, tolerance=1e-4):
    values = frame[columns].dropna().to_numpy(float)
    # The start and the centres are in the columns' own units, only distances are scaled.
    mean, deviation = (values.mean(0), values.std(0, ddof=1)) if scale else (0, 1)
    fit = KMeans(
        len(start), init=(np.array(start, float) - mean) / deviation, n_init=1, algorithm="lloyd",
        max_iter=iterations, tol=tolerance,
    ).fit((values - mean) / deviation)
    sizes = np.bincount(fit.labels_, minlength=len(start))
    assert (sizes > 0).all(), "scikit-learn gives a centre without rows another place, ours stays"
    numbers = {"n": len(values), "inertia": fit.inertia_, "iterations": fit.n_iter_}
    for k, (centre, size) in enumerate(zip(fit.cluster_centers_ * deviation + mean, sizes)):
        numbers |= {f"sizes/{k}": size}
        numbers |= {f"centres/{k}/{column}": value for column, value in zip(columns, centre)}
    arguments = {
        "columns": columns, "start": start, "scale": scale, "iterations": iterations,
        "tolerance": tolerance,
    }
    return case("k_means", name, "scikit-learn KMeans", arguments, numbers)


def clusters():
    penguins, iris = data.penguins(), data.iris()
    body = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    birds = [[39, 18, 190, 3700], [49, 18, 196, 3700], [47, 15, 217, 5000]]
    flowers = [[5, 3.5, 1.5, 0.2], [6, 2.8, 4.5, 1.3], [6.5, 3, 5.5, 2]]
    poor = [[5, 3, 1, 0.1], [5.1, 3.5, 1.4, 0.2], [4.9, 3.1, 1.5, 0.1], [6, 3, 5, 2]]
    columns = list(iris.columns)
    return [
        k_means(penguins, "penguins", body, birds, True),
        k_means(penguins, "penguins", body, birds, False, tolerance=0),
        k_means(penguins, "penguins", body[:2], [[40, 16], [41, 17], [60, 20]], tolerance=0.01),
        k_means(iris, "iris", columns, flowers),
        k_means(iris, "iris", columns, flowers, True, tolerance=0),
        k_means(iris, "iris", columns, poor), k_means(iris, "iris", columns, poor, tolerance=0.01),
        k_means(iris, "iris", columns, poor, True, iterations=3),
    ]


def cases():
    return [*meta_analyses(), *rates(), *mixed_models(), *components(), *clusters()]
