"""What is peculiar to one analog device: matrices on BrainScaleS-2, Spikey, DYNAP-SE2, the spreads of BrainScaleS-1."""

import numpy as np
import pytest

from neurohw import networks, workbench
from neurohw.chips.analog.matrix import multiply
from neurohw.connections import AllToAll, FromList, OneToOne
from neurohw.device import load_device
from neurohw.errors import BadInput, DoesNotFit, Unsupported
from neurohw.network import Network

WAFER, CHIP, SPIKEY, DYNAP = (
    load_device(name) for name in ("brainscales1-wafer", "brainscales2-chip", "spikey", "dynapse2")
)


def test_the_makers_example_of_a_matrix_is_exact_without_noise():
    """Inputs 15, weights 21, 100 rows: 100 * 15 * 21 * 0.002 = 63; the hardware printed 55 to 63 for ten columns."""
    x, w = np.full(100, 15), np.full((100, 10), 21.0)
    assert (multiply(CHIP, x, w, noise=False) == 63).all()
    assert (multiply(CHIP, x, -w, noise=False) == -63).all()
    noisy = multiply(CHIP, np.tile(x, (400, 1)), w)
    assert noisy.mean() == pytest.approx(63 - 0.5, abs=4 * 2 / np.sqrt(4000) + 0.01)
    assert noisy.std() == pytest.approx(np.hypot(2, 1 / np.sqrt(12)), rel=4 / np.sqrt(2 * 4000))


def test_matrices_saturate_part_by_part_and_are_clipped_to_the_codes():
    w = np.full((256, 1), 63.0)
    assert multiply(CHIP, np.full(256, 31), w, noise=False)[0] == 2 * 127
    assert multiply(CHIP, np.full(256, 31), -w, noise=False)[0] == -2 * 128
    assert multiply(CHIP, np.ones(1, int), [[1e9, -70.4, 0.4]], noise=False).tolist() == [0, -1, 0]
    with pytest.raises(BadInput, match="0 to 31"):
        multiply(CHIP, [32], [[1.0]])
    with pytest.raises(BadInput, match="do not go together"):
        multiply(CHIP, [1, 2], [[1.0]])
    with pytest.raises(Unsupported, match="brainscales2-chip does"):
        multiply(WAFER, [1], [[1.0]])


def rates(device, seed=1, n=2000):
    """Spikes of each neuron of the balanced network in the second after the first 200 ms."""
    network = networks.vogels_abbott(n=n, seed=1)
    recording = workbench.run(workbench.map_network(network, device), workbench.fabricate(device, seed), 1200.0)
    found = []
    for name in ("excitatory", "inhibitory"):
        times, who = recording.spikes[name]
        found.append(np.bincount(who[times > 200], minlength=recording.sizes[name]))
    return np.concatenate(found)


def test_neurons_make_the_balanced_network_uneven_more_than_weights_do():
    """With the spreads measured on BrainScaleS-1: what neuron mismatch adds to the squared CV of the rates across neurons is
    several times what weights that scatter by 50 % add. The mean rate tells little of it."""
    bare = WAFER.without("synapse_loss", "spike_loss", "weight_resolution")
    found = {
        name: rates(bare.without(*({"mismatch", "weight_noise"} - {name}))) for name in ("", "mismatch", "weight_noise")
    }
    spread = {name: found[name].var() / found[name].mean() ** 2 for name in found}
    assert found[""].mean() > 5
    assert spread["mismatch"] - spread[""] > 3 * (spread["weight_noise"] - spread[""])
    assert spread["mismatch"] - spread[""] > 0.5
    assert found["mismatch"].mean() < 2 * found[""].mean()


def spikey_network(n=20, inputs=10, weight=0.01, **parameters):
    network = Network().population("a", n, "IF_cond_exp", parameters)
    network = network.population("in", inputs, "SpikeSourcePoisson", {"rate": 20.0})
    return network.project("in", "a", AllToAll(), weight, delay=1.0)


def test_spikey_rounds_at_random_and_right_on_average():
    """Weights of 0.37 of the largest: 5.55 codes of 15; five in 0.45, six in 0.55 of the synapses."""
    weights = np.where(np.arange(3800) == 0, 0.015, 0.00555)
    program = workbench.map_network(spikey_network(380, 10, weights), SPIKEY)
    codes = program.payload.table.columns["code"].astype(int)
    assert sorted(set(codes.tolist())) == [5, 6, 15]
    assert abs((codes == 6).mean() - 0.55) < 4 * np.sqrt(0.25 / 3799)
    again = workbench.map_network(spikey_network(380, 10, weights), SPIKEY)
    assert (again.payload.table.columns["code"] == program.payload.table.columns["code"]).all()


def test_spikey_shares_its_voltages_and_says_so():
    network = spikey_network(20, v_thresh=np.where(np.arange(20) < 10, -50.0, -52.0))
    program = workbench.map_network(network, SPIKEY)
    assert (program.payload.parameters["a"]["v_thresh"] == -51.0).all()
    assert program.report.lost("parameters shared") == 20
    assert workbench.map_network(spikey_network(20), SPIKEY).report.lost("parameters shared") == 0


def test_spikey_has_a_row_for_each_source_and_one_membrane_at_a_time():
    assert workbench.map_network(spikey_network(10, 256), SPIKEY).payload
    with pytest.raises(DoesNotFit, match="needs 257 rows"):
        workbench.map_network(spikey_network(10, 257), SPIKEY)
    program = workbench.map_network(spikey_network(10), SPIKEY, record={"a": {"v": 3}})
    assert any("3 runs" in note for note in program.report.notes)
    with pytest.raises(DoesNotFit, match="384"):
        workbench.map_network(spikey_network(385), SPIKEY)


def dynap_network(n=10, inputs=64, **parameters):
    network = Network().population("a", n, "DPI_exp", parameters)
    network = network.population("in", inputs, "SpikeSourcePoisson", {"rate": 20.0})
    return network.project("in", "a", AllToAll(), 0.1, delay=0.0)


def test_dynapse2_has_64_words_for_each_neuron_of_either_sign():
    network = dynap_network(10, 40)
    both = network.project("in", "a", FromList(np.arange(24), np.zeros(24, int)), -0.1, delay=0.0)
    assert workbench.map_network(both, DYNAP).payload
    with pytest.raises(DoesNotFit, match=r"needs 65 rows.*largest fan-in is 65, of neuron 0 in 'a'"):
        workbench.map_network(dynap_network(10, 65), DYNAP)


def test_dynapse2_tells_2048_sources_apart():
    pairs = FromList(np.arange(2049), np.arange(2049) % 250)
    network = Network().population("a", 250, "DPI_exp").population("in", 2049, "SpikeSourceArray")
    with pytest.raises(DoesNotFit, match="listen to 2049 sources"):
        workbench.map_network(network.project("in", "a", pairs, 0.1, delay=0.0), DYNAP)


def test_dynapse2_parameters_belong_to_a_core():
    program = workbench.map_network(dynap_network(300, 10, tau_m=np.linspace(10, 30, 300)), DYNAP)
    tau_m = program.payload.parameters["a"]["tau_m"]
    assert np.unique(tau_m).size == 2
    assert program.report.lost("parameters shared") >= 298


def test_the_spread_of_tau_m_on_dynapse_falls_with_its_value():
    """18.5 % at 20 ms, 9.5 % at 50 ms, 8 % from 61 ms on."""
    for tau, spread in ((20.0, 0.185), (50.0, 0.095), (80.0, 0.08)):
        chip = workbench.fabricate(DYNAP, 3)
        chip.load(program := workbench.map_network(dynap_network(2000, 1, tau_m=tau), DYNAP))
        found = chip.parameters(program)["a"]["tau_m"] / tau
        assert found.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * 2000))


def test_a_current_mode_neuron_charges_and_fires():
    """Below its rheobase a membrane comes to g (I_in - I_tau) plus feedback; above it fires the faster the more flows."""
    network = Network().population("a", 4, "DPI_exp", {"i_offset": [0.0, 0.01, 0.05, 0.2], "tau_refrac": 1.0})
    program = workbench.map_network(network, DYNAP.ideal(), record={"a": {"v": "all"}})
    recording = workbench.run(program, workbench.fabricate(DYNAP.ideal()), 1000.0)
    counts = np.bincount(recording.spikes["a"][1], minlength=4)
    assert (np.diff(counts[1:]) > 0).all()
    assert counts[0] == 0
    leak = 3e-3 * 25.0 / (0.705 * 20.0)
    v = recording.traces["a"]["v"][-1, 1] if counts[1] == 0 else None
    if v is not None:
        current, g = 5e-4 * np.exp(0.705 * v / 25.0), 4.0
        feedback = 5e-4 * (current / 5e-4) ** (0.705 / 1.705)
        assert g * (0.01 - leak) + feedback / leak * (current + g * leak) - current == pytest.approx(0.0, abs=1e-4)


def test_one_to_one_chains_run_on_every_device():
    for device, model, weight in ((SPIKEY, "IF_cond_exp", 0.05), (DYNAP, "DPI_exp", 2.0)):
        network = Network().population("a", 5, model).population("in", 5, "SpikeSourcePoisson", {"rate": 200.0})
        network = network.project("in", "a", OneToOne(), weight, delay=1.0)
        recording = workbench.run(workbench.map_network(network, device), workbench.fabricate(device, 1), 500.0)
        assert recording.spikes["a"][0].size > 5
