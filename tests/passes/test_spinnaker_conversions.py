"""What the report says of parameters in a core's numbers, held against the constants that the chip derives from them."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.chips.spinnaker.models import MODELS
from neurohw.connections import AllToAll
from neurohw.errors import BadInput, DoesNotFit, OutOfRange
from neurohw.network import Network
from neurohw.passes.spinnaker.conversions import ONE, quotient, word
from tests import small

SPIN5, SPIN3 = small.device("spinnaker-spin5"), small.device("spinnaker-spin3")


def network(parameters, model="IF_curr_exp", weight=0.1, size=2, **initial):
    made = Network("net").population("s", 1, "SpikeSourceArray", spike_times=[5.0])
    made = made.population("n", size, model, parameters, initial=initial)
    return made.project("s", "n", AllToAll(), weight, 1.0)


def mapped(made, dt=0.1, **choices):
    return workbench.map_network(made, SPIN5, choices, dt=dt)


def told(parameters, where, dt=0.1, model="IF_curr_exp"):
    """what -> why, of the losses at a place."""
    report = mapped(network(parameters, model), dt).report
    return {loss.what: loss.why for loss in report.losses if loss.where == f"n.{where}"}


def derived(parameters, dt, model="IF_curr_exp"):
    """The chip's own constants by name."""
    chip = MODELS[model]
    defaults = {name: network({}, model).parameter("n", name)[:1] for name in chip.parameters if name not in ("v", "u")}
    given = defaults | {"v": np.array([-65.0])} | {name: np.array([value]) for name, value in parameters.items()}
    return dict(zip(chip.coefficients, chip.initialize(given, dt)[1][:, 0].tolist(), strict=True))


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("tau", [2.0, 20.0, 90.0, 150.0, 1500.0, 4000.0, 40_000.0])
def test_the_membrane_that_a_core_has(tau, dt):
    """The decay of a step, e^(-dt/tau_m) in 15 bits: within one of them of what the report reckons with, and told from 1 % on."""
    kept = derived({"tau_m": tau}, dt)["exp_tc"]
    acts = -dt / np.log(kept / ONE) if kept < ONE else np.inf
    found = told({"tau_m": tau}, "tau_m", dt)
    if kept == ONE:
        assert "never moves" in found["parameters lost"] or "acts as" in found["parameters rounded"]
    elif abs(acts / tau - 1) > 0.02 and kept < ONE - 8:  # where one bit does not decide
        assert f"{tau:.4g} ms acts as" in found["parameters rounded"]
        assert float(found["parameters rounded"].split()[-2]) == pytest.approx(acts, rel=2 / (ONE - kept))
    elif abs(acts / tau - 1) < 0.005:
        assert not found


def test_a_membrane_that_stands_still():
    """dt / tau_m below 2^-15: told, and so it is on the chip."""
    parameters = {"tau_m": 4000.0, "i_offset": 1.0}
    assert "the membrane never moves" in told(parameters, "tau_m")["parameters lost"]
    program = workbench.map_network(network(parameters), SPIN5, dt=0.1, record={"n": ["v"]})
    assert np.ptp(workbench.run(program, workbench.fabricate(SPIN5), 50.0).traces["n"]["v"]) == 0


def test_a_resistance_beyond_the_largest_number():
    why = told({"tau_m": 20.0, "cm": 0.0002}, "cm")["parameters wrapped"]
    kept = derived({"tau_m": 20.0, "cm": 0.0002}, 0.1)["resistance"] / ONE
    assert why.endswith(f"wraps to {kept:.4g}")
    assert kept < 0
    assert "parameters wrapped" not in told({"tau_m": 20.0, "cm": 0.001}, "cm")


def test_a_capacitance_between_two_words():
    """0.0002 nF is 6.6 words and becomes 7."""
    assert "0.0002 becomes 0.0002136" in told({"cm": 0.0002}, "cm")["parameters rounded"]


@pytest.mark.parametrize("tau", [3.0, 5.0, 300.0, 2000.0, 5000.0])
def test_the_synapse_that_a_core_has(tau):
    """e^(-dt/tau) in 32 bits, but of a quotient in 15; the core's series is off by 1.3e-6 near 0."""
    decay = derived({"tau_syn_E": tau}, 0.1)["decay_exc"] % 2**32
    found = told({"tau_syn_E": tau}, "tau_syn_E")
    if decay == 0:
        assert "input lasts for one step of 0.1 ms" in found["parameters lost"]
        return
    acts = -0.1 / np.log(decay / 2**32)
    if abs(acts / tau - 1) > 0.01:
        assert float(found["parameters rounded"].split()[-2]) == pytest.approx(acts, rel=1e-3 + 1.3e-6 * acts / 0.1)
    else:
        assert not found


def test_a_refractory_period_of_too_many_steps():
    kept = derived({"tau_refrac": 8000.0}, 0.1)["t_refract"]
    why = told({"tau_refrac": 8000.0}, "tau_refrac")["parameters wrapped"]
    assert float(why.split()[-1]) == pytest.approx(kept, abs=1)
    assert abs(kept) < 65536


@pytest.mark.parametrize(("dt", "tau"), [(1.0, 1.0), (1.0, 0.7), (0.1, 60.0), (0.1, 300.0), (1.0, 400.0)])
def test_alpha_functions_also_where_the_square_of_tau_wraps(dt, tau):
    kept = derived({"tau_syn_E": tau}, dt, "IF_curr_alpha")["dt_tau2_exc"] / ONE
    share = 100 * kept * tau**2 / dt
    assert (
        f"to {share:.3g} % of their height"
        in told({"tau_syn_E": tau}, "tau_syn_E", dt, "IF_curr_alpha")["parameters rounded"]
    )


def test_what_a_core_cannot_hold_is_refused_at_map():
    for made, words in (
        (network({"tau_syn_E": 0.005}, "IF_curr_alpha"), r"n.tau_syn_E = 0.005 ms: its square is 0"),
        (network({"a": 1e5}, "IZK_curr_exp"), r"n.a = 100000: SpiNNaker holds s16.15 numbers"),
        (network({}, v=[-65.0, -7e4]), r"n.v = -70000: SpiNNaker holds"),
    ):
        with pytest.raises(OutOfRange, match=words):
            mapped(made)


def test_usual_parameters_are_not_complained_of():
    for model in ("IF_curr_exp", "IF_cond_exp", "IF_curr_delta", "IZK_curr_exp"):
        report = mapped(network({}, model)).report
        assert not [loss for loss in report.losses if loss.what.startswith("parameters")]


def test_quotients_wrap_as_on_the_core():
    rng = np.random.default_rng(1)
    a, b = rng.uniform(0.01, 60000, 200), rng.uniform(0.01, 60000, 200)
    exact = (word(a) * ONE // word(b)) % 2**32
    assert (quotient(word(a), word(b)) % 2**32 == exact).all()
    assert quotient(word(40000.0), word(0.5)) < 0


BAD = {
    "too many neurons per core": (lambda: mapped(network({}), neurons_per_core=300), DoesNotFit, "300", "at most 256"),
    "a delay beyond the extensions": (
        lambda: mapped(network({}).project("n", "n", AllToAll(), 0.1, 2e4)), DoesNotFit, "more than delay extensions can hold",
    ),
    "a delay beyond the extensions of such cores": (
        lambda: mapped(network({}).project("n", "n", AllToAll(), 0.1, 40.0), neurons_per_core=256), DoesNotFit,
        "with 256 neurons per core", "256 steps more", "neurons_per_core: 128",
    ),
    "a machine too small": (
        lambda: workbench.map_network(network({}, size=20_000), SPIN3), DoesNotFit, "spinnaker-spin3", "larger machine",
    ),
    "an impossible link": (lambda: SPIN3.with_(dead_links=((0, 0, 3),)), BadInput, "(0, 0) has no link 3", "it has 0 (E)"),
    "a link of a chip that is not there": (
        lambda: SPIN5.with_(dead_links=((7, 0, 0),)), BadInput, "(7, 0) has no link 0", "there is no such chip",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_in_words(case):
    call, kind, *words = BAD[case]
    with pytest.raises(kind) as error:
        call()
    for part in words:
        assert part in str(error.value)


def test_weights_beyond_the_range_wrap_and_are_told():
    """A largest sum of 1 nA leaves steps of 2^-14 nA: 5 nA are 81920 of them, of which 65536 are lost."""
    program = mapped(network({}, weight=5.0), largest_sum={"n": {"excitatory": 1.0}})
    (loss,) = [loss for loss in program.report.losses if loss.what == "weights wrapped"]
    assert (loss.count, loss.of, loss.where) == (2, 2, "s to n")
    assert "16 bits hold 4 at most" in loss.why
    assert program.payload.table.columns["weight"].tolist() == [16384, 16384]
