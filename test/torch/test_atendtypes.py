"""The dtypes of results that the rules of castlens are held against are those of the installed torch, on meta tensors."""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "data"))

from make_aten_dtypes import NAMES, NEWEST, T, overloads, read, results_of  # noqa: E402


def argument(item):
    if isinstance(item, list):
        return [argument(one) for one in item]
    if isinstance(item, dict):
        ((kind, value),) = item.items()
        return {"t": lambda: T(None, tuple(value)), "d": lambda: NAMES[value], "f": lambda: float(value), "other": lambda: ...}[kind]()
    return item


def test_recorded_dtypes():
    recorded = read()
    version = torch.__version__.split("+")[0]
    operators = overloads()
    wrong, compared = [], 0
    # Every fourth operator, in as many dtypes as are alike: the whole takes minutes.
    for name, calls in list({**recorded[NEWEST], **recorded.get(version, {})}.items())[::4]:
        for args, tried, results in calls[:1] if name in operators else ():
            given = {key: argument(item) for key, item in args.items()}
            if ... in given.values():
                continue
            for word, expected in list(zip(tried.split(" "), results.split(" ")))[:5]:
                found = results_of(operators[name], given, word, "meta")
                # Meta tensors are taken in more dtypes than kernels take, and fewer operators know them.
                if "-" not in (found, expected) and found != "?":
                    compared += 1
                    # Further results, as saved statistics, differ by device.
                    if found[0] != expected[0]:
                        wrong.append((name, word, found, expected))
    assert wrong == [], wrong
    assert compared > 800
