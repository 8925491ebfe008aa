"""Makes the reference numbers that the library is proved with, and the data, from public packages.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make.py

A number is named by its way through our result ("coefficients/age/estimate"). `bound` is the largest
relative difference: 1e-9, or 1e-6 where the reference iterates.
"""
import json
import platform
from importlib.metadata import version
from pathlib import Path

import glm
import means
import survival
import tables
import several

HERE = Path(__file__).parent
PACKAGES = ["numpy", "scipy", "pandas", "statsmodels", "lifelines", "scikit-learn", "palmerpenguins"]


def main():
    cases = []
    for module in (tables, means, glm, survival, several):
        cases += module.cases()
    versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    text = f'{{"versions": {json.dumps(versions)},\n"cases": [\n{lines}\n]}}\n'
    (HERE / "reference.json").write_text(text)
    (HERE / "requirements.txt").write_text("".join(f"{name}=={versions[name]}\n" for name in PACKAGES))
    print(sum(len(case["numbers"]) for case in cases), "numbers of", len(cases), "cases")


main()
