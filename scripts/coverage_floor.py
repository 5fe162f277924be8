"""Fail where the tests of `make check` reach less of a folder than its floor: what they reached when it was set."""

import io
import sys

from coverage import Coverage

FLOORS = {"core/domain": 93, "core/decision": 97, "core/execution": 99, "core/exchange": 98}  #: percent of the lines

measured = Coverage()
measured.load()
reached = {folder: measured.report(include=[f"{folder}/*"], file=io.StringIO()) for folder in FLOORS}
print("reached:", ", ".join(f"{folder} {percent:.1f} %" for folder, percent in reached.items()))
low = [
    f"{folder} {reached[folder]:.1f} %, at least {floor} %"
    for folder, floor in FLOORS.items()
    if reached[folder] < floor
]
sys.exit(f"tests reach too little of {'; '.join(low)}" if low else 0)
