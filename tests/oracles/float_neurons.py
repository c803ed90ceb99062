"""One neuron, one step, from its differential equation: matrix exponentials, exponential Euler, the midpoint rule."""

import math

import numpy as np
from scipy.linalg import expm

LINEAR = ("IF_curr_exp", "IF_curr_alpha")


class Neuron:
    """State v, e, i (what weights are added to), more (the rest); left (refractory steps); parameters by PyNN's
    names."""

    def __init__(self, model, parameters, dt, numerics, v):
        self.model, self.p, self.dt, self.numerics = model, parameters, dt, numerics
        self.euler = numerics.integration == "euler"
        self.v, self.e, self.i, self.more, self.left = v, 0.0, 0.0, [-14.0 if "c" in parameters else 0.0, 0.0], 0
        self.lead = self._lead(self._system()) if model in LINEAR else None
        if "alpha" in model:
            self.alphas = [self._lead(_alpha(self.p[tau])) for tau in ("tau_syn_E", "tau_syn_I")]

    def step(self, excitatory, inhibitory, injected=0.0):
        """Whether it spikes in this step, at the beginning of which these weights arrive."""
        p = self.p
        self.e, self.i = self.e + excitatory, self.i + inhibitory
        current = p["i_offset"] + injected
        v, *synapses = self._integrated(current)
        self.v = v if self.left <= 0 or "beta" in p else self.v
        self.e, self.i, *self.more = synapses
        if "c" in p:
            return self._izhikevich_spiked()
        if self.model == "LI":
            return False
        spiked = self.left <= 0 and self.v > p.get("v_spike", p["v_thresh"]) + p.get("beta", 0.0) * self.more[0]
        if spiked:
            self.v = self.v - (p["v_thresh"] - p["v_reset"]) if self.numerics.reset == "subtract" else p["v_reset"]
            self.left = math.floor(p["tau_refrac"] / self.dt + 0.5 + 1e-9)
            self.more[0] += 1.0 if "beta" in p else p.get("b", 0.0)
        else:
            self.left = max(self.left - 1, 0)
        return spiked

    def _izhikevich_spiked(self):
        if self.v <= 30.0:
            return False
        self.v = self.p["c"]
        self.more[0] += self.p["d"]
        return True

    def _integrated(self, current):
        """(v, e, i, ...) one step later, the membrane free to move."""
        if self.model in ("IF_curr_delta", "ALIF", "LI"):
            return self._with_voltage_steps(current)
        if self.model == "EIF_cond_exp_isfa_ista":
            return self._by_midpoint(self._adaptive_exponential, current)
        if self.model == "DPI_exp":
            return self._by_midpoint(self._current_mode, current)
        if self.model == "Izhikevich":
            jump, self.e, self.i = self.e + self.i, 0.0, 0.0
            v, *rest = self._by_midpoint(self._quadratic, 1e3 * current)
            return v + jump, *rest
        if "c" in self.p:
            return self._by_midpoint(self._quadratic, current)
        if self.model in LINEAR:
            return (self.lead @ np.array([self.v, self.e, self.i, *self.more, current, 1.0]))[:5]
        if self.model == "IF_cond_exp":
            return self._with_conductances(self.e, self.i, current), *self._decayed(), 0.0, 0.0
        (e, g_e), (i, g_i) = self.alphas[0] @ [self.e, self.more[0]], self.alphas[1] @ [self.i, self.more[1]]
        return self._with_conductances(*self.more, current), e, i, g_e, g_i

    def _with_voltage_steps(self, current):
        p, dt, leak = self.p, self.dt, self._leak()
        drift = -leak * (self.v - p["v_rest"]) + current / p["cm"]
        whole = self.euler or leak == 0
        moved = drift * (dt if whole else -math.expm1(-dt * leak) / leak)
        adaptation = 0.0
        if "tau_a" in p:
            rate = dt / p["tau_a"]
            adaptation = self.more[0] * (1 - rate if self.euler else math.exp(-rate))
        return self.v + moved + self.e + self.i, 0.0, 0.0, adaptation, 0.0

    def _with_conductances(self, g_e, g_i, current):
        p, dt = self.p, self.dt
        rate = self._leak() + (g_e + g_i) / p["cm"]
        drive = self._leak() * p["v_rest"] + (g_e * p["e_rev_E"] + g_i * p["e_rev_I"] + current) / p["cm"]
        if self.euler:
            return self.v + dt * (drive - rate * self.v)
        return drive / rate + (self.v - drive / rate) * math.exp(-dt * rate)

    def _by_midpoint(self, derivative, current):
        x = np.array([self.v, self.e, self.i, *self.more])
        at = x if self.euler else x + self.dt / 2 * derivative(x, current)
        return x + self.dt * derivative(at, current)

    def _adaptive_exponential(self, x, current):
        """d/dt of (v, g_E, g_I, w, 0); v rests while the neuron is refractory."""
        (v, g_e, g_i, w, _), p = x, self.p
        exploding = p["delta_T"] * math.exp((min(v, p["v_spike"]) - p["v_thresh"]) / p["delta_T"])
        into = g_e * (p["e_rev_E"] - v) + g_i * (p["e_rev_I"] - v) + current - w
        change = (p["v_rest"] - v + exploding) / p["tau_m"] + into / p["cm"]
        adapt = (p["a"] * 1e-3 * (v - p["v_rest"]) - w) / p["tau_w"]
        return np.array([change if self.left <= 0 else 0.0, -g_e / p["tau_syn_E"], -g_i / p["tau_syn_I"], adapt, 0.0])

    def _current_mode(self, x, current):
        """d/dt of (v, e, i, i_ahp, 0), from the membrane current I: v' = u_t/(kappa I) I', all in nA."""
        (v, e, i, ahp, _), p = x, self.p
        kept = min(max(v, 0.0), p["v_thresh"])
        membrane = p["i_0"] * math.exp(p["kappa"] * kept / p["u_t"])
        leak = p["cm"] * p["u_t"] / (p["kappa"] * p["tau_m"])
        pulses = [
            p[g] * (1 - math.exp(-p["t_pulse"] / p[tau]))
            for g, tau in (("gain_E", "tau_syn_E"), ("gain_I", "tau_syn_I"))
        ]
        into = max(pulses[0] * e + pulses[1] * i + current, p["i_0"])
        feedback = p["i_0"] * (membrane / p["i_0"]) ** (p["kappa"] / (p["kappa"] + 1))
        gained = membrane + p["gain_m"] * leak
        total = p["gain_m"] * (into - ahp - leak) + feedback / leak * gained - membrane * (1 + ahp / leak)
        change = max(p["u_t"] / (p["kappa"] * membrane) * membrane / (p["tau_m"] * gained) * total, -v / p["tau_m"])
        decays = -e / p["tau_syn_E"], -i / p["tau_syn_I"], -ahp / p["tau_ahp"]
        return np.array([change if self.left <= 0 else 0.0, *decays, 0.0])

    def _quadratic(self, x, current):
        """d/dt of (v, e, i, u, 0)."""
        (v, e, i, u, _), p = x, self.p
        decays = [-s / p[tau] if tau in p else 0.0 for s, tau in ((e, "tau_syn_E"), (i, "tau_syn_I"))]
        into = e * (p["e_rev_E"] - v) + i * (p["e_rev_I"] - v) if "e_rev_E" in p else e + i
        return np.array([0.04 * v**2 + 5 * v + 140 - u + into + current, *decays, p["a"] * (p["b"] * v - u), 0.0])

    def _leak(self):
        return 0.0 if math.isinf(self.p["tau_m"]) else 1.0 / self.p["tau_m"]

    def _system(self):
        """d/dt of (v, e, i, more, more, current, 1) is this matrix times it; alpha functions flow in from `more`."""
        p = self.p
        system, slots = np.zeros((7, 7)), (3, 4) if self.model == "IF_curr_alpha" else (1, 2)
        system[0, 0], system[0, 5], system[0, 6] = -self._leak(), 1 / p["cm"], self._leak() * p["v_rest"]
        system[0, slots] = 1 / p["cm"]
        for arrives, tau in ((1, p["tau_syn_E"]), (2, p["tau_syn_I"])):
            system[arrives, arrives] = -1 / tau
            system[arrives + 2, arrives], system[arrives + 2, arrives + 2] = math.e / tau, -1 / tau
        return system

    def _lead(self, system):
        """The matrix that leads one step on."""
        return np.eye(len(system)) + self.dt * system if self.euler else expm(self.dt * system)

    def _decayed(self):
        taus = self.p["tau_syn_E"], self.p["tau_syn_I"]
        factors = [1 - self.dt / tau if self.euler else math.exp(-self.dt / tau) for tau in taus]
        return self.e * factors[0], self.i * factors[1]


def _alpha(tau):
    """d/dt of (what rises, the alpha function)."""
    return np.array([[-1 / tau, 0.0], [math.e / tau, -1 / tau]])
