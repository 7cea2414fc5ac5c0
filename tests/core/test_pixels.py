import numpy as np

from bpcli.core.pixels import NORMALIZATIONS, normalize

BYTES = np.arange(256, dtype=np.uint8)
FORMULAS = {"standard": [(byte / 255 - 0.1307) / 0.3081 for byte in range(256)], "unit": [n / 255 for n in range(256)]}


def test_every_byte_becomes_what_the_formula_says() -> None:
    assert FORMULAS.keys() == NORMALIZATIONS.keys()
    for name, expected in FORMULAS.items():
        normalize(BYTES, NORMALIZATIONS[name](0.1307, 0.3081), out := np.empty(256, np.float32))
        np.testing.assert_allclose(out, np.array(expected), rtol=1e-5, atol=1e-6)
