"""Means and how they differ: scipy and statsmodels."""
import numpy as np
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

import data
from data import case


def compare_means(frame, name, column, group):
    groups = {level: values.dropna().to_numpy() for level, values in frame.groupby(group)[column]}
    samples = list(groups.values())
    plain = stats.f_oneway(*samples)
    welch = anova_oneway(samples, use_var="unequal", welch_correction=True)
    numbers = {
        "anova/f": plain.statistic, "anova/p": plain.pvalue,
        "welch_anova/f": welch.statistic, "welch_anova/p": welch.pvalue,
        "welch_anova/degrees_of_freedom/1": welch.df_denom,
    }
    for level, values in groups.items():
        numbers[f"groups/{level}/mean"] = values.mean()
        numbers[f"groups/{level}/sd"] = values.std(ddof=1)
    if len(samples) == 2:
        for test, equal in (("t_test", True), ("welch_t_test", False)):
            found = stats.ttest_ind(*samples, equal_var=equal)
            interval = found.confidence_interval(0.95)
            numbers |= {
                f"{test}/t": found.statistic, f"{test}/p": found.pvalue,
                f"{test}/degrees_of_freedom": found.df,
                f"{test}/low": interval.low, f"{test}/high": interval.high,
            }
    arguments = {"column": column, "group": group}
    return case("compare_means", name, "scipy, statsmodels anova_oneway", arguments, numbers)


def one_sample(frame, name, column, mean):
    found = stats.ttest_1samp(frame[column].dropna(), mean)
    interval = found.confidence_interval(0.95)
    numbers = {
        "one_sample/t": found.statistic, "one_sample/p": found.pvalue,
        "one_sample/low": interval.low - mean, "one_sample/high": interval.high - mean,
    }
    arguments = {"column": column, "against": mean}
    return case("compare_means", name, "scipy", arguments, numbers)


def correlation(frame, name, columns):
    values = frame[columns].dropna()
    numbers, at = {}, 0
    for i, first in enumerate(columns):
        for second in columns[i + 1:]:
            found = stats.pearsonr(values[first], values[second])
            interval = found.confidence_interval(0.95)
            numbers |= {
                f"correlations/{at}/r": found.statistic, f"correlations/{at}/p": found.pvalue,
                f"correlations/{at}/low": interval.low, f"correlations/{at}/high": interval.high,
            }
            at += 1
    return case("correlation", name, "scipy pearsonr", {"columns": columns}, numbers)


def cases():
    penguins, diabetes = data.penguins(), data.diabetes()
    return [
        compare_means(penguins, "penguins", "body_mass_g", "species"),
        compare_means(penguins, "penguins", "flipper_length_mm", "sex"),
        one_sample(diabetes, "diabetes", "bmi", 25),
        correlation(penguins, "penguins", ["bill_length_mm", "bill_depth_mm", "body_mass_g"]),
        correlation(diabetes, "diabetes", ["age", "bmi", "bp", "s1", "target"]),
    ]
