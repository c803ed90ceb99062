"""What a run will take, foretold from a rate: held against the ledger of a run at that rate."""

import numpy as np
import pytest

from neurohw import workbench
from neurohw.connections import FixedProbability
from neurohw.distributions import Uniform
from neurohw.kernels.prediction import prediction
from neurohw.network import Network
from tests import small


def regular(model="IF_curr_exp", weight=1e-4):
    """300 neurons that fire by themselves, 60 sources of 40 Hz for half a second, and 20 given spikes."""
    made = Network("regular", seed=2).population("s", 60, "SpikeSourcePoisson", {"rate": 40.0, "duration": 500.0})
    train = (np.linspace(0.0, 900.0, 20), np.zeros(20, int))
    made = made.population("g", 4, "SpikeSourceArray", spike_times=train)
    drive = {"i_offset": 1.2, "tau_refrac": 2.0}
    made = made.population("a", 300, model, drive, initial={"v": Uniform(-65.0, -51.0)})
    for source in ("s", "g", "a"):
        made = made.project(source, "a", FixedProbability(0.1), weight, 2.0)
    return made


@pytest.mark.parametrize("device", ["spinnaker-spin5", "brainscales2-chip", "pcm-million"])
def test_a_run_at_the_expected_rate_takes_what_was_predicted(device):
    model = "IF_curr_exp" if "spinnaker" in device else "IF_cond_exp"
    kind = small.device(device)
    probe = workbench.map_network(regular(model), kind, dt=1.0)
    chip = workbench.fabricate(kind)
    recording = workbench.run(probe, chip, "1 s")
    rate = recording.rate("a")
    assert rate > 5
    program = workbench.map_network(regular(model), kind, {"expected_rate": rate}, dt=1.0)
    foretold = prediction(program, 1000.0)
    value = {name: value for name, (value, _) in foretold.items()}
    # in- and out-degrees and Poisson counts vary: 1e5 events, of which each spike brings 30 together
    assert value["synaptic events"] == pytest.approx(chip.ledger.synaptic_events, rel=0.03)
    assert 0 < value["time on this computer"] < 60
    assert value["memory on this computer"] * 2**20 > program.payload.table.n_bytes
    for name, (amount, unit) in program.report.estimates.items():
        assert np.isfinite(amount), (name, unit)
    if "pcm" in device:
        assert value["energy of device reads"] == pytest.approx(
            1e-15 * chip.ledger.energy - programming(chip), rel=0.03
        )
        return
    assert value["time on the machine"] == pytest.approx(1e-3 * chip.ledger.time)
    assert value["energy on the machine"] == pytest.approx(1e-15 * chip.ledger.energy, rel=1e-3)
    if "spinnaker" in device:
        busiest = np.nanmax([core.mean_cycles for core in chip.workload.cores()])
        assert value["mean load of the busiest core"] == pytest.approx(busiest, rel=0.02)


def programming(chip):
    energy = chip.device.energy
    return 1e-15 * (
        chip.ledger.pulses * energy.get("set_pulse", 0.0) + chip.ledger.resets * energy.get("reset_pulse", 0.0)
    )


def test_a_load_beyond_the_clock_is_told_before_the_run():
    """256 neurons of 240 cycles take 61 thousand of the 20 thousand cycles of 0.1 ms; four times slower there is room."""
    for factor, told in ((1, True), (4, False)):
        program = workbench.map_network(regular(), "spinnaker-spin5", {"time_scale_factor": factor}, dt=0.1)
        assert any("time_scale_factor: 4 at least" in note for note in program.report.notes) == told
        value, unit = program.report.estimates["mean load of the busiest core"]
        assert (value > 20_000 * factor, unit) == (told, f"of {20_000 * factor} cycles a step")
