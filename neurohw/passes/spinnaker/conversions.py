"""What becomes of parameters in a SpiNNaker core's numbers: rounded, wrapped or lost, and so told before the run.

A core holds s16.15 numbers, steps of 2^-15 up to 65536, and divides and multiplies them by

    a / b = floor(2^15 a / b) mod 2^32        a * b = floor(a b / 2^15) mod 2^32        on the words

so a quotient beyond 65536 wraps, and one below 2^-15 is 0. Nothing of this stops the tool chain or the board: they go on with what
they have, and so does the emulation. What no core can begin with (a number that has no word, a divisor that is 0) is
refused. The chip's own constants are those of `chips/spinnaker/models.py`; a test holds the sentences here against them.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from neurohw.distributions import spread
from neurohw.errors import OutOfRange
from neurohw.kernels.spinnaker_charge import TAU
from neurohw.program import Program
from neurohw.report import Loss

TOLERANCE = 0.01
"""A relative change that is reported."""
BITS = 15
ONE = 1 << BITS
LARGEST = 65536.0
Words = NDArray[np.int64]
Values = NDArray[np.float64]
Telling = Callable[..., Loss]
FARTHEST = 8.5
"""Standard deviations that no draw of a normal distribution goes beyond."""


def word(x: Values | float) -> Words:
    """s16.15, halves to even."""
    return np.rint(np.asarray(x, float) * ONE).astype(np.int64)


def signed(x: Words) -> Words:
    """The low 32 bits as a signed number."""
    return (x + 2**31) % 2**32 - 2**31


def quotient(a: Words, b: Words) -> Words:
    """a / b on the words taken as unsigned, wrapped."""
    return signed((a % 2**32 << BITS) // (b % 2**32))


def conversion_losses(program: Program) -> list[Loss]:
    """Every parameter that a core has otherwise than the network. Raises OutOfRange for what it cannot hold at all."""
    _check_range(program)
    return [loss for name in program.network.neurons for loss in _of_population(program, name)]


def _check_range(program: Program) -> None:
    for name, population in program.network.neurons.items():
        for what, value in {**population.parameters, **population.initial}.items():
            mean, sd, low, high = spread(value)
            low, high = max(low, mean - FARTHEST * sd), min(high, mean + FARTHEST * sd)  # nothing is drawn beyond
            if what in population.parameters:
                drawn = program.network.parameter(name, what)
                low, high = float(drawn.min()), float(drawn.max())
            if low < -LARGEST or high >= LARGEST:
                worst = low if low < -LARGEST else high
                raise OutOfRange(
                    f"{name}.{what} = {worst:g}: SpiNNaker holds s16.15 numbers in [-65536, 65536); choose one inside"
                )


def _of_population(program: Program, name: str) -> Iterator[Loss]:
    population = program.network.populations[name]
    values = {p: program.network.parameter(name, p) for p in population.parameters}

    def loss(what: str, which: NDArray[np.bool_], parameter: str, why: str, remedy: str = "") -> Loss:
        return Loss(what, int(which.sum()), population.size, f"{name}.{parameter}", why, remedy)

    for parameter, x in values.items():
        kept = word(x) / ONE
        off = np.abs(kept - x) > TOLERANCE * np.abs(x)
        if off.any():
            k = int(np.argmax(np.abs(kept - x) / np.where(x == 0, np.inf, np.abs(x))))
            why = f"a core holds steps of 2^-15, and {x[k]:.4g} becomes {kept[k]:.4g}"
            yield loss("parameters rounded", off, parameter, why, "take a larger value, in a network of another scale")
    if "tau_m" in values:
        yield from _membrane(values, program.dt, loss)
    if "tau_refrac" in values:
        yield from _refractory(values["tau_refrac"], program.dt, loss)
    inputs = dict.fromkeys(TAU[p.receptor] for p in program.network.projections.values() if p.target == name)
    for tau in (tau for tau in inputs if tau in values):
        if population.neuron.name == "IF_curr_alpha":
            yield from _alpha(values[tau], program.dt, name, tau, loss)
        else:
            yield from _exponential(values[tau], program.dt, tau, loss)


def _membrane(values: dict[str, Values], dt: float, loss: Telling) -> Iterator[Loss]:
    tau, cm = values["tau_m"], values["cm"]
    beyond = word(tau) >= word(cm) * int(LARGEST)
    if beyond.any():
        k = int(np.argmax(tau / cm))
        wrapped = float(quotient(word(tau), word(cm))[k]) / ONE
        why = f"the resistance tau_m / cm of {tau[k] / cm[k]:.4g} MOhm is beyond 65536 and wraps to {wrapped:.4g}"
        yield loss("parameters wrapped", beyond, "cm", why, "choose a larger cm")
    steps = quotient(word(dt), word(tau))
    still = steps == 0
    if still.any():
        why = f"dt / tau_m is below 2^-15, so that its decay is none: the membrane never moves at steps of {dt:g} ms"
        yield loss("parameters lost", still, "tau_m", why, "choose a shorter tau_m or a larger time step")
    left = np.floor(np.exp(-steps / ONE) * ONE) / ONE
    acts = np.where(left < 1.0, dt / -np.log(np.clip(left, 1e-9, 1 - 1e-9)), tau)
    yield from _otherwise(tau, acts, ~still & (steps < 10 * ONE), "tau_m", loss)


def _exponential(tau: Values, dt: float, name: str, loss: Telling) -> Iterator[Loss]:
    steps = quotient(word(dt), word(tau))
    lost = steps == 0
    if lost.any():
        why = (
            f"dt / {name} is below 2^-15, and e^0 is 0 as a core's fraction of 32 bits: input lasts for one step of {dt:g} ms, "
            f"multiplied with {name} / dt without its whole part"
        )
        yield loss("parameters lost", lost, name, why, f"choose a shorter {name} or a larger time step")
    yield from _otherwise(tau, dt / np.maximum(steps, 1) * ONE, ~lost & (steps < 10 * ONE), name, loss)


def _otherwise(tau: Values, acts: Values, known: NDArray[np.bool_], name: str, loss: Telling) -> Iterator[Loss]:
    off = known & (np.abs(acts - tau) > TOLERANCE * tau)
    if off.any():
        k = int(np.argmax(np.where(off, np.abs(acts / tau - 1.0), 0.0)))
        why = f"of dt / {name} and its exponential a core keeps 15 bits: {tau[k]:.4g} ms acts as {acts[k]:.4g} ms"
        yield loss("parameters rounded", off, name, why, "use a larger time step")


def _refractory(tau: Values, dt: float, loss: Telling) -> Iterator[Loss]:
    steps = tau / dt
    up = np.ceil(steps - 1e-9) - steps > 1e-9
    why = f"refractory periods are rounded up to steps of {dt:g} ms"
    yield loss("parameters rounded", up, "tau_refrac", why, "use a smaller time step")
    beyond = word(tau) >= float(word(dt)) * float(LARGEST)  # as numbers: a step may be absurdly long
    if beyond.any():
        kept = quotient(word(tau), word(np.full(tau.shape, dt)))[int(np.argmax(tau))]
        why = f"tau_refrac of {tau.max():.4g} ms is more than 65536 steps and wraps to {kept / ONE:.6g}"
        yield loss("parameters wrapped", beyond, "tau_refrac", why, "use a larger time step")


def _alpha(tau: Values, dt: float, population: str, name: str, loss: Telling) -> Iterator[Loss]:
    """Of dt/tau^2 the core keeps 15 bits behind the point and nothing before it; tau^2 itself wraps from 256 ms on."""
    squared = signed(word(tau) ** 2 >> BITS)
    if (squared == 0).any():
        raise OutOfRange(
            f"{population}.{name} = {tau[squared == 0][0]:g} ms: its square is 0 in s16.15, and the core divides by it"
        )
    kept = (quotient(word(np.full(tau.shape, dt)), squared) & (ONE - 1)) / ONE * tau**2 / dt
    wrong = np.abs(kept - 1.0) > TOLERANCE
    share = kept[int(np.argmax(np.abs(kept - 1.0)))]
    why = (
        f"alpha functions come {'down' if share < 1 else 'up'} to {100 * share:.3g} % of their height: of dt/{name}^2 a "
        "core keeps 15 bits behind the point, and none before it"
    )
    yield loss("parameters rounded", wrong, name, why, f"choose dt/{name}^2 (in ms) between 0.003 and 1")
