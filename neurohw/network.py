"""The network: what the scientist means, in ms, mV, nA, nF, uS. No device word in it; frozen.

    network = Network("demo", seed=1)
    network = network.population("input", 10, "SpikeSourcePoisson", {"rate": 20.0})
    network = network.population("e", 100, "IF_curr_exp", {"tau_m": "20 ms"}, initial={"v": Uniform(-65, -50)})
    network = network.project("input", "e", FixedProbability(0.1), weight=0.5, delay="1 ms")

Time. A run is divided into steps; step n leads from n*dt to (n+1)*dt. In each step (1) arriving weights are added to the
synaptic state, (2) the state is integrated over dt, (3) neurons above threshold spike, (4) they are reset. A spike found in
step n has the time n*dt, and with a delay of d steps it arrives in step n + d. So a delay between neurons is at least one
step, while a given stimulus may arrive in its own step (d = 0).

Randomness. Connectivity and drawn parameters come from the network's seed; initial states and stimuli from the trial's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurohw import connections, rng, storage, units
from neurohw.connections import Rule
from neurohw.distributions import Distribution, Value, sample, spread
from neurohw.errors import BadInput, Unsupported, all_reasons
from neurohw.neurons import NEURONS, NeuronModel, Parameter, SourceModel
from neurohw.synapses import SYNAPSES, STDPMechanism
from neurohw.synapses.signed import SIGNED

Receptor = Literal["excitatory", "inhibitory"]
RECEPTORS: tuple[Receptor, Receptor] = ("excitatory", "inhibitory")
MAX_NAME = 100


@dataclass(frozen=True)
class Numerics:
    """What a network's results depend on beside its equations.

    integration: "exact" (exponential propagators; exponential Euler for conductances) or "euler" (forward, as most frameworks).
    reset: "set" (v := v_reset) or "subtract" (v -= v_thresh - v_reset).
    stimulus_grid: ms; a Poisson source draws one number per (trial, source, interval of this length), so that chips with
        different time steps are given the same input.
    """

    integration: Literal["exact", "euler"] = "exact"
    reset: Literal["set", "subtract"] = "set"
    stimulus_grid: float = 0.1
    made_for: float | None = None

    def __post_init__(self) -> None:
        for name, known in (("integration", ("exact", "euler")), ("reset", ("set", "subtract"))):
            if getattr(self, name) not in known:
                raise BadInput(f"numerics: {name} is one of {', '.join(known)}, got {getattr(self, name)!r}")
        if not 0 < self.stimulus_grid < np.inf:
            raise BadInput(f"numerics: stimulus_grid {self.stimulus_grid} ms is not > 0")


@dataclass(frozen=True, eq=False)
class SpikeTimes:
    """Given spikes of a SpikeSourceArray: times (ms, ascending) and the index of the neuron that spikes."""

    times: NDArray[np.float64]
    indices: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Population:
    """`size` neurons of one model. Parameters: one number for all, an array, or a distribution (network seed)."""

    name: str
    size: int
    model: NeuronModel | SourceModel
    parameters: Mapping[str, Value]
    initial: Mapping[str, Value] = field(default_factory=dict)
    spike_times: SpikeTimes | None = None

    @property
    def is_source(self) -> bool:
        return isinstance(self.model, SourceModel)

    @property
    def neuron(self) -> NeuronModel:
        """The model of a population that integrates."""
        assert isinstance(self.model, NeuronModel), f"{self.name} is a {self.model.name}"
        return self.model


@dataclass(frozen=True, eq=False)
class Projection:
    """A connection rule from one population to another. Weight in the target model's unit, delay in ms.

    synapse: the rule's name; plasticity: how the weights change, None where they do not.
    """

    name: str
    source: str
    target: str
    rule: Rule
    weight: Value
    delay: Value
    receptor: Receptor
    synapse: str = "StaticSynapse"
    plasticity: STDPMechanism | None = None


@dataclass(frozen=True, eq=False)
class Current:
    """A current (nA) into neurons of a population: from times[k] (ms) on it is amplitudes[k]; zero before times[0]."""

    population: str
    times: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    neurons: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Network:
    """Populations, projections and stimuli. Every method that adds something returns a new network."""

    name: str = "network"
    seed: int = 1
    populations: Mapping[str, Population] = field(default_factory=dict)
    projections: Mapping[str, Projection] = field(default_factory=dict)
    currents: tuple[Current, ...] = ()
    numerics: Numerics = Numerics()
    source: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | np.integer):
            raise BadInput(f"network {self.name!r}: the seed must be a whole number, got {self.seed!r}")

    def population(
        self,
        name: str,
        size: int,
        model: str,
        parameters: Mapping[str, Any] | None = None,
        initial: Mapping[str, Any] | None = None,
        spike_times: Any = None,
    ) -> "Network":
        """A new network with `size` neurons more.

        model: a PyNN name (neurohw.neurons.NEURONS). parameters, initial: numbers, text with a unit, arrays of length `size`,
        or distributions; what is left out has PyNN's default. spike_times (SpikeSourceArray): one list of times (ms) for
        all, a list of lists, or a pair (times, indices).
        Raises BadInput or Unsupported with every reason.
        """
        where = f"population {name!r}"
        _check_name(name, self.populations, "population")
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise BadInput(f"{where}: size must be a whole number >= 1, got {size!r}")
        if not isinstance(model, str) or model not in NEURONS:
            raise Unsupported(f"{where}: no neuron model {model!r}; there are {', '.join(NEURONS)}")
        if spike_times is not None and model != "SpikeSourceArray":
            raise BadInput(f"{where}: a {model} takes no spike times; a SpikeSourceArray does")
        kind = NEURONS[model]
        values = _values(kind.parameters, parameters or {}, int(size), where)
        if isinstance(kind, SourceModel):
            if initial:
                raise BadInput(f"{where}: a {model} has no initial state")
            times = _spike_times(spike_times, int(size), where) if model == "SpikeSourceArray" else None
            new = Population(name, int(size), kind, values, {}, times)
        else:
            start = dict(initial or {})
            if "v_rest" in values:
                start.setdefault("v", values["v_rest"])
            new = Population(name, int(size), kind, values, _values(kind.states, start, int(size), where))
        return replace(self, populations={**self.populations, name: new})

    def project(
        self,
        source: str,
        target: str,
        rule: Rule,
        weight: Any,
        delay: Any = 1.0,
        receptor: Receptor | None = None,
        synapse: str | STDPMechanism = "StaticSynapse",
        name: str | None = None,
    ) -> "Network":
        """A new network with one projection more.

        weight: nA, uS or mV, as the target model has it; onto current models an inhibitory weight is <= 0, onto conductance
        models every weight is >= 0; a SignedSynapse (current models, excitatory receptor) takes both signs. delay: ms. receptor:
        by default inhibitory where a constant weight is negative.
        synapse: a rule's name, or an `STDPMechanism(...)` for weights that change (by its name: with PyNN's defaults).
        Raises BadInput with every reason.
        """
        name = name or _unused(f"{source} to {target}", self.projections)
        where = f"projection {name!r}"
        _check_name(name, self.projections, "projection")
        for end in (source, target):
            if end not in self.populations:
                raise BadInput(f"{where}: no population {end!r}; there are {', '.join(self.populations) or 'none'}")
        post = self.populations[target]
        if not isinstance(post.model, NeuronModel):
            raise BadInput(f"{where}: {target!r} is a {post.model.name} and takes no input")
        if not isinstance(rule, Rule):
            raise BadInput(
                f"{where}: {rule!r} is no connection rule; write for example AllToAll() or FixedProbability(0.1)"
            )
        kind, plasticity = _synapse(synapse, post.model.weight_unit, where)
        n_pre, recurrent = self.populations[source].size, source == target
        n_values = _ordered_synapses(rule, n_pre, post.size)
        w = _value(weight, post.model.weight_unit, n_values, f"{where}: weight")
        d = _value(delay, "ms", n_values, f"{where}: delay")
        signed = kind == SIGNED.name
        if receptor is None:
            receptor = "inhibitory" if spread(w)[0] < 0 and not signed else "excitatory"
        reasons = connections.check(rule, n_pre, post.size, recurrent)
        reasons += _either_sign(post.model) if signed else _weight_sign(post.model, receptor, w)
        if spread(d)[2] < 0:
            reasons.append(f"delay {spread(d)[2]:g} ms is negative; delays are >= 0 ms")
        if receptor not in RECEPTORS:
            reasons.append(f"no receptor {receptor!r}; there are {', '.join(RECEPTORS)}")
        all_reasons(BadInput, where, reasons)
        new = Projection(name, source, target, rule, w, d, receptor, kind, plasticity)
        return replace(self, projections={**self.projections, name: new})

    def inject(self, population: str, times: Any, amplitudes: Any, neurons: Any = None) -> "Network":
        """A new network with a step current: from times[k] (ms) on, amplitudes[k] (nA) flows into `neurons` (default all)."""
        where = f"current into {population!r}"
        if population not in self.populations or self.populations[population].is_source:
            raise BadInput(f"{where}: there is no such population of neurons")
        size = self.populations[population].size
        t, a = (np.atleast_1d(_numbers(given, where)) for given in (times, amplitudes))
        which = np.arange(size) if neurons is None else np.atleast_1d(_indices(neurons, where))
        reasons = []
        if t.shape != a.shape or t.ndim != 1:
            reasons.append(f"{t.size} times but {a.size} amplitudes")
        if not ((np.abs(t) <= units.LARGEST).all() and (np.abs(a) <= units.LARGEST).all()):
            reasons.append(f"times and amplitudes must be finite, and at most {units.LARGEST:g}")
        if t.size and (np.diff(t) < 0).any():
            reasons.append("times must ascend")
        if which.size and (which.min() < 0 or which.max() >= size):
            reasons.append(f"neuron indices must lie in 0..{size - 1}")
        all_reasons(BadInput, where, reasons)
        return replace(self, currents=(*self.currents, Current(population, t, a, which)))

    def save(self, path: Any) -> None:
        """Write to one HDF5 file, which `load_network` reads; see `neurohw.storage`."""
        storage.save(self, "network", path)

    def checked(self) -> "Network":
        """The same network made anew by the methods above, with all their checks: for one that comes from a file."""
        new = Network(self.name, self.seed, numerics=self.numerics, source=self.source)
        for name, p in self.populations.items():
            initial = None if p.is_source else p.initial
            new = new.population(name, p.size, p.model.name, p.parameters, initial, p.spike_times)
        for name, q in self.projections.items():
            new = new.project(
                q.source, q.target, q.rule, q.weight, q.delay, q.receptor, q.plasticity or q.synapse, name
            )
        for c in self.currents:
            new = new.inject(c.population, c.times, c.amplitudes, c.neurons)
        return new

    @property
    def plastic(self) -> dict[str, Projection]:
        """The projections whose weights change while the network runs, in order."""
        return {name: p for name, p in self.projections.items() if p.plasticity is not None}

    @property
    def neurons(self) -> dict[str, Population]:
        """The populations that integrate, in order."""
        return {name: p for name, p in self.populations.items() if not p.is_source}

    @property
    def sources(self) -> dict[str, Population]:
        """The populations that only emit spikes, in order."""
        return {name: p for name, p in self.populations.items() if p.is_source}

    def expected_synapses(self, projection: str) -> float:
        """The expected number of synapses of a projection."""
        p = self.projections[projection]
        n_pre, n_post = self.populations[p.source].size, self.populations[p.target].size
        return connections.expected_synapses(p.rule, n_pre, n_post, p.source == p.target)

    def parameter(self, population: str, name: str) -> NDArray[np.float64]:
        """The values of a parameter, one per neuron; distributions are drawn from the network's seed."""
        p = self.populations[population]
        return _per_neuron(p, p.parameters[name], rng.key(self.seed, f"{population}/parameter/{name}"))

    def initial(self, population: str, state: str, trial: int) -> NDArray[np.float64]:
        """The initial values of a state variable, one per neuron; distributions are drawn from the trial's seed."""
        p = self.populations[population]
        return _per_neuron(p, p.initial[state], rng.key(trial, f"{population}/initial/{state}"))


def _per_neuron(population: Population, value: Value, stream: np.uint64) -> NDArray[np.float64]:
    return sample(value, stream, population.size)


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    numbered = (f"{name} ({k})" for k in range(2, len(taken) + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def _check_name(name: str, taken: Mapping[str, Any], what: str) -> None:
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable() or "/" in name:
        raise BadInput(f"{what} {name!r}: a name is 1 to {MAX_NAME} printable characters without '/'")
    if name in taken:
        raise BadInput(f"{what} {name!r}: the name is taken; give another")


def _values(known: Mapping[str, Parameter], given: Mapping[str, Any], size: int, where: str) -> dict[str, Value]:
    reasons = [f"no parameter {name!r}; there are {', '.join(known)}" for name in given if name not in known]
    values: dict[str, Value] = {}
    for name, parameter in known.items():
        try:
            value = _value(given.get(name, parameter.default), parameter.unit, size, name, parameter.may_be_infinite)
        except BadInput as error:
            reasons.append(str(error))
            continue
        if parameter.positive and spread(value)[2] <= 0:
            reasons.append(f"{name}: {spread(value)[2]:g} {parameter.unit} is not > 0")
        if parameter.never_negative and spread(value)[2] < 0:
            reasons.append(f"{name}: {spread(value)[2]:g} {parameter.unit} is negative")
        values[name] = value
    all_reasons(BadInput, where, reasons)
    return values


def _value(given: Any, unit: str, size: int | None, where: str, infinite: bool = False) -> Value:
    """One number, an array of `size` numbers, or a distribution; size None: this rule cannot take an array."""
    if isinstance(given, Distribution):
        return given
    if isinstance(given, np.ndarray | list | tuple):
        array = _numbers(given, where)
        if size is None:
            raise BadInput(f"{where}: an array needs a rule with a known order (AllToAll, OneToOne, FromList)")
        if array.size != size:
            raise BadInput(f"{where}: an array of shape {array.shape} where {size} values are needed")
        if np.isnan(array).any() or (np.isinf(array).any() and not infinite):
            raise BadInput(f"{where}: the array holds NaN or infinity")
        if (np.abs(array[np.isfinite(array)]) > units.LARGEST).any():
            raise BadInput(f"{where}: the array holds numbers beyond {units.LARGEST:g} {unit}")
        return array.ravel()
    if infinite and isinstance(given, float) and np.isinf(given):
        return given
    return units.parse(given, unit, where)


def _ordered_synapses(rule: Rule, n_pre: int, n_post: int) -> int | None:
    """How many synapses a rule makes, where their order is known beforehand; AllToAll is source-major, without skips."""
    match rule:
        case connections.AllToAll(allow_self_connections=True):
            return n_pre * n_post
        case connections.OneToOne():
            return min(n_pre, n_post)
        case connections.FromList():
            return rule.pre.size
        case _:
            return None


def _synapse(given: Any, weight_unit: str, where: str) -> tuple[str, STDPMechanism | None]:
    """(name of the rule, its parameters if it is plastic)."""
    rule = STDPMechanism() if given == STDPMechanism.name else given
    if isinstance(rule, STDPMechanism):
        return rule.name, rule.in_units(weight_unit, f"{where}: {rule.name}")
    if not isinstance(rule, str) or rule not in SYNAPSES:
        raise Unsupported(f"{where}: no synapse rule {str(rule)[:100]!r}; there are {', '.join(SYNAPSES)}")
    return rule, None


def _either_sign(model: NeuronModel) -> list[str]:
    return (
        []
        if model.inhibitory_sign < 0
        else ["a SignedSynapse ends at a model with currents; a conductance has no sign"]
    )


def _weight_sign(model: NeuronModel, receptor: str, weight: Value) -> list[str]:
    _, _, low, high = spread(weight)
    if receptor == "inhibitory" and model.inhibitory_sign < 0:
        return ["inhibitory weights onto a current-based model are <= 0"] if high > 0 else []
    return ["this receptor takes weights >= 0"] if low < 0 else []


def _spike_times(given: Any, size: int, where: str) -> SpikeTimes:
    if isinstance(given, SpikeTimes):
        return spike_times(given.times, given.indices, size, where)
    if given is None:
        return SpikeTimes(np.empty(0), np.empty(0, np.int64))
    if not isinstance(given, list | tuple | np.ndarray):
        raise BadInput(
            f"{where}: spike times are a list of times (ms), a list for each neuron, or a pair (times, indices)"
        )
    flat = [not isinstance(one, list | tuple | np.ndarray) for one in given]
    if isinstance(given, tuple) and len(given) == 2 and not any(flat):
        return spike_times(given[0], given[1], size, where)
    if all(flat):
        given = [given] * size
    if len(given) != size:
        raise BadInput(f"{where}: spike times for {len(given)} neurons, but there are {size}")
    lists = [_numbers(one, where).ravel() for one in given]
    return spike_times(np.concatenate(lists), np.repeat(np.arange(size), [one.size for one in lists]), size, where)


def spike_times(times: Any, indices: Any, size: int, where: str) -> SpikeTimes:
    """Checked and sorted spikes. Raises BadInput for NaN, negative times, or indices outside the population."""
    t, i = _numbers(times, where).ravel(), _indices(indices, where).ravel()
    reasons = []
    if t.shape != i.shape:
        reasons.append(f"{t.size} spike times but {i.size} indices")
    elif t.size:
        if not (np.abs(t) <= units.LARGEST).all() or t.min() < 0:
            reasons.append(f"spike times must be finite and >= 0 ms, and at most {units.LARGEST:g} ms")
        if i.min() < 0 or i.max() >= size:
            reasons.append(f"spike indices must lie in 0..{size - 1}")
    all_reasons(BadInput, where, reasons)
    order = np.lexsort((i, t))
    return SpikeTimes(t[order], i[order])


def _numbers(given: Any, where: str) -> NDArray[np.float64]:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise BadInput(f"{where}: expected plain numbers, got {str(given)[:60]}") from None


def _indices(given: Any, where: str) -> NDArray[np.int64]:
    array = np.asarray(given)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise BadInput(f"{where}: indices are whole numbers, got {array.dtype}")
    return array.astype(np.int64)
