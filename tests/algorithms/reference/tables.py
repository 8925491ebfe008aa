"""Counts: tables of them, summaries, quantiles and rates. pandas, numpy, scipy and statsmodels."""
import numpy as np
import pandas
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2

import data
from data import case


def summary(penguins):
    numbers = {}
    for name in ("bill_length_mm", "body_mass_g"):
        numbers[f"columns/{name}/all/n"] = penguins[name].count()
        numbers[f"columns/{name}/all/missing"] = penguins[name].isna().sum()
        numbers[f"columns/{name}/all/mean"] = penguins[name].mean()
        numbers[f"columns/{name}/all/sd"] = penguins[name].std()
        for level, values in penguins.groupby("species")[name]:
            numbers[f"columns/{name}/groups/{level}/mean"] = values.mean()
            numbers[f"columns/{name}/groups/{level}/sd"] = values.std()
            numbers[f"columns/{name}/groups/{level}/missing"] = values.isna().sum()
    for name in ("island", "sex"):
        for level, count in penguins[name].value_counts().items():
            numbers[f"columns/{name}/all/counts/{level}"] = count
        for (group, level), count in penguins.groupby("species")[name].value_counts().items():
            numbers[f"columns/{name}/groups/{group}/counts/{level}"] = count
    arguments = {"columns": ["bill_length_mm", "body_mass_g", "island", "sex"], "group": "species"}
    return case("summary", "penguins", "pandas", arguments, numbers)


def crosstab(frame, name, row, column):
    table = pandas.crosstab(frame[row], frame[column]).to_numpy()
    plain, yates = (stats.chi2_contingency(table, correction=with_it) for with_it in (False, True))
    numbers = {
        "chi_squared/statistic": plain.statistic, "chi_squared/p": plain.pvalue,
        "chi_squared/degrees_of_freedom": plain.dof,
        "cramers_v": stats.contingency.association(table),
        "smallest_expected": plain.expected_freq.min(),
    }
    for i, counts in enumerate(table):
        for j, count in enumerate(counts):
            numbers[f"counts/{i}/{j}"] = count
    if table.shape == (2, 2):
        pair = Table2x2(table, shift_zeros=False)
        numbers |= {
            "yates/statistic": yates.statistic, "yates/p": yates.pvalue,
            "fisher/p": stats.fisher_exact(table).pvalue,
            "odds_ratio/estimate": pair.oddsratio,
            "odds_ratio/low": pair.oddsratio_confint()[0],
            "odds_ratio/high": pair.oddsratio_confint()[1],
            "risk_ratio/estimate": pair.riskratio,
            "risk_ratio/low": pair.riskratio_confint()[0],
            "risk_ratio/high": pair.riskratio_confint()[1],
        }
    reference = "scipy, statsmodels Table2x2"
    return case("crosstab", name, reference, {"row": row, "column": column}, numbers)


def mantel_haenszel(frame, name, row, column, stratum):
    parts = [pandas.crosstab(rows[row], rows[column]).to_numpy() for _, rows in frame.groupby(stratum)]
    table = StratifiedTable(parts)
    test, equal = table.test_null_odds(correction=False), table.test_equal_odds()
    low, high = table.oddsratio_pooled_confint()
    numbers = {
        "mantel_haenszel/odds_ratio/estimate": table.oddsratio_pooled,
        "mantel_haenszel/odds_ratio/low": low, "mantel_haenszel/odds_ratio/high": high,
        "mantel_haenszel/risk_ratio/estimate": table.riskratio_pooled,
        "mantel_haenszel/test/statistic": test.statistic, "mantel_haenszel/test/p": test.pvalue,
        "mantel_haenszel/homogeneity/statistic": equal.statistic,
        "mantel_haenszel/homogeneity/p": equal.pvalue,
    }
    arguments = {"row": row, "column": column, "stratum": stratum}
    return case("crosstab", name, "statsmodels StratifiedTable", arguments, numbers)


def quantiles(frame, name, column):
    asked = [0.05, 0.25, 0.5, 0.75, 0.95]
    values = frame[column].dropna()
    found = np.quantile(values, asked)
    numbers = {f"quantiles/{i}/value": value for i, value in enumerate(found)} | {"n": len(values)}
    arguments = {"column": column, "probabilities": asked}
    return case("quantiles", name, "numpy quantile", arguments, numbers)


def histogram(frame, name, column, low, high, bins):
    values = frame[column].dropna()
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    numbers = {f"bins/{i}/count": count for i, count in enumerate(counts)}
    numbers |= {f"bins/{i}/from": edge for i, edge in enumerate(edges[:-1])}
    numbers |= {"below": (values < low).sum(), "above": (values > high).sum(), "n": len(values)}
    arguments = {"column": column, "from": low, "to": high, "bins": bins}
    return case("histogram", name, "numpy histogram", arguments, numbers)


def cases():
    penguins, rossi = data.penguins(), data.rossi()
    return [
        summary(penguins),
        crosstab(penguins, "penguins", "species", "island"),
        crosstab(rossi, "rossi", "fin", "arrest"),
        crosstab(penguins, "penguins", "sex", "year"),
        mantel_haenszel(rossi, "rossi", "fin", "arrest", "educ" if "educ" in rossi else "race"),
        mantel_haenszel(rossi, "rossi", "mar", "arrest", "wexp"),
        quantiles(penguins, "penguins", "bill_length_mm"),
        quantiles(rossi, "rossi", "week"),
        histogram(penguins, "penguins", "body_mass_g", 3000, 6000, 12),
    ]
