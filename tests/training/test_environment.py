"""The environment that a run records is that of its own arithmetic."""

import subprocess
import sys

CODE = """
from bpcli.core.threads import ThreadGroup
from bpcli.training.environment import environment

before = environment(ThreadGroup(2), 7)
import scipy.linalg  # brings a BLAS of its own

assert environment(ThreadGroup(2), 7) == before, (before, environment(ThreadGroup(2), 7))
assert (before["workers"], before["training images"]) == (2, 7)
"""


def test_another_packages_blas_is_not_that_of_the_run() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)
