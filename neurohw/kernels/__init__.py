"""Compiled pieces that chips and passes share: addressed noise, synaptic rows, event delivery, neuron steps, stimuli."""
