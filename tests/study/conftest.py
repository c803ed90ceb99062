import numpy as np
import pytest

from neurohw.recording import Recording


def poisson(seed, scale=1.0, sizes=None, rate=10.0, duration=1000.0, dt=0.1, **parts):
    """Poisson neurons whose rates (gamma distributed, fixed by the population) are multiplied by `scale`."""
    sizes = sizes or {"e": 120, "i": 40}
    draw = np.random.default_rng(seed)
    spikes = {}
    for name, size in sizes.items():
        rates = np.random.default_rng(size).gamma(4, rate / 4, size) * scale
        indices = np.repeat(np.arange(size), draw.poisson(rates * duration / 1e3))
        times = np.round(draw.uniform(0, duration - dt, indices.size) / dt) * dt
        order = np.lexsort((indices, times))
        spikes[name] = (times[order], indices[order])
    return Recording(spikes, sizes, duration, dt, **parts)


@pytest.fixture
def make():
    return poisson


@pytest.fixture
def trains():
    """A recording of one population from a list of spike trains."""

    def build(lists, duration=100.0, dt=0.1):
        times = np.concatenate([np.asarray(one, float) for one in lists]) if lists else np.empty(0)
        indices = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
        order = np.lexsort((indices, times))
        return Recording({"p": (times[order], indices[order])}, {"p": len(lists)}, duration, dt)

    return build
