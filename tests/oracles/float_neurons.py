"""One neuron, one step, from its differential equation: matrix exponentials, and the textbook's exponential Euler."""

import math

import numpy as np
from scipy.linalg import expm


class Neuron:
    """State v, e, i (synaptic), left (refractory steps); parameters by PyNN's names."""

    def __init__(self, model, parameters, dt, numerics, v):
        self.model, self.p, self.dt, self.numerics = model, parameters, dt, numerics
        self.v, self.e, self.i, self.left = v, 0.0, 0.0, 0
        self.lead = self._lead() if model == "IF_curr_exp" else None

    def step(self, excitatory, inhibitory, injected=0.0):
        """Whether it spikes in this step, at the beginning of which these weights arrive."""
        p = self.p
        self.e, self.i = self.e + excitatory, self.i + inhibitory
        current = p["i_offset"] + injected
        v, e, i = self._integrated(current)
        self.v, self.e, self.i = (v if self.left <= 0 else self.v), e, i
        spiked = self.left <= 0 and self.v > p["v_thresh"]
        if spiked:
            self.v = self.v - (p["v_thresh"] - p["v_reset"]) if self.numerics.reset == "subtract" else p["v_reset"]
            self.left = math.floor(p["tau_refrac"] / self.dt + 0.5 + 1e-9)
        else:
            self.left = max(self.left - 1, 0)
        return spiked

    def _integrated(self, current):
        """(v, e, i) one step later, the membrane free to move."""
        p, dt = self.p, self.dt
        leak = 0.0 if math.isinf(p["tau_m"]) else 1.0 / p["tau_m"]
        euler = self.numerics.integration == "euler"
        if self.model == "IF_curr_delta":
            drift = -leak * (self.v - p["v_rest"]) + current / p["cm"]
            if euler:
                moved = dt * drift
            else:
                moved = drift * (dt if leak == 0 else -math.expm1(-dt * leak) / leak)
            return self.v + moved + self.e + self.i, 0.0, 0.0
        if self.model == "IF_cond_exp":
            rate = leak + (self.e + self.i) / p["cm"]
            drive = leak * p["v_rest"] + (self.e * p["e_rev_E"] + self.i * p["e_rev_I"] + current) / p["cm"]
            if euler:
                v = self.v + dt * (drive - rate * self.v)
            else:
                v = drive / rate + (self.v - drive / rate) * math.exp(-dt * rate)
            return v, *self._decayed(euler)
        v, e, i, _, _ = self.lead @ np.array([self.v, self.e, self.i, current, 1.0])
        return v, e, i

    def _lead(self):
        """The matrix that leads (v, e, i, current, 1) one step on."""
        p = self.p
        leak = 0.0 if math.isinf(p["tau_m"]) else 1.0 / p["tau_m"]
        system = np.zeros((5, 5))
        system[0] = -leak, 1 / p["cm"], 1 / p["cm"], 1 / p["cm"], leak * p["v_rest"]
        system[1, 1], system[2, 2] = -1 / p["tau_syn_E"], -1 / p["tau_syn_I"]
        return np.eye(5) + self.dt * system if self.numerics.integration == "euler" else expm(self.dt * system)

    def _decayed(self, euler):
        taus = self.p["tau_syn_E"], self.p["tau_syn_I"]
        factors = [1 - self.dt / tau if euler else math.exp(-self.dt / tau) for tau in taus]
        return self.e * factors[0], self.i * factors[1]
