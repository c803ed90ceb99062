"""Plain-Python twin of the crossbar's read delivery: one spike, one device, one step at a time."""

from math import cos, log1p, pi, sqrt

MASK = (1 << 64) - 1


def hash64(key, counter):
    z = (key + (counter + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def normal(key, counter):
    u, w = ((hash64(key, 2 * counter + k) >> 11) / 2**53 for k in (0, 1))
    return sqrt(-2 * log1p(-u)) * cos(2 * pi * w)


def arrivals(synapses, spikes, t, n_neurons, key):
    """What arrives in step t: ({(receptor, neuron): value}, pairs read).

    synapses: list of (source, target, receptor, delay, mean, variance). spikes: list of (step, source), each counts.
    """
    mean, variance, pairs = {}, {}, 0
    for source, target, receptor, delay, m, v in synapses:
        n = sum(1 for step, who in spikes if who == source and step + delay == t)
        pairs += n
        if n:
            mean[receptor, target] = mean.get((receptor, target), 0.0) + n * m
            variance[receptor, target] = variance.get((receptor, target), 0.0) + n * v
    for (receptor, target), v in variance.items():
        if v > 0:
            mean[receptor, target] += sqrt(v) * normal(key, (t * 2 + receptor) * n_neurons + target)
    return mean, pairs
