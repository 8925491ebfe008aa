"""Survival: lifelines, and statsmodels' PHReg for ties by Breslow."""
import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import median_survival_times, restricted_mean_survival_time

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


def cases():
    rossi, lung = data.rossi(), data.lung()
    return [
        kaplan_meier(rossi, "rossi", "week", "arrest", "race", 50),
        kaplan_meier(rossi, "rossi", "week", "arrest", "fin", 40),
        kaplan_meier(lung, "lung", "time", "status", "sex", 365),
        kaplan_meier(lung, "lung", "time", "status", "ph.ecog", 100),
        kaplan_meier(lung, "lung", "time", "status", None, 700),
    ]
