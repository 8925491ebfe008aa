"""The data sets, from the packages that publish them, as small CSV files."""
from pathlib import Path

import numpy
import pandas
from lifelines.datasets import load_lung, load_rossi
from palmerpenguins import load_penguins
from sklearn.datasets import load_diabetes, load_iris
from statsmodels import api as sm

FOLDER = Path(__file__).parent / "data"


SORTED = {"penguins": "species", "rossi": "race", "lung": "sex", "grunfeld": "firm"}


def case(algorithm, data, reference, arguments, numbers, bound=1e-9, sort=None, split=None):
    """One analysis: what our algorithm is asked for, and what the reference found, on every split
    or on the one named; `sort` is the column that one split sorts by."""
    sort = sort or SORTED.get(data)
    plain = {}
    for name, value in numbers.items():
        plain[name] = None if value is None else float(value)
    found = {
        "algorithm": algorithm, "data": data, "reference": reference, "arguments": arguments,
        "sort": sort, "bound": bound, "numbers": plain,
    }
    return found | ({"splits": [split]} if split else {})


def sites(frame, sort):
    """By split (see splits.ts): the site of each row."""
    n = len(frame)
    blocks = numpy.searchsorted([1, n // 6, n // 2], numpy.arange(n), side="right")
    values = frame[sort].astype(str)
    low = sorted(values.unique())[0]
    assert values.nunique() == 2 and (values == low).sum() >= n // 2, "the split is not by the value"
    return {
        "one site": numpy.zeros(n, int),
        "3 sites in turn, one more empty": numpy.arange(n) % 3,
        "4 sites of unequal blocks, one of a single row": blocks,
        "2 sites sorted by a column, each without the other's values": (values != low).to_numpy() * 1,
    }


def save(name, frame):
    """Writes the data, and reads it back as our side will: digits beyond the file's are gone."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.csv"
    frame.to_csv(path, index=False, lineterminator="\n")
    return pandas.read_csv(path)


def penguins():
    return save("penguins", load_penguins())


def rossi():
    """With the logarithm of the weeks, for an offset."""
    found = load_rossi()
    return save("rossi", found.assign(log_week=numpy.log(found.week).round(12)))


def lung():
    return save("lung", load_lung())


def diabetes():
    found = load_diabetes(as_frame=True, scaled=False).frame
    return save("diabetes", found)


def iris():
    found = load_iris(as_frame=True).frame.drop(columns="target")
    return save("iris", found.set_axis(["sepal_length", "sepal_width", "petal_length", "petal_width"], axis=1))


def spector():
    return save("spector", sm.datasets.spector.load_pandas().data)


def cpunish():
    return save("cpunish", sm.datasets.cpunish.load_pandas().data)


def scotland():
    return save("scotland", sm.datasets.scotland.load_pandas().data)


def longley():
    return save("longley", sm.datasets.longley.load_pandas().data)


def grunfeld():
    return save("grunfeld", sm.datasets.grunfeld.load_pandas().data)
