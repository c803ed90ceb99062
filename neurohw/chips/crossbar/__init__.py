"""The crossbar chip: pairs of memristive devices as synapses, digital neurons at the end of their columns."""
