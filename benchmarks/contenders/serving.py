"""The child's side of a contender: does steps whenever a line asks for it, and answers how long they took.

Only the standard library is imported here, for the peers' environment has no bpcli.
"""

import json
import os
import sys
from collections.abc import Callable
from time import perf_counter, sleep
from typing import TypeAlias

from benchmarks.cases import Case

REST = 0.12  # seconds after a stretch; idle threads of OpenBLAS spin for 0.09, and would be in the next one's way

Ready: TypeAlias = Callable[[int], Callable[[], object]]
"""Given a number of steps, makes ready for them, and returns what does them."""

Make: TypeAlias = Callable[[Case, str, str], Ready]
"""Given a case, a variant of the contender and the folder of the data, builds what is to be timed."""


def serve(make: Make, about: Callable[[Case], dict[str, str]]) -> None:
    """Builds the contender that the arguments name, and times it for each line of the standard input.

    The arguments are a case as JSON, a variant, and the folder of the data. Answers are lines of JSON: first what there
    is to know about the contender, then for each line the seconds of one stretch.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    case = Case.decode(sys.argv[1])
    ready = make(case, sys.argv[2], sys.argv[3])
    ready(2)()  # compiles what is compiled
    print(json.dumps(about(case)), file=answers)
    for _ in sys.stdin:
        ready(max(2, case.steps // 4))()
        stretch = ready(case.steps)
        start = perf_counter()
        stretch()
        seconds = perf_counter() - start
        sleep(REST)
        print(json.dumps({"seconds": seconds}), file=answers)
