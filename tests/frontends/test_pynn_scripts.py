"""PyNN scripts as they are: run on a chip, or taken for the network that they build."""

import sys

import numpy as np
import pytest

from neurohw.connections import FromList
from neurohw.device import load_device
from neurohw.errors import BadInput, Unsupported
from neurohw.frontends.pynn.capture import capture, run_script

VOGELS_ABBOTT = """
# Vogels & Abbott 2005 by the benchmark of Brette et al. 2007, with 200 neurons
{imports}
from pyNN.random import NumpyRNG, RandomDistribution

n, r_ei, pconn, dt, tstop, delay = 200, 4.0, 0.2, 0.1, 200.0, 0.2
n_exc = int(round(n * r_ei / (1 + r_ei)))
sim.setup(timestep=dt, min_delay=delay, max_delay=1.0, threads=1)
params = dict(tau_m=20.0, tau_syn_E=5.0, tau_syn_I=10.0, v_rest=-49.0, v_reset=-60.0, v_thresh=-50.0,
              cm=0.2, tau_refrac=5.0)
exc = sim.Population(n_exc, sim.IF_curr_exp(**params), label="Excitatory")
inh = sim.Population(n - n_exc, sim.IF_curr_exp(**params), label="Inhibitory")
rng = NumpyRNG(seed=98765, parallel_safe=True)
uniform = RandomDistribution("uniform", low=-60.0, high=-50.0, rng=rng)
exc.initialize(v=uniform)
inh.initialize(v=uniform)
connector = sim.FixedProbabilityConnector(pconn, rng=rng)
exc_syn, inh_syn = sim.StaticSynapse(weight=0.0324, delay=delay), sim.StaticSynapse(weight=-0.18, delay=delay)
projections = [sim.Projection(a, b, connector, syn, receptor_type=kind)
               for a, syn, kind in ((exc, exc_syn, "excitatory"), (inh, inh_syn, "inhibitory")) for b in (exc, inh)]
exc.record("spikes")
inh.record("spikes")
exc[0, 1].record("v")
sim.run(tstop)
print("synapses", sum(p.size() for p in projections))
print("rate", exc.mean_spike_count() * 1000.0 / tstop, inh.mean_spike_count() * 1000.0 / tstop)
assert exc.get_data().segments[0].filter(name="v")[0].shape == (2001, 2)
sim.end()
"""
IMPORT = "import neurohw.pynn as sim"
BY_NAME = "from pyNN.utility import get_simulator\nsim, options = get_simulator()"


def written(path, text):
    path.write_text(text)
    return path


@pytest.fixture
def script(tmp_path):
    return written(tmp_path / "va.py", VOGELS_ABBOTT.format(imports=IMPORT))


def test_vogels_abbott_runs_unmodified(script, capsys):
    ideal = load_device("spinnaker-spin5").ideal()
    report = run_script(script, device=ideal)
    on_ideal = capsys.readouterr().out
    assert "spinnaker-spin5 ideal" in report
    rates = [float(text) for text in on_ideal.split("rate")[1].split()]
    assert all(2.0 < rate < 40.0 for rate in rates)
    run_script(script)
    assert capsys.readouterr().out == on_ideal, "the reference gives the same spike counts"


def test_a_script_that_asks_for_its_simulator_by_name(tmp_path, script, capsys):
    ideal = load_device("spinnaker-spin5").ideal()
    by_name = written(tmp_path / "by_name.py", VOGELS_ABBOTT.format(imports=BY_NAME))
    run_script(by_name, ["neurohw"], device=ideal)
    named = capsys.readouterr().out
    run_script(script, device=ideal)
    assert capsys.readouterr().out == named
    assert "pyNN.neurohw" not in sys.modules


def test_a_script_may_choose_its_own_device(tmp_path):
    own = written(tmp_path / "own.py", f"{IMPORT}\nsim.setup(1.0, device='spinnaker-spin5')\n" + SMALL)
    assert run_script(own, device="reference").startswith("spinnaker-spin5")


SMALL = "cells = sim.Population(3, sim.IF_cond_exp(), label='cells')\nsim.run(10.0)\nprint('after')\n"


def test_capture_takes_the_network_at_the_first_run(script, capsys):
    network = capture(script)
    assert network.name == "va"
    assert capsys.readouterr().out == ""
    assert {name: p.size for name, p in network.populations.items()} == {"Excitatory": 160, "Inhibitory": 40}
    assert network.populations["Excitatory"].parameters["v_rest"] == -49.0
    assert np.ptp(network.populations["Excitatory"].initial["v"]) > 5.0
    assert len(network.projections) == 4
    first = next(iter(network.projections.values()))
    assert isinstance(first.rule, FromList)
    assert (first.weight, first.delay, first.receptor) == (0.0324, 0.2, "excitatory")
    expected = 0.2 * 160 * 160
    assert abs(first.rule.pre.size - expected) < 4 * np.sqrt(0.8 * expected)
    again = capture(script)
    assert np.array_equal(next(iter(again.projections.values())).rule.pre, first.rule.pre)


def test_what_a_captured_script_prints_is_printed(tmp_path, capsys):
    text = f"import sys\n{IMPORT}\nsim.setup()\nprint('before', sys.argv[1:])\ntry:\n" + "".join(
        f"    {line}\n" for line in SMALL.splitlines()
    )
    script = written(tmp_path / "loud.py", text + "except Exception:\n    print('caught')\n")
    argv = list(sys.argv)
    assert list(capture(script, ["--fast", 3]).populations) == ["cells"]
    assert capsys.readouterr().out == "before ['--fast', '3']\n"
    assert sys.argv == argv


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = 1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
        ("sim.Population(3, sim.IF_cond_exp(tau=1))\nsim.run(1)\n", "line 3: NonExistentParameterError"),
        ("def f():\n    return undefined\n\nf()\n", "line 4: NameError"),
        ("if True\n", "line 3: expected ':'"),
        ("raise SystemExit(3)\n", "stopped before its first run.., with exit status 3"),
        ("sim.Population(3, sim.IF_cond_exp())\n", "ended without run"),
        ("import no_such_module\n", "line 3: ModuleNotFoundError"),
        ("p = sim.Population(3, sim.IF_curr_exp())\np.set(tau_m=-1.0)\nsim.run(1)\n", "line 5: .*tau_m"),
    ],
)
def test_errors_name_the_script_and_the_line(tmp_path, body, message):
    script = written(tmp_path / "faulty.py", f"{IMPORT}\nsim.setup()\n{body}")
    with pytest.raises(BadInput, match=f"faulty.py: {message}"):
        capture(script)


def test_what_a_chip_lacks_is_told_with_the_line(tmp_path):
    script = written(tmp_path / "hh.py", f"{IMPORT}\nsim.setup()\nsim.HH_cond_exp()\n")
    with pytest.raises(Unsupported, match=r"hh.py: line 3: neurohw has no HH_cond_exp"):
        run_script(script)
    with pytest.raises(BadInput, match="there is no such file"):
        run_script(tmp_path / "absent.py")
