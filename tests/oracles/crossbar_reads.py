"""Plain-Python twin of the crossbar's read delivery: one spike, one device, one step at a time."""

from math import cos, log1p, pi, sin, sqrt

MASK = (1 << 64) - 1


def hash64(key, counter):
    z = (key + (counter + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def normal(key, counter):
    u, w = ((hash64(key, 2 * counter + k) >> 11) / 2**53 for k in (0, 1))
    return sqrt(-2 * log1p(-u)) * cos(2 * pi * w)


def pair_read(key, counter, units, devices, low, high):
    """One read of all devices of a pair, each clipped. units: of one uS of either arm; devices: (center, sd), sd < 0: none."""
    n, total = len(devices) // 2, 0.0
    for k in range(n):
        u, w = ((hash64(key, 2 * (counter * n + k) + part) >> 11) / 2**53 for part in (0, 1))
        radius = sqrt(-2 * log1p(-u))
        for arm, z in ((0, radius * cos(2 * pi * w)), (1, radius * sin(2 * pi * w))):
            m, sd = devices[arm * n + k]
            if sd >= 0:
                total += units[arm] * min(max(m + sd * z, low), high)
    return total


def arrivals(synapses, spikes, t, n_neurons, key, low=0.0, high=float("inf")):
    """What arrives in step t: ({(receptor, neuron): value}, pairs read).

    synapses: list of (source, target, receptor, delay, mean, variance, cell, arms). spikes: list of (step, source), each
    counts. A variance < 0 says that the pair is drawn device by device: arms = two units, then (center, sd) of each.
    """
    mean, variance, pairs = {}, {}, 0
    of_step = hash64(key, -1 - t)
    for source, target, receptor, delay, m, v, cell, arms in synapses:
        n = sum(1 for step, who in spikes if who == source and step + delay == t)
        pairs += n
        for again in range(n):
            where = receptor, target
            mean[where] = mean.get(where, 0.0) + m
            if v >= 0:
                variance[where] = variance.get(where, 0.0) + v
            else:
                devices = [arms[k : k + 2] for k in range(2, len(arms), 2)]
                mean[where] += pair_read(of_step, cell * 64 + again, arms[:2], devices, low, high)
    for (receptor, target), v in variance.items():
        if v > 0:
            mean[receptor, target] += sqrt(v) * normal(key, (t * 2 + receptor) * n_neurons + target)
    return mean, pairs
