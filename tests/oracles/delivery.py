"""Synaptic input the plain way: each spike adds its weights to a ring of future sums, one row for each step to come."""

import numpy as np


def inputs(n_steps, n_neurons, synapses, spikes):
    """sums[step, receptor, neuron]; synapses: (source, target, receptor, weight, delay), spikes: (step, source)."""
    sums = np.zeros((n_steps, 2, n_neurons))
    for step, source in spikes:
        for pre, target, receptor, weight, delay in synapses:
            if pre == source and step + delay < n_steps:
                sums[step + delay, receptor, target] += weight
    return sums
