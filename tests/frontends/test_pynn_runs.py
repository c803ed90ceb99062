"""Runs of the PyNN backend: recording, going on, reset, currents, and changes in mid-run."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import neurohw.pynn as sim
from neurohw.device import load_device

IDEAL = load_device("spinnaker-spin5").ideal()


@pytest.fixture(autouse=True)
def fresh():
    sim.setup(timestep=0.1, device=IDEAL)
    yield
    sim.setup()


def driven(n=3, **parameters):
    """Neurons that spike by themselves, each at its own rate."""
    return sim.Population(n, sim.IF_curr_exp(i_offset=np.linspace(0.8, 1.5, n), **parameters), label="driven")


def test_recorded_data_have_pynns_shapes():
    cells = driven(4)
    cells.record("spikes")
    cells[1:3].record(["v", "isyn_exc"])
    sim.run(50.0)
    segment = cells.get_data().segments[0]
    assert len(segment.spiketrains) == 4
    v = segment.filter(name="v")[0]
    assert v.shape == (501, 2)
    assert str(v.units.dimensionality) == "mV"
    assert_array_equal(v.array_annotations["channel_index"], [1, 2])
    assert v[0, 0] == -65.0 * v.units
    assert float(v.times[-1]) == pytest.approx(50.0)
    counts = cells.get_spike_counts()
    assert [counts[cell] for cell in cells] == [len(train) for train in segment.spiketrains]
    assert sum(counts.values()) == 4 * cells.mean_spike_count() > 0


def test_sampling_interval_and_late_recording():
    cells = driven(2)
    cells[:1].record("v", sampling_interval=0.5)
    sim.run(10.0)
    cells.record("v")
    sim.run(10.0)
    v = cells.get_data().segments[0].analogsignals[0]
    assert v.shape == (41, 2)
    assert not np.isnan(v.magnitude[:, 0]).any()
    assert_array_equal(np.isnan(v.magnitude[:, 1]), np.arange(41) < 20)
    with pytest.raises(ValueError, match="no multiple of the time step"):
        sim.Population(1, sim.IF_cond_exp()).record("v", sampling_interval=0.25)


def test_data_that_were_cleared_do_not_come_back():
    cells = driven()
    cells.record(["spikes", "v"])
    sim.run(20.0)
    first = cells.get_data(clear=True).segments[0]
    sim.run(20.0)
    second = cells.get_data().segments[0]
    assert float(second.analogsignals[0].t_start) == pytest.approx(20.0)
    assert second.analogsignals[0].shape == (201, 3)
    assert_array_equal(first.analogsignals[0][-1], second.analogsignals[0][0])
    assert all((train.magnitude >= 20.0).all() for train in second.spiketrains)


def test_going_on_is_one_long_run():
    def build():
        sim.setup(timestep=0.1, device=IDEAL)
        cells = driven(5)
        source = sim.Population(5, sim.SpikeSourcePoisson(rate=100.0))
        sim.Projection(source, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.3, delay=2.0))
        sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.5))
        sim.ACSource(amplitude=0.2, start=3.0, stop=40.0, frequency=50.0).inject_into(cells[:2])
        cells.record(["spikes", "v", "isyn_exc"])
        return cells

    cells = build()
    for length in (0.1, 9.9, 25.0, 25.0):
        sim.run(length)
    pieces = cells.get_data().segments[0]
    cells = build()
    sim.run(60.0)
    whole = cells.get_data().segments[0]
    for name in ("v", "isyn_exc"):
        assert_array_equal(pieces.filter(name=name)[0].magnitude, whole.filter(name=name)[0].magnitude)
    for a, b in zip(pieces.spiketrains, whole.spiketrains, strict=True):
        assert_array_equal(a.magnitude, b.magnitude)


def test_reset_is_a_new_segment_and_the_next_trial():
    cells, source = driven(2), sim.Population(20, sim.SpikeSourcePoisson(rate=200.0))
    cells.record("v")
    source.record("spikes")
    for _ in range(2):
        sim.run(20.0)
        sim.reset()
    sim.run(20.0)
    assert len(cells.get_data().segments) == 3
    a, b, c = (segment.analogsignals[0].magnitude for segment in cells.get_data().segments)
    assert_array_equal(a, b)
    assert_array_equal(a, c)
    trains = [np.concatenate([t.magnitude for t in s.spiketrains]) for s in source.get_data().segments]
    assert not np.array_equal(trains[0], trains[1])
    sim.setup(timestep=0.1, device=IDEAL, trial=1)
    source = sim.Population(20, sim.SpikeSourcePoisson(rate=200.0), label=source.label)
    source.record("spikes")
    sim.run(20.0)
    again = np.concatenate([t.magnitude for t in source.get_data().segments[0].spiketrains])
    assert_array_equal(again, trains[1])


def test_currents_flow_and_are_recorded():
    cells = sim.Population(4, sim.IF_curr_exp(v_thresh=0.0))
    cells.record("v")
    sources = [
        sim.DCSource(amplitude=0.5, start=5.0, stop=15.0),
        sim.StepCurrentSource(times=[5.0, 7.01, 7.04], amplitudes=[0.5, 9.0, 1.0]),
        sim.ACSource(amplitude=0.5, offset=0.1, start=5.0, stop=15.0, frequency=100.0, phase=90.0),
        sim.NoisyCurrentSource(mean=0.5, stdev=0.1, start=5.0, stop=15.0, dt=0.5),
    ]
    for cell, source in zip(cells, sources, strict=True):
        cell.inject(source)
        source.record()
    sim.run(10.0)
    sim.run(10.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude
    assert v.shape == (201, 4)
    assert_array_equal(v[:51], -65.0)
    assert (v[51] > -65.0).all()
    direct, step, wave, noise = (source.get_data().magnitude[:, 0] for source in sources)
    assert {current.size for current in (direct, step, wave, noise)} == {201}
    assert_array_equal(np.flatnonzero(direct), np.arange(50, 150))
    assert_array_equal(np.unique(step), [0.0, 0.5, 1.0])
    assert step[70] == 1.0
    assert wave[50] == pytest.approx(0.6)
    assert wave[100] == pytest.approx(0.1 - 0.5)
    assert np.unique(noise[50:150]).size == 20
    with pytest.raises(TypeError, match="spike source"):
        sources[0].inject_into(sim.Population(1, sim.SpikeSourceArray()))
    with pytest.raises(ValueError, match="monotonically increasing"):
        sim.StepCurrentSource(times=[2.0, 1.0], amplitudes=[1.0, 2.0])


def changing_experiment(device):
    """A run in which everything that can change in mid-run does."""
    sim.setup(timestep=0.1, device=device)
    cells = sim.Population(2, sim.IF_curr_exp(i_offset=1.0))
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[1.0, 2.0, 9.9]))
    inputs = sim.Projection(source, cells, sim.OneToOneConnector(), sim.StaticSynapse(weight=1.0, delay=2.0))
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.0))
    cells.record("v")
    sim.run(10.0)
    cells.set(i_offset=0.0)
    source.set(spike_times=[12.0, 12.01])
    inputs.set(weight=2.0)
    sim.run(10.0)
    current = sim.DCSource(amplitude=1.0)
    current.inject_into(cells[:1])
    late = sim.Population(1, sim.IF_cond_exp())
    late.record("v")
    sim.Projection(cells, late, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=0.3))
    cells.record("isyn_exc")
    sim.run(30.0)
    current.amplitude = 2.0
    sim.run(5.0)
    signals = cells.get_data().segments[0].analogsignals + late.get_data().segments[0].analogsignals
    sim.reset()
    sim.run(5.0)
    again = cells.get_data().segments[1].filter(name="v")[0].magnitude
    return [signal.magnitude for signal in sorted(signals, key=lambda signal: signal.name)] + [again]


def test_changes_in_mid_run_are_the_same_on_the_reference():
    for ideal, reference in zip(changing_experiment(IDEAL), changing_experiment("reference"), strict=True):
        assert_allclose(ideal, reference, rtol=0, atol=1e-9)


@pytest.mark.parametrize("device", ["spinnaker-spin5", "pcm-set"])
def test_a_chip_goes_on_after_a_change(device):
    """The state is carried over: nothing but the slope of v changes where the current does."""
    sim.setup(timestep=1.0, device=device)
    cells = sim.Population(2, sim.IF_curr_exp(v_thresh=0.0, i_offset=0.5))
    cells.record("v")
    sim.run(30.0)
    cells.set(i_offset=0.0)
    sim.run(30.0)
    v = cells.get_data().segments[0].analogsignals[0].magnitude
    assert v[30, 0] > -60.0
    assert abs(v[31] - v[30]).max() < 0.6
    assert (np.diff(v[:31], axis=0) > 0).all()
    assert (np.diff(v[31:], axis=0) < 0).all()


def test_initialize_in_mid_run_waits_for_reset():
    cells = driven()
    cells.record("v")
    sim.run(1.0)
    with pytest.warns(UserWarning, match="at 1 ms takes effect at the next reset"):
        cells.initialize(v=-70.0)
    sim.reset()
    sim.run(1.0)
    assert_array_equal(cells.get_data().segments[1].analogsignals[0].magnitude[0], -70.0)


def test_sources_alone_and_nothing_at_all():
    sim.run(5.0)
    assert sim.get_current_time() == pytest.approx(5.0)
    sim.setup(timestep=0.1, device=IDEAL)
    source = sim.Population(2, sim.SpikeSourceArray(spike_times=[[1.0, 2.04], [3.0]]))
    source.record("spikes")
    sim.run(5.0)
    assert [train.magnitude.tolist() for train in source.get_data().segments[0].spiketrains] == [[1.0, 2.0], [3.0]]
    assert "1 of 3 spike times lie between time steps" in sim.report()


def test_report_names_every_approximation():
    assert "Nothing has run yet" in sim.report()
    sim.setup(timestep=1.0, device="spinnaker-spin5", threads=4)
    cells = driven()
    sim.Projection(cells, cells, sim.AllToAllConnector(), sim.StaticSynapse(weight=0.1, delay=1.3))
    sim.run(5.0)
    text = sim.report()
    assert text.startswith("spinnaker-spin5, specimen 0")
    assert "delays moved: 9 of 9" in text
    assert "took no notice of threads" in text
    assert "run 0 to 5 ms" in text


def test_callbacks_see_the_clock():
    seen = []
    driven()

    def callback(t):
        seen.append(round(t, 9))
        return t + 2.0

    sim.run(6.0, callbacks=[callback])
    assert seen == [0.0, 2.0, 4.0, 6.0]
