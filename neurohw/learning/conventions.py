"""The published ways to write e-prop in discrete time. They differ in gains, in when a reset takes place, and in traces.

All are one recursion (z spikes, x inputs, W weights), in the order of a step on a chip:

    v = alpha v + gain_in (W_in x + W_rec z[t-1]);   z = v > v_th + beta a, not while refractory
    v = v - drop z;   a = rho (a + z)
    y = kappa y + gain_out W_out z

with drop and beta chosen so that the published one comes out: a reset that is written v = alpha v - v_th z[t-1], one step
later and not decayed, is drop = v_th/alpha, and a = rho a + z[t-1] is beta/rho.

    name      gain_in         gain_out        reset         trace gain    firing rates are held by
    2020      1 or 1-alpha    1 or 1-kappa    one step late 1-kappa       the rate of the sample, times the mean trace
    online    1               1               at once       1             a running rate, times a running mean of the trace
    demirag   1               1               one step late 1             the rate (Hz) as part of the learning signal

demirag: an input acts one step after its own, while its traces are taken in its own step, and a spike needs v > v_th;
in the others v >= v_th will do.
Sources: Bellec et al., Nat. Commun. 11:3625 (2020) and their published code; NEST 3.10, documentation
of eprop_iaf; Demirag et al., arXiv:2108.01804 and their published code.
"""

from dataclasses import dataclass
from typing import Literal

from neurohw.errors import BadInput


@dataclass(frozen=True)
class Convention:
    """late_reset, strict, input_delay (steps): of the dynamics. The rest: of the rule.

    trace_gain: filtered traces and readouts are means (1 - kappa) or sums (1).
    input_trace_ahead: steps that input traces run ahead of the membrane.
    rates: which way firing rates are regularized.
    """

    name: str
    late_reset: bool
    strict: bool
    input_delay: int
    trace_gain: Literal["1", "1-kappa"]
    input_trace_ahead: int
    rates: Literal["mean trace", "running", "in the signal"]


CONVENTIONS = {
    "2020": Convention("2020", True, False, 0, "1-kappa", 0, "mean trace"),
    "online": Convention("online", False, False, 0, "1", 0, "running"),
    "demirag": Convention("demirag", True, True, 1, "1", 1, "in the signal"),
}


def convention(name: str) -> Convention:
    """The convention of that name; raises BadInput for another."""
    if name not in CONVENTIONS:
        raise BadInput(f"e-prop: no convention {name!r}; there are {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]
