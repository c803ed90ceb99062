"""The command line against bad and hostile input: status 2, one line that names place and remedy, nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from neurohw import cli, data_files, files, networks, recording_files, workbench
from neurohw.errors import DoesNotFit
from neurohw.mapping import ChipEntry, MappingFile, ReferenceEntry, StimulusEntry, SweepEntry, load_mapping
from neurohw.study.statistics import STATISTICS

MAPPING = """\
network: {name: synfire_chain, seed: 1}
duration: 5 ms
chips:
  - {device: spinnaker-spin3, dt: 1 ms}
"""
SCRIPT = """\
import pyNN.neurohw as sim
sim.setup(timestep=1.0)
cells = sim.Population(4, sim.IF_curr_exp())
sim.run(5.0)
"""
SPIN3 = data_files.find("devices", "spinnaker-spin3").read_text(encoding="utf-8")


def changed(old: str, new: str, text: str = MAPPING) -> str:
    assert old in text
    return text.replace(old, new, 1)


def network(section: str) -> str:
    return changed("{name: synfire_chain, seed: 1}", section)


def chips(*entries: str) -> str:
    listed = "".join(f"\n  - {entry}" for entry in entries) or " []"
    return changed("\n  - {device: spinnaker-spin3, dt: 1 ms}", listed)


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """call(argv, **files) -> (status, stdout, stderr, the files that are new), run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # put back what main() sets

    def run(*argv, **content):
        for name, text in content.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        before = set(tmp_path.rglob("*"))
        monkeypatch.setattr(sys, "argv", ["neurohw", *argv])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        shown = capsys.readouterr()
        return stopped.value.code, shown.out, shown.err, sorted(set(tmp_path.rglob("*")) - before)

    return run


def refused(result, *fragments: str) -> None:
    """Status 2, exactly one printable line on stderr with these words, and no new file."""
    status, _, err, new = result
    assert status == 2, err
    assert err.startswith("neurohw: ")
    assert err.endswith("\n")
    assert err[:-1].isprintable()
    assert len(err) < 2500
    assert new == []
    for fragment in fragments:
        assert fragment in err


YAML = {
    "unknown key": (MAPPING + "colour: red\n", "m.yaml: colour: unknown key", "there are network, duration"),
    "misspelled key": (MAPPING + "trails: 3\n", "trails: unknown key", "did you mean 'trials'"),
    "unknown key inside": (chips("{device: spinnaker-spin3, sed: 1}"), "chips.0.sed: unknown key", "'seed'"),
    "tag that asks for code": (
        MAPPING + "x: !!python/object/apply:os.system ['touch pwned']\n",
        "tags are not allowed",
        "line 5",
    ),
    "tag": (MAPPING + "x: !!binary x\n", "tags are not allowed", "line 5"),
    "the same key twice": (MAPPING + "duration: 2 ms\n", "'duration'", "stands twice", "line 5"),
    "alias bomb": ("a: &a [1, 1]\nb: [*a, *a]\n", "aliases are not allowed", "line 2"),
    "merge key": (MAPPING + "<<: {a: 1}\n", "not valid YAML", "line 5"),
    "deep lists": ("a: " + "[" * 5000, "nested too deeply"),
    "deep keys": ("a: " + "{a: " * 3000, "nested too deeply"),
    "integer of thousands of digits": (changed("seed: 1", "seed: " + "9" * 6000), "not valid YAML", "line 1"),
    "impossible date": (changed("5 ms", "2024-13-45"), "not valid YAML", "line 2"),
    "empty file": ("", "expected keys such as network"),
    "only comments": ("# nothing\n", "expected keys such as network"),
    "list": ("- 1\n", "expected keys such as network"),
    "two documents": (MAPPING + "---\n" + MAPPING, "single document"),
    "tab": ("network:\n\t- a\n", "line 2"),
    "null character": ("a: \0", "not valid YAML"),
    "not UTF-8": (b"# caf\xe9\n" + MAPPING.encode(), "m.yaml: cannot be read", "UTF-8"),
    "UTF-16": (MAPPING.encode("utf-16"), "cannot be read", "UTF-8"),
    "binary": (bytes(range(256)), "cannot be read"),
    "a megabyte": (MAPPING + "#" * 1_000_000, "at most 1000000"),
    "number as key": (MAPPING + "1: 2\n", "m.yaml: 1: "),
    "list as key": (MAPPING + "[1, 2]: 2\n", "not a plain word"),
    "terminal escape in a key": (MAPPING + '"\\e[31mred": 2\n', "cannot be printed", "line 5"),
    "right-to-left override": (MAPPING + '"a\\u202Eb": 2\n', "cannot be printed", "line 5"),
    "very long key": (MAPPING + '"' + "x" * 900 + '": 2\n', "unknown key"),
    "very long name": (chips("{device: " + "x" * 100_000 + "}"), "chips.0", "spinnaker-spin5"),
}


@pytest.mark.parametrize("case", YAML)
def test_malformed_mapping(call, case):
    text, *fragments = YAML[case]
    refused(call("run", "m.yaml", m__yaml=text), *fragments)


VALUES = {
    "bare duration": (changed("5 ms", "5"), "duration", "no unit", "'5 ms'"),
    "wrong unit": (changed("5 ms", "5 mV"), "duration", "'5 mV' is not a quantity in ms"),
    "unknown unit": (changed("5 ms", "5 blurb"), "duration", "cannot read '5 blurb'"),
    "NaN with a unit": (changed("5 ms", "nan ms"), "duration", "cannot read 'nan ms'"),
    "NaN": (changed("5 ms", ".nan"), "duration", "no unit"),
    "infinite": (changed("5 ms", "1e400 s"), "duration", "not a finite number"),
    "expression": (changed("5 ms", "9**9**9 ms"), "duration", "cannot read"),
    "null": (changed("5 ms", "null"), "duration", "expected text with a number and a unit"),
    "zero": (changed("5 ms", "0 ms"), "duration", "must be > 0"),
    "negative": (changed("5 ms", "-1 ms"), "duration", "must be > 0"),
    "below a time step": (changed("5 ms", "0.4 ms"), "spinnaker-spin3", "shorter than one time step of 1 ms"),
    "a year": (changed("5 ms", "1 year"), "3.156e+10 steps", "GiB", "shorter pieces"),
    "beyond all bounds": (changed("5 ms", "1e300 s"), "duration", "beyond 1e+15 ms"),
    "too many trials": (MAPPING + "trials: 1000000000\n", "trials", "10000"),
    "no trials": (MAPPING + "trials: 0\n", "trials", "1"),
    "half a trial": (MAPPING + "trials: 1.5\n", "trials: expected a whole number"),
    "no statistic": (MAPPING + "measure: []\n", "measure", "is empty"),
    "unknown statistic": (MAPPING + "measure: [rate]\n", "measure: no statistic 'rate'", "rates"),
    "one statistic twice": (MAPPING + "measure: [rates, rates]\n", "'rates' stands twice"),
    "statistic as text": (MAPPING + "measure: rates\n", "measure: expected a list"),
    "all is discarded": (MAPPING + "discard: 5 ms\n", "discard 5 ms leaves nothing"),
    "negative discard": (MAPPING + "discard: -1 ms\n", "discard: must be >= 0"),
    "bad time step": (chips("{device: spinnaker-spin3, dt: 0 ms}"), "chips.0.dt: must be > 0"),
    "tiny time step": (chips("{device: spinnaker-spin3, dt: 1e-9 ms}"), "at least 0.001 ms"),
    "huge time step": (chips("{device: spinnaker-spin3, dt: 1e9 s}"), "m.yaml: chip 'spinnaker-spin3 at 1e+12 ms'"),
    "no chips": (chips(), "m.yaml: chips: there are none", "{device: spinnaker-spin5}"),
    "null chip": (chips("null"), "chips.0: expected keys and values"),
    "chip as text": (chips("spinnaker-spin3"), "chips.0: expected keys and values"),
    "chip without device": (chips("{seed: 1}"), "chips.0.device: missing"),
    "no such device": (chips("{device: spinaker-spin3}"), "chips.0", "did you mean 'spinnaker-spin3'"),
    "device file missing": (chips("{device: ./nope.yaml}"), "chips.0", "does not exist"),
    "device file of another kind": (chips("{device: m.yaml}"), "chips.0: m.yaml", "substrate: missing"),
    "two chips of one name": (chips("{device: spinnaker-spin3, name: a}", "{device: pcm-set, name: a}"), "chips.1", "'a'"),
    "chip called reference": (chips("{device: spinnaker-spin3, name: reference}"), "'reference'", "another name"),
    "empty name": (chips("{device: spinnaker-spin3, name: ''}"), "chips.0.name", "is empty"),
    "long name": (chips("{device: spinnaker-spin3, name: " + "x" * 101 + "}"), "chips.0.name", "100"),
    "negative seed": (chips("{device: spinnaker-spin3, seed: -1}"), "chips.0.seed"),
    "unknown choice": (chips("{device: spinnaker-spin3, choices: {neurons: 1}}"), "chip 'spinnaker-spin3'", "neurons: unknown key", "neurons_per_core"),
    "bad choice": (chips("{device: spinnaker-spin3, choices: {neurons_per_core: many}}"), "neurons_per_core: expected a whole number"),
    "effect it has not": (chips("{device: spinnaker-spin3, without: [drift]}"), "no effect 'drift' to leave out"),
    "unknown effect": (chips("{device: spinnaker-spin3, without: [rust]}"), "no effect 'rust'", "drift"),
    "unknown number": (chips("{device: spinnaker-spin3, with: {rust: 1}}"), "'rust'", "cores_per_chip"),
    "NaN for a number": (chips("{device: pcm-set, with: {g_max: .nan}}"), "chips.0.with.g_max"),
    "number out of range": (chips("{device: pcm-set, with: {g_max: -1}}"), "g_max", "outside"),
    "negative age": (chips("{device: pcm-set, age: -1 day}"), "chips.0.age: must be >= 0"),
    "reference choice": (MAPPING + "reference: {choices: {target: fast}}\n", "m.yaml: reference: ", "target", "numpy"),
    "record: no such population": (MAPPING + "record: {nope: [v]}\n", "m.yaml: record: no population 'nope'", "exc1"),
    "record: no such variable": (MAPPING + "record: {exc1: [w]}\n", "'exc1' has no 'w'", "gsyn_exc"),
    "record: nobody has it": (MAPPING + "record: {all: [w]}\n", "no population has 'w'", "gsyn_exc"),
    "record: none": (MAPPING + "record: {exc1: {v: 0}}\n", "exc1: v", ">= 1"),
    "record: no such neuron": (MAPPING + "record: {exc1: {v: [100]}}\n", "0..99"),
    "record: a number": (MAPPING + "record: {exc1: 5}\n", "record: exc1: expected variables", "{v: 10}"),
    "record: lists in lists": (MAPPING + "record: {exc1: [[1]]}\n", "record: exc1: expected variables"),
    "stimulus: no source": (MAPPING + "stimulus: {exc1: {unit: ms, times: [1]}}\n", "'exc1' is no SpikeSourceArray", "there are stimulus"),
    "stimulus: without unit": (MAPPING + "stimulus: {stimulus: {times: [1]}}\n", "stimulus.stimulus.unit: missing"),
    "stimulus: wrong unit": (MAPPING + "stimulus: {stimulus: {unit: mV, times: [1]}}\n", "not a quantity in ms"),
    "stimulus: NaN": (MAPPING + "stimulus: {stimulus: {unit: ms, times: [.nan]}}\n", "stimulus.stimulus.times.0"),
    "stimulus: negative": (MAPPING + "stimulus: {stimulus: {unit: ms, times: [-1]}}\n", "spike times must be finite"),
    "stimulus: 1e300": (MAPPING + "stimulus: {stimulus: {unit: ms, times: [1e300]}}\n", "spike times must be finite"),
    "stimulus: no such neuron": (MAPPING + "stimulus: {stimulus: {unit: ms, times: [1], neurons: 100}}\n", "0..99"),
    "stimulus: huge index": (MAPPING + "stimulus: {stimulus: {unit: ms, times: [1], neurons: 99999999999999999999}}\n", "stimulus"),
    "stimulus: indices and times": (MAPPING + "stimulus: {stimulus: {unit: ms, times: [1], neurons: [0, 1]}}\n", "1 spike times but 2 indices"),
    "network: neither": (network("{}"), "m.yaml: network: write exactly one of"),
    "network: both": (network("{name: a, nir: b}"), "m.yaml: network: write exactly one of"),
    "network: no such": (network("{name: vogels}"), "no network 'vogels'", "vogels_abbott"),
    "network: unknown parameter": (network("{name: synfire_chain, colour: 1}"), "no parameter 'colour'", "groups=6"),
    "network: wrong kind of parameter": (network("{name: vogels_abbott, n: 1.5}"), "n is a whole number, got 1.5"),
    "network: wrong unit": (network("{name: vogels_abbott, stimulus_weight: 5 mV}"), "'5 mV' is not a quantity in uS"),
    "network: NaN": (network("{name: vogels_abbott, w_exc: .nan}"), "not a finite number"),
    "network: negative delay": (network("{name: vogels_abbott, delay: -1 ms}"), "delay -1 ms is negative"),
    "network: negative rate": (network("{name: vogels_abbott, stimulus_rate: -5}"), "rate: -5 Hz is negative"),
    "network: a rate of terahertz": (network("{name: vogels_abbott, n: 500, stimulus_rate: 1e12}"), "'stimulus'", "1e+12 Hz", "lower rate"),
    "network: too big for the device": (network("{name: vogels_abbott, n: 200000}"), "needs 783 cores", "there are 63"),
    "network: too big for any computer": (network("{name: vogels_abbott, n: 10000000000000}"), "GiB", "smaller"),
    "network: a delay of days": (network("{name: vogels_abbott, n: 400, delay: 1e9 ms}"), "a delay of 1e+09 ms", "GiB", "shorter"),
    "model that the device lacks": (
        chips("{device: brainscales1-wafer}").replace("synfire_chain, seed: 1", "vogels_abbott, synapses: current"),
        "brainscales1-wafer has no IF_curr_exp", "it has IF_cond_exp",
    ),
    "NIR: no such file": (network("{nir: nope.nir, dt: 1 ms}"), "nope.nir: there is no such file"),
    "NIR: no time step": (network("{nir: nope.nir}"), "m.yaml: network.dt", "dt: 0.1 ms"),
    "NIR: not one": (network("{nir: m.yaml, dt: 1 ms}"), "m.yaml: cannot be read as a NIR file"),
    "NIR: unknown option": (network("{nir: m.yaml, dt: 1 ms, foo: 1}"), "unknown foo", "integration"),
    "PyNN: no such file": (network("{pynn: nope.py}"), "nope.py: there is no such file"),
    "PyNN: arguments as text": (network("{pynn: m.py, args: abc}"), "network.args: expected a list"),
    "PyNN: unknown option": (network("{pynn: m.py, foo: 1}"), "takes only args, got foo"),
}  # fmt: skip


@pytest.mark.parametrize("case", VALUES)
def test_bad_value_in_a_mapping(call, case):
    text, *fragments = VALUES[case]
    refused(call("run", "m.yaml", "--quiet", m__yaml=text), *fragments)


def test_compare_refuses_before_it_runs(call):
    for text in (chips(), MAPPING + "discard: 9 ms\n", MAPPING + "reference: {dt: 1 s}\n"):
        refused(call("compare", "m.yaml", m__yaml=text), "m.yaml: ")


def test_recording_more_than_memory_holds(call, monkeypatch):
    monkeypatch.setattr("neurohw.kernels.budget.available_bytes", lambda: 100_000)
    text = changed("5 ms", "50 ms") + "record: {exc1: [v], exc2: [v]}\n"
    refused(call("run", "m.yaml", m__yaml=text), "recording 200 traces", "fewer neurons")


def test_more_than_a_month(call, monkeypatch):
    monkeypatch.setattr("neurohw.kernels.budget.available_bytes", lambda: 2**60)
    text = changed("5 ms", "500 hours") + "trials: 10000\n"
    refused(call("run", "m.yaml", m__yaml=text), "10000 trials", "at least", "days")


DEVICES = {
    "without source": (", source: SM, status: measured}", ", status: measured}", "expected exactly the keys value, source, status"),
    "source that is not listed": ("source: SM, status", "source: XY, status", "source 'XY' is not among sources: SM"),
    "unknown status": ("status: measured", "status: guessed", "'guessed' is none of measured, fitted, assumed"),
    "no unit": ("value: 1 ms", "value: 1", "time_step", "no unit"),
    "wrong unit": ("value: 1 ms", "value: 1 kg", "time_step", "'1 kg' is not a quantity in ms"),
    "unit where none belongs": ("value: 18,", "value: 18 ms,", "machine", "cores_per_chip", "pure number"),
    "bare number": ("{value: 18, source: SM, status: measured}", "18", "cores_per_chip", "{value: 18"),
    "out of range": ("value: 18,", "value: -18,", "cores_per_chip: -18 lies outside [1, 18]"),
    "half a core": ("value: 18,", "value: 17.5,", "cores_per_chip: 17.5 is not a whole number"),
    "trillions": ("value: 18,", "value: 4000000000000,", "cores_per_chip", "outside"),
    "NaN": ("value: 18,", "value: .nan,", "cores_per_chip", "not a finite number"),
    "reversed range": ("high: 65535 mV", "high: -65537 mV", "v_rest: low -65536 mV lies above high -65537 mV"),
    "range without a unit": ("high: 65535 mV", "high: 65535", "v_rest"),
    "unknown parameter": ("  v_rest: {", "  v_restt: {", "parameters.v_restt: no neuron model has such a parameter"),
    "unknown synapse rule": ("synapses: [StaticSynapse", "synapses: [Static", "unknown synapse rule 'Static'", "StaticSynapse"),
    "no substrate": ("substrate: spinnaker\n", "", "substrate: missing"),
    "unknown substrate": ("substrate: spinnaker", "substrate: abacus", "'abacus' is none of", "spinnaker"),
    "another substrate": ("substrate: spinnaker", "substrate: analog", "machine: array: missing"),
    "unknown effect": ("machine:\n", "effects: {rust: {}}\nmachine:\n", "effects.rust: unknown effect", "drift"),
    "unknown model": ("IF_cond_exp", "IF_cond_expo", "unknown model 'IF_cond_expo'", "IF_cond_exp"),
    "unknown key": ("machine:\n", "machine:\n  monitor_core: 1\n", "monitor_core: unknown key", "did you mean 'monitor_cores'"),
    "empty name": ("name: spinnaker-spin3", "name: ''", "name: is empty"),
    "escape in the summary": ("summary: SpiNN-3", 'summary: "\\e]0;x\\a"\nx: SpiNN-3', "cannot be printed", "line 3"),
    "tag": ("summary: SpiNN-3", "summary: !!python/name:os.system", "tags are not allowed", "line 3"),
}  # fmt: skip


@pytest.mark.parametrize("case", DEVICES)
def test_bad_device_file(call, case):
    old, new, *fragments = DEVICES[case]
    refused(call("devices", "check", "d.yaml", d__yaml=changed(old, new, SPIN3)), "d.yaml: ", *fragments)


def test_device_file_that_is_none(call, tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    refused(call("devices", "check", "folder.yaml"), "is a folder")
    refused(call("devices", "show", "d.yaml", d__yaml=bytes(range(256))), "d.yaml: cannot be read")
    refused(call("devices", "show", "pcm-millon"), "did you mean 'pcm-million'")
    refused(call("devices", "check", "\x1b[31mred.yaml"), "does not exist")


USAGE = {
    "no such command": (["fly"], "No such command 'fly'", "see neurohw --help"),
    "no such option": (["run", "m.yaml", "--fast"], "--fast", "see neurohw run --help"),
    "missing argument": (["compare"], "MAPPING", "see neurohw compare --help"),
    "too many": (["run", "a", "b"], "b", "see neurohw run --help"),
    "seed": (["run", "m.yaml", "--seed", "x"], "--seed", "integer"),
    "negative seed": (["run", "m.yaml", "--seed", "-1"], "--seed"),
    "seed of thirty digits": (["run", "m.yaml", "--seed", "9" * 30], "--seed"),
    "no such mapping": (["run", "vogels"], "there is no 'vogels'", "vogels_abbott"),
    "no such file": (["run", "./nope.yaml"], "'./nope.yaml' does not exist"),
    "a folder": (["run", "./"], "is a folder"),
    "escape in a name": (["run", "\x1b]0;x\a.yaml"], "does not exist"),
    "name of thousands": (["run", "x" * 5000], "vogels_abbott"),
    "out is a file": (["run", "m.yaml", "--out", "m.yaml"], "--out m.yaml", "give a folder"),
    "out in a file": (["compare", "m.yaml", "--out", "m.yaml/x"], "--out m.yaml/x", "give a folder"),
    "export into a file": (["map", "m.yaml", "--export", "m.yaml"], "--export m.yaml", "give a folder"),
    "init over a file": (["init", "m.yaml"], "m.yaml: exists already", "another name"),
    "init without a name": (["init", ""], "needs a name"),
    "init into nowhere": (["init", "nowhere/x.yaml"], "there is no folder nowhere"),
    "PyNN without script": (["pynn"], "see neurohw pynn --help"),
    "PyNN on no device": (["pynn", "s.py", "--device", "nope"], "s.py: line 4", "there is no 'nope'"),
}


@pytest.mark.parametrize("case", USAGE)
def test_bad_command(call, case):
    argv, *fragments = USAGE[case]
    refused(call(*argv, m__yaml=MAPPING, s__py=SCRIPT), *fragments)


@pytest.mark.skipif(
    not Path("/proc/version").exists() or not hasattr(os, "geteuid"), reason="needs a folder that nobody may write"
)
def test_out_that_cannot_be_written_is_refused_before_it_runs(call):
    refused(
        call("compare", "m.yaml", "--out", "/proc/nowhere", m__yaml=MAPPING), "cannot write there", "another folder"
    )


SCRIPTS = {
    "syntax": ("x = 1\nimport x y\n", "s.py: line 2: "),
    "null byte": ("x = 1\0\n", "s.py: "),
    "error": ("x = 1\nraise ValueError('bo\\nom \\x1b[31m')\n", "s.py: line 2: ValueError: bo om"),
    "error that is no Exception": ("class E(BaseException): pass\nraise E('x')\n", "s.py: line 2: E: x"),
    "no such module": ("import nope\n", "s.py: line 1", "nope"),
    "endless recursion": ("def f(): f()\nf()\n", "RecursionError"),
    "time step 0": (SCRIPT.replace("timestep=1.0", "timestep=0"), "s.py: line 2: setup: timestep must be > 0 ms"),
    "time step NaN": (SCRIPT.replace("timestep=1.0", "timestep=float('nan')"), "timestep must be > 0 ms"),
    "run for NaN": (SCRIPT.replace("5.0", "float('nan')"), "s.py: line 4: run: the time must be finite"),
    "run for ever": (SCRIPT.replace("5.0", "float('inf')"), "s.py: line 4: run: the time must be finite"),
    "no cells": (SCRIPT.replace("4,", "0,"), "s.py: line 3", "size must be a whole number >= 1"),
    "trillions of cells": (SCRIPT.replace("4,", "10**12,"), "s.py: line 3", "GiB", "smaller"),
    "NaN parameter": (SCRIPT.replace("exp()", "exp(tau_m=float('nan'))"), "s.py: line 4", "tau_m", "NaN"),
    "unknown parameter": (SCRIPT.replace("exp()", "exp(tau=1)"), "s.py: line 3", "tau", "tau_m"),
    "model that is not there": (SCRIPT.replace("IF_curr_exp", "HH_cond_exp"), "s.py: line 3", "HH_cond_exp", "IF_cond_exp"),
    "NaN among spike times": (SCRIPT.replace("IF_curr_exp()", "SpikeSourceArray(spike_times=[float('nan')])"), "s.py: line 3", "finite"),
}  # fmt: skip


@pytest.mark.parametrize("case", SCRIPTS)
def test_bad_script(call, case):
    text, *fragments = SCRIPTS[case]
    refused(call("pynn", "s.py", s__py=text), *fragments)
    refused(call("map", "m.yaml", s__py=text, m__yaml=network("{pynn: s.py}")), *fragments)


@pytest.mark.parametrize("text", ["import sys\nsys.exit(3)\n", "", "import pyNN.neurohw as sim\nsim.setup()\n"])
def test_script_without_a_run_is_no_network(call, text):
    refused(call("map", "m.yaml", s__py=text, m__yaml=network("{pynn: s.py}")), "s.py: ", "run()")


def test_script_that_runs_for_years(call):
    refused(call("pynn", "s.py", s__py=SCRIPT.replace("5.0", "3e10")), "s.py: line 4", "steps", "GiB")


def nir(path: Path, **changes) -> None:
    """input (2) -> w (2 x 2) -> n (LIF, 2) -> output as a NIR file; `changes`: a node's parameters, `edges` more edges."""
    lif = {"tau": 0.02, "r": 1.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": 0.0}
    nodes = {
        "input": {"type": "Input", "shape": np.array([2])},
        "w": {"type": "Linear", "weight": np.ones((2, 2))},
        "n": {"type": "LIF", **{name: np.full(2, value) for name, value in lif.items()}},
        "output": {"type": "Output", "shape": np.array([2])},
    }
    edges = [("input", "w"), ("w", "n"), ("n", "output"), *changes.pop("edges", [])]
    with h5py.File(path, "w") as file:
        file["version"] = "1.0"
        file["node/type"] = "NIRGraph"
        for name, values in nodes.items():
            for key, value in {**values, **changes.get(name, {})}.items():
                if callable(value):
                    value(file.require_group(f"node/nodes/{name}"), key)
                else:
                    file[f"node/nodes/{name}/{key}"] = value
        file["node/edges"] = np.array([[end.encode() for end in edge] for edge in edges])


def terabytes(group, key):
    group.create_dataset(key, shape=(10**6, 10**6), dtype="f8", chunks=(1000, 1000))


NIR = {
    "dangling edge": ({"edges": [("n", "nope")]}, "edge n -> nope: no node 'nope'", "there are input"),
    "terminal escape": ({"edges": [("n", "\x1b[31m")]}, "no node"),
    "wrong shape": ({"w": {"weight": np.ones((2, 3))}}, "input -> w", "gives 2 values, but w takes 3"),
    "NaN": ({"w": {"weight": np.full((2, 2), np.nan)}}, "'w': weight holds NaN"),
    "beyond all bounds": ({"w": {"weight": np.full((2, 2), 1e300)}}, "beyond 1e+15"),
    "terabytes": ({"w": {"weight": terabytes}}, "w/weight", "at most 33554432 numbers"),
    "unknown node": ({"n": {"type": "Quux"}}, "'n': no translation for Quux", "LIF"),
    "half a neuron": ({"input": {"shape": np.array([2.5])}}, "'input': shape", "whole numbers"),
    "loop without a neuron": ({"edges": [("w", "w")]}, "a loop without a neuron", "put a neuron"),
}


@pytest.mark.parametrize("case", NIR)
def test_bad_nir_file(call, tmp_path, case):
    changes, *fragments = NIR[case]
    nir(tmp_path / "f.nir", **changes)
    refused(call("run", "m.yaml", m__yaml=network("{nir: f.nir, dt: 1 ms}")), "f.nir: ", *fragments)


def test_truncated_nir_file(call, tmp_path):
    nir(tmp_path / "f.nir")
    (tmp_path / "f.nir").write_bytes((tmp_path / "f.nir").read_bytes()[:3000])
    refused(call("run", "m.yaml", m__yaml=network("{nir: f.nir, dt: 1 ms}")), "f.nir: ", "nir.write")


def test_what_is_unusual_but_sound_is_read(call):
    for text in (
        "\ufeff" + MAPPING,
        MAPPING.replace("\n", "\r\n"),
        MAPPING + "discard: 1e-3 ms\nrecord: {exc1: [v, spikes]}\n",
    ):
        status, _, err, new = call("run", "m.yaml", "--quiet", m__yaml=text)
        assert (status, err) == (0, "")
        assert new or Path("out").is_dir()


def test_hostile_names_stay_in_the_folder_and_apart(call, tmp_path):
    names = ["..", "../../x", "a/b", "a-b", "A-B", "脳" * 100, "con:|<>", "x" * 100]
    text = chips(*(f"{{device: spinnaker-spin3, dt: 1 ms, name: {json.dumps(name)}}}" for name in names))
    status, _, err, new = call("run", "m.yaml", "--quiet", "--out", "results", m__yaml=text)
    assert (status, err) == (0, "")
    recordings = [path for path in new if path.name == "trial-0.h5"]
    assert len(recordings) == len(names)
    assert all(path.parent.parent == tmp_path / "results" for path in recordings)


def test_html_in_names_is_escaped(call, tmp_path):
    script = SCRIPT.replace("exp()", "exp(i_offset=2.0), label='<script>alert(1)</script>$x_'")
    name = json.dumps("<img src=x onerror=alert(2)>$\\frac")
    text = changed(
        "{name: synfire_chain, seed: 1}", "{pynn: s.py}", chips(f"{{device: spinnaker-spin3, dt: 1 ms, name: {name}}}")
    )
    text = changed("5 ms", "40 ms", text) + "measure: [rates]\nreference: {dt: 1 ms}\ntrials: 3\n"
    status, _, err, _ = call("compare", "m.yaml", "--quiet", "--out", "o", m__yaml=text, s__py=script)
    assert (status, err) == (0, "")
    html = (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;" in html
    assert "&lt;img src=x onerror=alert(2)&gt;" in html
    assert not re.search(r"<script|<img src=x", html)
    json.loads((tmp_path / "o" / "comparison.json").read_text(encoding="utf-8"))


def interrupt(*_args, **_kwargs):
    raise KeyboardInterrupt


def full(*_args, **_kwargs):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("fault", "status", "words"), [(interrupt, 130, "interrupted"), (full, 2, "No space left")])
def test_no_half_written_recording(call, monkeypatch, fault, status, words):
    monkeypatch.setattr(recording_files, "_json_bytes", fault)
    found, _, err, new = call("run", "m.yaml", "--quiet", m__yaml=MAPPING)
    assert found == status
    assert words in err
    assert err.count("\n") == 1
    assert not [path for path in new if path.is_file()]


def test_a_run_that_fails_half_way_leaves_a_manifest_of_what_is_there(call, monkeypatch, tmp_path):
    """Two chips, two trials; the second chip fails in its second trial."""
    whole, count = workbench.run, []

    def fails(*args, **kwargs):
        count.append(1)
        if len(count) == 4:
            raise DoesNotFit("no more memory")
        return whole(*args, **kwargs)

    monkeypatch.setattr(workbench, "run", fails)
    text = chips("{device: spinnaker-spin3, dt: 1 ms}", "{device: spinnaker-spin5, dt: 1 ms}") + "trials: 2\n"
    status, _, err, new = call("run", "m.yaml", "--quiet", "--out", "o", "--seed", "7", m__yaml=text)
    assert status == 2
    assert "chip 'spinnaker-spin5 at 1 ms': no more memory" in err
    manifest = json.loads((tmp_path / "o" / "manifest.json").read_text(encoding="utf-8"))
    there = [path.relative_to(tmp_path / "o").as_posix() for path in new if path.suffix == ".h5"]
    assert sorted(manifest["recordings"]) == there
    assert [path.rsplit("/")[-1] for path in manifest["recordings"]] == ["trial-7.h5", "trial-8.h5", "trial-7.h5"]


def test_run_writes_what_cores_and_links_did(call, tmp_path):
    assert call("run", "m.yaml", "--quiet", "--out", "o", m__yaml=MAPPING)[0] == 0
    lines = (tmp_path / "o" / "spinnaker-spin3-at-1-ms" / "cores.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("population,first,last,x,y,core,neuron_updates,synaptic_events,rows,packets_received")
    assert len(lines) > 5


def test_map_takes_seed_and_quiet(call):
    status, out, err, new = call("map", "m.yaml", "--quiet", "--seed", "3", "--export", "tables", m__yaml=MAPPING)
    assert (status, out, err) == (0, "", "")
    assert "report.json" in {path.name for path in new}


def test_map_says_what_the_run_will_take(call):
    out = call("map", "m.yaml", m__yaml=MAPPING + "trials: 3\n")[1]
    (line,) = [line for line in out.splitlines() if line.startswith("Expected")]
    assert line.startswith("Expected for 3 trials of 5 ms, neurons firing at 10 Hz: synaptic events ")
    assert "time on the machine 0.015 s" in line
    assert "energy on the machine" in line


def test_what_cannot_be_recorded_is_told_by_map(call):
    text = chips("{device: brainscales1-wafer}", "{device: spinnaker-spin3}") + "record: {exc1: [gsyn_exc]}\n"
    text = text.replace("synfire_chain", "vogels_abbott, n: 2000").replace("exc1", "excitatory")
    refused(call("map", "m.yaml", m__yaml=text), "brainscales1-wafer cannot bring out 'gsyn_exc' of 'excitatory'")


def test_the_template_explains_every_key(call, tmp_path):
    """What `init` writes maps as it stands, and has a line on each key there is."""
    assert call("init", "mine")[0] == 0
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    assert load_mapping(tmp_path / "mine.yaml").file.trials == 5
    for model in (MappingFile, ChipEntry, ReferenceEntry, StimulusEntry, SweepEntry):
        for name, field in model.model_fields.items():
            assert re.search(rf"\b{field.alias or name}\b", text), (model, name)
    for word in ("name: vogels_abbott", "nir:", "pynn:", *STATISTICS, *networks.NETWORKS):
        assert word in text


def test_no_half_written_file_after_a_fault(tmp_path):
    def write():
        with files.atomically(tmp_path / "x") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


def test_out_of_memory_is_one_line(call, monkeypatch):
    def fault(*_args, **_kwargs):
        raise MemoryError

    monkeypatch.setattr("neurohw.study.experiment.prepare", fault)
    refused(call("run", "m.yaml", m__yaml=MAPPING), "out of memory", "smaller")


COMMANDS = [
    [],
    ["map"],
    ["run"],
    ["compare"],
    ["init"],
    ["pynn"],
    ["devices"],
    *(["devices", c] for c in ("list", "show", "check")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_one_example(call, command):
    status, out, err, new = call(*command, "--help")
    assert (status, err, new) == (0, "", [])
    assert not command or len(re.findall("Example: neurohw " + " ".join(command), " ".join(out.split()))) == 1


def test_without_arguments_it_shows_help(call):
    status, out, err, _ = call()
    assert (status, err) == (0, "")
    assert "compare" in out


def neurohw(*argv, **options):
    """A process of its own, as a shell starts it."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "neurohw.cli", *argv], **pipes, **options)


def test_a_process_of_its_own(tmp_path):
    (tmp_path / "m.yaml").write_text(MAPPING + "\U0001f9e0: 1\n", encoding="utf-8")
    out, err = (process := neurohw("run", "m.yaml", cwd=tmp_path)).communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.count("\n") == 1
    assert "unknown key" in err
    assert [path.name for path in tmp_path.iterdir()] == ["m.yaml"]


def test_a_warning_is_one_line(tmp_path):
    nir(tmp_path / "f.nir", edges=[("w", "n")])
    (tmp_path / "m.yaml").write_text(network("{nir: f.nir, dt: 1 ms}"))
    out, err = (process := neurohw("map", "m.yaml", cwd=tmp_path)).communicate(timeout=60)
    assert process.returncode == 0
    assert err == "neurohw: warning: edge w -> n occurs twice and is read once\n"
    assert "Losses" in out


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
@pytest.mark.parametrize("where", ["in the script", "in the reference"])
def test_interrupted(tmp_path, where):
    stop = "import time\ntime.sleep(60)\n" if where == "in the script" else ""
    script = "print('begun', flush=True)\n" + stop + SCRIPT.replace("5.0", "1e6")
    (tmp_path / "s.py").write_text(script)
    process = neurohw("pynn", "s.py", cwd=tmp_path)
    assert process.stdout.readline() == "begun\n"
    if where == "in the reference":
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=8)  # by now Brian2 is at work, which has its own mind about Ctrl-C
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "neurohw: interrupted; no file was left half-written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["s.py"]
