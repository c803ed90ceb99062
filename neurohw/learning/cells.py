"""The network that e-prop sees: inputs, one hidden population, a leaky readout; its constants in discrete time.

    v[t] = alpha v[t-1] + bias + W_in x[t - d_in] + W_rec z[t - d_rec],    v relative to rest
    z[t] = v[t] > threshold + beta a[t], not within `blocked` steps of the last spike;  then v -= drop z (or v = reset)
    a[t] = rho (a[t-1] + z[t-1])
    y[t] = kappa y[t-1] + W_out z[t - d_out]

This is what ALIF, LI and IF_curr_delta do on a chip, so an ideal chip gives these very spikes. Weights here are those of
the network (mV); a published gain is multiplied into them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurohw.connections import AllToAll
from neurohw.errors import BadInput, Unsupported, all_reasons
from neurohw.kernels.float_neurons import refractory_steps
from neurohw.learning.conventions import Convention, convention
from neurohw.network import Network, Population, Projection

Array = NDArray[np.float64]
HIDDEN = ("ALIF", "IF_curr_delta")


@dataclass(frozen=True, eq=False)
class Cells:
    """Constants of the hidden neurons (one value each) and of the readout (kappa).

    drop: what a spike takes from v; NaN: v is set to reset_to, and held there while refractory.
    gain_in, gain_out: factors on published weights that make them weights in mV. delays: (input, recurrent, readout) in steps.
    """

    alpha: Array
    rho: Array
    beta: Array
    threshold: Array
    drop: Array
    reset_to: Array
    blocked: NDArray[np.int64]
    bias: Array
    kappa: float
    delays: tuple[int, int, int] = (0, 1, 0)
    strict: bool = True
    gain_in: Array | float = 1.0
    gain_out: float = 1.0

    @property
    def size(self) -> int:
        return self.alpha.size

    @property
    def holds(self) -> bool:
        """Whether membranes rest while refractory, after a reset to a fixed value."""
        return bool(np.isnan(self.drop).any())


def published(
    form: Convention | str,
    n: int,
    *,
    tau_m: float,
    tau_out: float,
    v_th: float,
    t_ref: int = 0,
    tau_a: float = 1.0,
    beta: Any = 0.0,
    v_reset: float | None = None,
    regular: tuple[bool, bool] = (True, True),
    dt: float = 1.0,
) -> Cells:
    """The neurons of a published form with its own parameters; beta: of all or of each neuron (0: LIF).

    regular: (input, readout) gain 1 instead of 1 - decay, where the form leaves a choice (2020).
    t_ref: steps from a spike to the next possible one, as published (0 and 1 block none).
    v_reset: for neurons that are set to a value and hold it for t_ref steps, instead of losing v_th.
    """
    form = convention(form) if isinstance(form, str) else form
    alpha, rho, kappa = (float(np.exp(-dt / tau)) for tau in (tau_m, tau_a, tau_out))
    free = form.name == "2020"
    drop = v_th / alpha if form.late_reset else v_th
    full = np.full
    return Cells(
        alpha=full(n, alpha), rho=full(n, rho), beta=np.broadcast_to(np.asarray(beta, float) / rho, n).copy(),
        threshold=full(n, v_th), drop=full(n, drop if v_reset is None else np.nan),
        reset_to=full(n, 0.0 if v_reset is None else v_reset),
        blocked=full(n, max(t_ref - 1, 0) if v_reset is None else t_ref), bias=np.zeros(n), kappa=kappa,
        delays=(form.input_delay, 1, 0), strict=form.strict,
        gain_in=1.0 if regular[0] or not free else 1.0 - alpha,
        gain_out=1.0 if regular[1] or not free else 1.0 - kappa,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Roles:
    """Which population and which projections of a network play which part."""

    inputs: Mapping[str, str]
    hidden: str
    readout: str
    recurrent: str | None
    out: str
    sizes: Mapping[str, int]

    @property
    def projections(self) -> tuple[str, ...]:
        """In the order in which their weights stand on top of each other: inputs, recurrent, out."""
        return (*self.inputs.values(), *([self.recurrent] if self.recurrent else []), self.out)

    def shape(self, projection: str) -> tuple[int, int]:
        """(pre, post) of a projection."""
        if projection == self.out:
            return self.sizes[self.hidden], self.sizes[self.readout]
        if projection == self.recurrent:
            return self.sizes[self.hidden], self.sizes[self.hidden]
        source = next(name for name, label in self.inputs.items() if label == projection)
        return self.sizes[source], self.sizes[self.hidden]

    def check(self, weights: Mapping[str, Array]) -> None:
        """Raise BadInput where weights are missing, of another shape, or not finite."""
        reasons = []
        for name in self.projections:
            if name not in weights:
                reasons.append(f"none for projection {name!r}")
            elif np.shape(weights[name]) != self.shape(name):
                reasons.append(f"those of {name!r} have the shape {np.shape(weights[name])}, not {self.shape(name)}")
            elif not np.isfinite(weights[name]).all():
                reasons.append(f"those of {name!r} hold NaN or infinity")
        all_reasons(BadInput, "weights", reasons)


def roles(network: Network) -> Roles:
    """The parts of a network with one hidden population and one leaky readout.

    Raises Unsupported with every reason: e-prop here has one hidden layer, recurrent or not, of ALIF or IF_curr_delta
    neurons, an LI readout, and all-to-all projections between them.
    """
    hidden = [name for name, p in network.neurons.items() if p.model.name in HIDDEN]
    readouts = [name for name, p in network.neurons.items() if p.model.name == "LI"]
    reasons = []
    if len(hidden) != 1:
        reasons.append(f"it needs one hidden population of {' or '.join(HIDDEN)} neurons, there are {len(hidden)}")
    if len(readouts) != 1:
        reasons.append(f"it needs one readout of LI neurons, there are {len(readouts)}")
    for name, p in network.neurons.items():
        if p.model.name not in (*HIDDEN, "LI"):
            reasons.append(f"population {name!r} is a {p.model.name}")
    all_reasons(Unsupported, f"e-prop on {network.name}", reasons)
    parts: dict[str, list[Projection]] = {"in": [], "rec": [], "out": []}
    for name, q in network.projections.items():
        ends = ("source" if network.populations[q.source].is_source else q.source, q.target)
        kind = {("source", hidden[0]): "in", (hidden[0], hidden[0]): "rec", (hidden[0], readouts[0]): "out"}.get(ends)
        if kind is None:
            reasons.append(f"projection {name!r} from {q.source!r} to {q.target!r} has no part in it")
        elif not isinstance(q.rule, AllToAll) or not q.rule.allow_self_connections:
            reasons.append(f"projection {name!r} must be AllToAll() (with self-connections, which stay zero)")
        else:
            parts[kind].append(q)
    inputs = {q.source: q.name for q in parts["in"]}
    if not inputs or len(inputs) != len(parts["in"]):
        reasons.append(f"every input population needs one projection to {hidden[0]!r}")
    if len(parts["rec"]) > 1 or len(parts["out"]) != 1:
        reasons.append("it takes at most one recurrent projection and exactly one to the readout")
    all_reasons(Unsupported, f"e-prop on {network.name}", reasons)
    recurrent = parts["rec"][0].name if parts["rec"] else None
    sizes = {name: p.size for name, p in network.populations.items()}
    return Roles(inputs, hidden[0], readouts[0], recurrent, parts["out"][0].name, sizes)


def cells_of(network: Network, found: Roles, dt: float, least_delay: int = 1) -> Cells:
    """The constants of a network's neurons at a time step of dt ms.

    least_delay: the shortest delay (steps) from a source that the chip has: 0 on ideal ones and the reference, else 1.
    Raises Unsupported for what has no such form.
    """
    hidden, readout = network.populations[found.hidden], network.populations[found.readout]
    if network.numerics.integration != "exact":
        raise Unsupported("e-prop: the network asks for Euler integration; take exact integration")
    get = _getter(network, found.hidden)
    v_rest, tau_m = get("v_rest"), get("tau_m")
    alpha = np.exp(-dt / tau_m)
    subtract = network.numerics.reset == "subtract"
    blocked = refractory_steps(get("tau_refrac"), dt).astype(np.int64)
    adapts = hidden.model.name == "ALIF"
    if subtract and not adapts and blocked.any():
        raise Unsupported(f"e-prop: {found.hidden!r}: IF_curr_delta rests while refractory; take ALIF with beta 0")
    if not subtract and adapts and blocked.any():
        raise Unsupported(f"e-prop: {found.hidden!r}: refractory ALIF neurons need Numerics(reset='subtract')")
    down = get("v_thresh") - get("v_reset")
    n = hidden.size
    return Cells(
        alpha=alpha, rho=np.exp(-dt / get("tau_a")) if adapts else np.zeros(n),
        beta=get("beta") if adapts else np.zeros(n), threshold=get("v_thresh") - v_rest,
        drop=down if subtract else np.full(n, np.nan), reset_to=get("v_reset") - v_rest, blocked=blocked,
        bias=get("i_offset") * tau_m / get("cm") * (1 - alpha), kappa=_kappa(network, readout, dt),
        delays=_delays(network, found, dt, least_delay),
    )  # fmt: skip


def _getter(network: Network, population: str) -> Callable[[str], Array]:
    return lambda name: network.parameter(population, name)


def _kappa(network: Network, readout: Population, dt: float) -> float:
    tau = network.parameter(readout.name, "tau_m")
    if np.ptp(tau) > 0 or network.parameter(readout.name, "i_offset").any():
        raise Unsupported(f"e-prop: readout {readout.name!r} needs one tau_m for all and no i_offset")
    return float(np.exp(-dt / tau[0]))


def _delays(network: Network, found: Roles, dt: float, least: int) -> tuple[int, int, int]:
    groups = [list(found.inputs.values()), [found.recurrent] if found.recurrent else [], [found.out]]
    steps = []
    for names, shortest in zip(groups, (least, 1, 1), strict=True):
        delays = {float(d) for name in names for d in np.atleast_1d(_constant(network, name))}
        if len(delays) > 1:
            raise Unsupported(f"e-prop: {', '.join(names)}: one delay for all of them, not {sorted(delays)}")
        steps.append(max(shortest, int(np.floor(delays.pop() / dt + 0.5 + 1e-9))) if delays else 1)
    return steps[0], steps[1], steps[2]


def _constant(network: Network, projection: str) -> Any:
    delay = network.projections[projection].delay
    if not isinstance(delay, float | int | np.ndarray):
        raise Unsupported(f"e-prop: projection {projection!r}: the delay is one number, not drawn")
    return delay
