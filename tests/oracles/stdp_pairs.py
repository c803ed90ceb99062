"""The pair rule from lists of spikes, every pre spike with every post spike: no traces, no events, no queue."""

import math


def weights_at_pre_spikes(pre, post, weight, delay, rule, dt):
    """The weight that each pre spike takes to the soma. pre, post: ascending steps; delay: steps; rule: STDPMechanism.

    A spike is at the synapse after the axon's share of the delay, a post spike after the dendrite's. In one step the post
    spike comes first where there is a dendrite behind the synapse, else the pre spike.
    """
    dendrite = math.floor(delay * rule.dendritic_delay_fraction + 0.5)
    back = dendrite if rule.backprop_delay else 0
    order = (1, 0) if dendrite else (0, 1)  # of a pre and a post spike
    arrivals = [(t + delay - dendrite, order[0], "pre") for t in pre] + [(t + back, order[1], "post") for t in post]
    seen = {"pre": [], "post": []}
    found, w = [], weight
    for t, _, kind in sorted(arrivals):
        if kind == "pre":
            pairs = sum(math.exp(-(t - other) * dt / rule.tau_minus) for other in seen["post"])
            if rule.weight_dependence == "multiplicative":
                w -= rule.A_minus * (w - rule.w_min) * pairs
            else:
                w = max(w - rule.A_minus * pairs, rule.w_min)
            found.append(w)
        else:
            pairs = sum(math.exp(-(t - other) * dt / rule.tau_plus) for other in seen["pre"])
            if rule.weight_dependence == "multiplicative":
                w += rule.A_plus * (rule.w_max - w) * pairs
            else:
                w = min(w + rule.A_plus * pairs, rule.w_max)
        seen[kind].append(t)
    return found
