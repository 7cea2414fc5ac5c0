"""Random streams from one seed, independent of each other and of what was drawn before."""

import numpy as np

INITIALIZATION, ORDER, AUGMENTATION, DROPOUT, HANDS, PRINTED, SCRAPS = range(7)


def stream(seed: int, *key: int) -> np.random.Generator:
    """Return the generator for a purpose and, where needed, an epoch and a step: a pure function of its arguments."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def order(seed: int, epoch: int, n: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return the order in which an epoch sees its n images."""
    return stream(seed, ORDER, epoch).permutation(n).astype(np.intp)
