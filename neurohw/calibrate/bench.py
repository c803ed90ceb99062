"""The bench: a chip with measuring networks on it, touched only by its public face."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw import workbench
from neurohw.calibrate import fits
from neurohw.calibrate.search import Codes, Measured
from neurohw.connections import AllToAll
from neurohw.device.device import Device
from neurohw.network import Network
from neurohw.recording import Recording

SETTLE = 60.0
SOURCES = 32
"""Sources on each receptor: single synapses scatter, so their sum stands for the neuron's input."""
CM, WEIGHT = 1.0, 0.1
"""nF; nA of each source."""
LIFT = 25.0
"""mV by which the leak is lifted to make a neuron fire, or to let it fall back."""
LONG_REST = 30.0
"""ms of refractory period in which the reset potential can be looked at."""
FALLS = 4
"""How often the membrane is let fall back for one time constant: its own noise is slow, and does not average out in one."""
REPEATS = 3
"""Measurements of which the mean is taken where the result is to be told, not searched with."""
PULSES, APART = 6, 85.3
"""Pulses on each receptor, and ms from one to the next: no multiple of the converter's interval."""


class Bench:
    """Measures parameters of all neuron circuits of a chip, in network units, for codes that it is given.

    targets: cell -> value around which is measured. `trial` numbers the runs: each has its own noise.
    """

    def __init__(self, device: Device, chip: Any, targets: dict[str, float], dt: float):
        self.device, self.chip, self.dt, self.trial = device, chip, dt, 0
        self.cells = device.effect("parameter_codes").cells
        machine = device.machine
        self.n = len(machine.sites()) * machine.neurons_per_unit(device.choices({}))
        self.targets = targets
        self.quiet, self.resting = (
            workbench.map_network(
                _network(self.n, targets, rest), device, {"codes": "typical"}, dt=dt, record={"neurons": {"v": "all"}}
            )
            for rest in (0.0, LONG_REST)
        )
        self.circuits: NDArray[np.int64] = self.quiet.payload.neurons

    def typical(self) -> Codes:
        """The codes that a typical circuit would need, for all circuits."""
        found = {}
        for name, cell in self.cells.items():
            wanted = cell.wanted(np.full(self.n, self.targets[name]), np.full(self.n, float(cell.code)))
            found[name] = cell.rounded(wanted)
        return found

    def leak(self, codes: Codes) -> NDArray[np.float64]:
        """Resting potential (mV): the mean of the membrane with the threshold out of the way."""
        return self._rest({**codes, "v_threshold": self._top("v_threshold")})

    def tau_m(self, codes: Codes) -> NDArray[np.float64]:
        """Membrane time constant (ms): how v falls back when the leak is lowered to its place by LIFT mV."""
        self._load(self.quiet, {**codes, "v_threshold": self._top("v_threshold")})
        after, falls, begin = [], [], 0.0
        for fall in range(FALLS):
            self.chip.configure("neurons", {"v_leak": self._lifted(codes)})
            self.chip.run(SETTLE + 0.7 * fall, trial=self.trial, reset=fall == 0)
            self.chip.configure("neurons", {"v_leak": codes["v_leak"]})
            t, v = _samples(self.chip.run(SETTLE, trial=self.trial, reset=False))
            begin += SETTLE + 0.7 * fall
            after.append(t - begin)
            falls.append(v)
            begin += SETTLE
        return fits.fit(fits.decay(np.concatenate(after)), np.concatenate(falls), 0.3, 100.0, self.n)[0]

    def reset(self, codes: Codes) -> NDArray[np.float64]:
        """Reset potential (mV): the mean of the membrane while the neuron is refractory."""
        self._load(self.resting, {**codes, "v_leak": self._lifted(codes)})
        recording = self.chip.run(5 * SETTLE, trial=self.trial)
        t, v = _samples(recording)
        since = _since_last_spike(recording, t, self.n)
        inside = (since > 2 * self.dt) & (since < LONG_REST - 2 * self.dt)
        return np.where(inside, v, 0.0).sum(axis=0) / np.maximum(inside.sum(axis=0), 1)

    def threshold(self, codes: Codes, leak: NDArray[np.float64], reset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Threshold (mV), from the mean of v between spikes; inf where a neuron is silent. leak: of the lifted leak."""
        self._load(self.quiet, {**codes, "v_leak": self._lifted(codes)})
        recording = self.chip.run(5 * SETTLE, trial=self.trial)
        t, v = _samples(recording)
        times, who = recording.spikes["neurons"]
        first, last = np.full(self.n, np.inf), np.full(self.n, -np.inf)
        np.minimum.at(first, who, times)
        np.maximum.at(last, who, times)
        inside = (t[:, None] > first) & (t[:, None] <= last)
        mean = np.where(inside, v, 0.0).sum(axis=0) / np.maximum(inside.sum(axis=0), 1)
        return np.where(inside.sum(axis=0) > 5, fits.threshold(mean, leak, reset), np.inf)

    def lifted_leak(self, codes: Codes) -> NDArray[np.float64]:
        """The resting potential with the leak lifted as for `threshold`."""
        return self._rest({**codes, "v_leak": self._lifted(codes), "v_threshold": self._top("v_threshold")})

    def synapses(self, codes: Codes, tau_m: NDArray[np.float64]) -> Measured:
        """Time constants (ms) and strengths (1: as asked for) of both inputs, from the potentials that pulses leave."""
        codes = {**codes, "v_threshold": self._top("v_threshold")}
        self._load(self.quiet, codes)
        start = {"exc": SETTLE + APART * np.arange(PULSES), "inh": SETTLE + APART * (PULSES + np.arange(PULSES))}
        stimulus = {n: (np.repeat(at, SOURCES), np.tile(np.arange(SOURCES), PULSES)) for n, at in start.items()}
        recording = self.chip.run(SETTLE + 2 * PULSES * APART, trial=self.trial, stimulus=stimulus)
        t, v = _samples(recording)
        found = {}
        for name, weight, ending in (("exc", WEIGHT, "exc"), ("inh", -WEIGHT, "inh")):
            begins = np.round(start[name] / self.dt) * self.dt + self.dt  # a spike acts one step later
            pulse = np.searchsorted(begins, t, side="right") - 1
            inside = (pulse >= 0) & (t < begins[-1] + APART - 1.0)
            after = t[inside] - begins[pulse[inside]]
            shape = fits.potential(after, tau_m, CM)
            tau, current = fits.fit(shape, v[inside], 0.3, 60.0, self.n)
            found[f"i_bias_tau_{ending}"] = tau
            found[f"i_bias_gm_{ending}"] = current / (SOURCES * weight)
        return found

    def everything(self, codes: Codes) -> Measured:
        """All cells measured with these codes, each REPEATS times."""
        found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self.cells}
        tau_m = np.mean([self.tau_m(codes) for _ in range(REPEATS)], axis=0)
        for _ in range(REPEATS):
            leak, reset = self.leak(codes), self.reset(codes)
            own = {"v_leak": leak, "v_reset": reset, "i_bias_leak": tau_m}
            own["v_threshold"] = self.threshold(codes, self.lifted_leak(codes), reset)
            for name, values in (own | self.synapses(codes, tau_m)).items():
                found[name].append(values)
        return {name: np.mean(values, axis=0) for name, values in found.items()}

    def _rest(self, codes: Codes) -> NDArray[np.float64]:
        self._load(self.quiet, codes)
        t, v = _samples(self.chip.run(2.5 * SETTLE, trial=self.trial))
        return v[t > SETTLE * 1.2].mean(axis=0)

    def _load(self, program: Any, codes: Codes) -> None:
        self.trial += 1
        self.chip.load(program)
        self.chip.configure("neurons", codes)

    def _top(self, cell: str) -> NDArray[np.int64]:
        return np.full(self.n, int(self.cells[cell].top))

    def _lifted(self, codes: Codes) -> NDArray[np.int64]:
        cell = self.cells["v_leak"]
        return np.minimum(codes["v_leak"] + round(LIFT / cell.step), int(cell.top))


def _network(n: int, targets: dict[str, float], tau_refrac: float) -> Network:
    parameters = {
        "v_rest": targets["v_leak"], "v_reset": targets["v_reset"], "v_thresh": targets["v_threshold"], "cm": CM,
        "tau_m": targets["i_bias_leak"], "tau_syn_E": targets["i_bias_tau_exc"], "tau_syn_I": targets["i_bias_tau_inh"],
        "tau_refrac": tau_refrac,
    }  # fmt: skip
    network = Network("calibration").population("neurons", n, "IF_curr_exp", parameters)
    for name, weight in (("exc", WEIGHT), ("inh", -WEIGHT)):
        network = network.population(name, SOURCES, "SpikeSourceArray", spike_times=[])
        network = network.project(name, "neurons", AllToAll(), weight=weight, delay=0.0)
    return network


def _samples(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return recording.times["neurons"]["v"], recording.traces["neurons"]["v"]


def _since_last_spike(recording: Recording, t: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """(samples, neurons): ms since the neuron's last spike, inf before its first."""
    times, who = recording.spikes["neurons"]
    order = np.lexsort((times, who))
    times, begins = times[order], np.searchsorted(who[order], np.arange(n + 1))
    since = np.full((t.size, n), np.inf)
    for i in range(n):
        mine = times[begins[i] : begins[i + 1]]
        if mine.size:
            place = np.searchsorted(mine, t, side="right") - 1
            since[:, i] = np.where(place >= 0, t - mine[np.maximum(place, 0)], np.inf)
    return since
