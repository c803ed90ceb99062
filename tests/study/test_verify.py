"""Recorded traces against the emulator: exact as they are, and any changed number is found and named."""

import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import neurohw as nh
from neurohw import cli
from neurohw.chips.spinnaker import neurons, replay
from neurohw.frontends.pynn.capture import run_script
from neurohw.study import verify_spinnaker
from neurohw.study.verify import VERIFIERS

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "spinnaker" / "traces"
HOW_TO = ROOT / "docs" / "how-to" / "hold-your-board-against-the-emulator.md"
TRACES = sorted(path.stem for path in GOLDEN.glob("*.json"))
IZK = "IZK_cond_exp_sat_dt1_s20050"
STDP = "IF_curr_exp_stdp_mad_pair_additive_bp_dt1_s9001"
SHORT = "IF_cond_exp_poisson_dt1_s2100"
LABELS = {"name", "kind", "seed", "param_layout"}
UNSEEN = {"log_delay_bits", "max_expected_summed_weight"}
"""Only the ring buffer's length and the power of two above a number enter into what a core computes."""


@pytest.fixture
def trace(tmp_path):
    """Write a golden trace, changed: `told(data)` and `columns(dict of arrays)` change in place."""

    def write(name, told=None, columns=None):
        data, arrays = read(name)
        if told:
            told(data)
        if columns:
            columns(arrays)
        (tmp_path / f"{name}.json").write_text(json.dumps(data))
        np.savez(tmp_path / f"{name}.npz", **arrays)
        return tmp_path / f"{name}.json"

    return write


def read(name):
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return json.loads((GOLDEN / f"{name}.json").read_text()), {k: arrays[k].astype(np.int64) for k in arrays.files}


def one(path):
    (found,) = nh.verify(path)
    return found


def status(monkeypatch, *arguments):
    """Exit status of the command line."""
    monkeypatch.setattr(sys, "argv", ["neurohw", "verify", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code or 0


def test_every_golden_trace_is_exact():
    found = nh.verify(GOLDEN)
    assert [one.path.stem for one in found] == TRACES
    assert {json.loads(one.path.read_text())["model"].split("_stdp")[0] for one in found} == set(neuron_models())
    assert all(one.exact and not one.problem for one in found), [str(one) for one in found if not one.exact]
    assert {one.kind for one in found} == {"SpiNNaker neurons", "SpiNNaker STDP"}


def neuron_models():
    from neurohw.chips.spinnaker.models import MODELS

    return MODELS


def test_saturated_additions_are_counted():
    data, _ = read(IZK)
    assert data["ring_buffer_saturation_count"] == 72


@pytest.mark.parametrize("name", TRACES)
def test_a_flipped_bit_of_any_column_is_found_where_it_is(name, trace):
    data, arrays = read(name)
    n = data["n_neurons"]
    for number, column in enumerate(arrays):
        row = (17 + 31 * number) % (data["n_steps"] * n)

        def flip(columns, column=column, row=row):
            columns[column][row] ^= 1

        found = one(trace(name, columns=flip)).difference
        assert (found.step, found.neuron, found.variable) == (*divmod(row, n), column)
        assert found.recorded ^ 1 == found.emulated == arrays[column][row]


def numbers(data, path=()):
    """Every whole number in a trace's JSON, by its place."""
    if isinstance(data, int) and not isinstance(data, bool):
        yield path
    elif isinstance(data, dict | list):
        for key in data if isinstance(data, dict) else range(len(data)):
            yield from numbers(data[key], (*path, key))


@pytest.mark.parametrize("name", [IZK, STDP, "IF_curr_alpha_edge_dt01_s3205", "IF_curr_delta_poisson_dt01_s4105"])
def test_a_changed_word_is_found(name):
    """One number of each key that a board or the tool chain has written."""
    data, _ = read(name)
    places = {tuple(k for k in place if isinstance(k, str)): place for place in numbers(data) if place[0] not in LABELS}
    for place in places.values():
        if place[0] in UNSEEN | {"connections", "static_connections", "plastic_connections"}:
            continue
        changed, _ = read(name)
        at = changed
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] ^= 1
        if place[0] == "events_time_row":
            at[0] = 0  # out of order: bad input
        try:
            found = verify_spinnaker.verify_trace(GOLDEN / f"{name}.json", changed)
        except nh.NeurohwError:
            continue
        assert not found.exact, place


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        (lambda d: d["pynn_params"].update(tau_syn_E=4.0), "raw_param_region_words_u32"),
        (lambda d: d["connections"]["excitatory"][3].__setitem__(2, 0.001), "rows_static_words_u32"),
        (lambda d: d["connections"]["excitatory"][3].__setitem__(3, 3.0), "rows_static_words_u32"),
        (lambda d: d.update(max_expected_summed_weight=[9.0, 9.0]), "ring_buffer_left_shifts[0]"),
        (lambda d: d["events_time_row"].pop(4), "rb_exc_u16"),
        (lambda d: d["rows_static_words_u32"].append([]), "number of rows_static_words_u32"),
        (lambda d: d["derived_initial_state"].pop(), "number of derived_initial_state"),
        (lambda d: d["derived_initial_state"][1]["neuron_t"].pop("V"), "derived_initial_state neuron_t.V"),
    ],
)
def test_the_cause_is_named_before_its_consequences(change, variable, trace):
    found = one(trace(SHORT, change))
    assert found.difference.variable.startswith(variable)
    assert (found.difference.step is None) == (variable != "rb_exc_u16")


def test_parameter_words_carry_their_names(trace):
    found = one(trace(IZK, lambda d: d["raw_param_region_words_u32"].__setitem__(10, 7))).difference
    assert str(found) == "neuron 1, raw_param_region_words_u32[10] (a): recorded 7, emulated 3277"


def test_a_plastic_weight_that_is_off_is_named(trace):
    def change(data):
        data["plastic_row_after_each_pre_event"][5]["weights_u16"][1] += 1

    found = one(trace(STDP, change)).difference
    assert (found.step, found.neuron) == (23, 1)
    assert found.variable == "plastic_row_after_each_pre_event[5] row 7 weights_u16[1]"
    assert found.recorded == found.emulated + 1


def test_an_update_that_is_missing_is_named(trace):
    found = one(trace(STDP, lambda d: d["plastic_row_after_each_pre_event"].pop()))
    assert (found.difference.recorded, found.difference.emulated) == ("nothing", "an update")


def in_the_order_of_the_c_text(v, u, this_h, current, a, b, c, d, i_offset, reset_h, spiked):
    """The Izhikevich step with beta's products grouped as in the source, which the compiler did not keep."""
    m, one_half = neurons.multiply, neurons.ONE >> 1
    for i in range(v.shape[0]):
        h, ah = int(this_h[i]), m(a[i], this_h[i])
        vi, ui = int(v[i]), int(u[i])
        drive = neurons.IZK_140 + int(current[i]) + int(i_offset[i]) - ui
        slope = drive + int(m(neurons.IZK_FIVE + int(m(neurons.IZK_MAGIC, vi)), vi))
        half = vi + int(m(m(h, slope), one_half))
        beta = int(m(m(m(h, int(m(b[i], vi)) - ui), a[i]), one_half))
        rise = drive - beta + int(m(neurons.IZK_FIVE + int(m(neurons.IZK_MAGIC, half)), half))
        v_now = vi + int(m(h, rise))
        u_now = ui + int(m(ah, -ui - beta + int(m(b[i], half))))
        spiked[i] = v_now >= neurons.IZK_THRESHOLD
        v[i], u[i] = (c[i], u_now + int(d[i])) if spiked[i] else (v_now, u_now)
        this_h[i] = m(reset_h[i], neurons.IZK_AFTER_SPIKE) if spiked[i] else reset_h[i]


def in_python(monkeypatch):
    """The replay and the tick as plain Python, so that a part can be exchanged."""
    monkeypatch.setattr(neurons, "_izhikevich", neurons._izhikevich.py_func)
    monkeypatch.setattr(replay, "update", neurons.update.py_func)
    monkeypatch.setattr(replay, "replay", replay.replay.py_func)


IZK_SHORT = "IZK_curr_exp_poisson_dt1_s5100"


def test_a_reordered_izhikevich_product_is_caught(monkeypatch):
    in_python(monkeypatch)
    assert one(GOLDEN / f"{IZK_SHORT}.json").exact
    monkeypatch.setattr(neurons, "_izhikevich", in_the_order_of_the_c_text)
    found = one(GOLDEN / f"{IZK_SHORT}.json")
    assert found.difference.variable in ("post_V", "post_U")
    assert abs(found.difference.recorded - found.difference.emulated) < 100


def test_what_was_not_recorded_is_not_compared_and_said(trace):
    keep = {"model", "timestep_ms", "n_neurons", "n_steps", "pynn_params", "connections", "events_time_row"}

    def strip(data):
        for key in set(data) - keep:
            del data[key]

    def few(columns):
        for name in set(columns) - {"t", "neuron", "rec_V"}:
            del columns[name]

    found = one(trace(SHORT, strip, few))
    assert found.exact
    assert "1 of 10 variables, 0 of 5 tables" in found.about


def unpickled(columns):
    columns["rec_V"] = np.array([{}] * columns["t"].size, dtype=object)


@pytest.mark.parametrize(
    ("told", "columns", "why"),
    [
        (lambda d: d.pop("model"), None, "model: missing"),
        (lambda d: d.update(model="HH_cond_exp"), None, "HH_cond_exp"),
        (lambda d: d.update(model="IF_curr_exp_stdp_mad_pair_additive"), None, "stdp do not name the same rule"),
        (lambda d: d.update(plastic_connections=[[0, 0, 1.0, 1.0]]), None, "need the key stdp"),
        (lambda d: d.update(surprise=1), None, "surprise: unknown key"),
        (lambda d: d.update(n_steps=10**12), None, "n_steps"),
        (lambda d: d.update(n_steps=2**31 - 1, n_neurons=1), None, "pynn_params"),
        (lambda d: d.update(n_steps=201), None, "rows are expected"),
        (lambda d: d.update(timestep_ms=0.0), None, "timestep_ms"),
        (lambda d: d["pynn_params"].update(tau_m=0.0), None, "tau_m"),
        (lambda d: d["pynn_params"].update(tau_m=[1.0, 2.0]), None, "2 numbers for 4 neurons"),
        (lambda d: d["pynn_params"].update(volume=11), None, "volume"),
        (lambda d: d["events_time_row"].append([0, 0]), None, "must not decrease"),
        (lambda d: d["events_time_row"].append([199, 500]), None, "row 500"),
        (lambda d: d["events_time_row"].__setitem__(0, [0.5, 1]), None, "events_time_row"),
        (lambda d: d["connections"]["excitatory"].append([0, 9, 0.1, 1.0]), None, "neuron 9"),
        (lambda d: d["connections"]["excitatory"].append([0, 2**40, 0.1, 1.0]), None, "connections"),
        (lambda d: d["connections"]["excitatory"].append([0, 0, 0.1, 17.0]), None, "17 steps"),
        (lambda d: d["connections"]["excitatory"].extend([[0, 0, 0.1, 1.0]] * 300), None, "256 synapses"),
        (lambda d: d.update(log_delay_bits=14), None, "at most 16 in all"),
        (None, lambda c: c.pop("t"), "column 't' is missing"),
        (None, lambda c: c.update(post_U=c["t"]), "unknown column 'post_U'"),
        (None, lambda c: c.update(rec_V=c["rec_V"][:-1]), "rows are expected"),
        (None, lambda c: c.update(rec_V=c["rec_V"].reshape(-1, 4)), "rows are expected"),
        (None, lambda c: c.update(rec_V=c["rec_V"] / 32768), "whole numbers"),
        (None, unpickled, "whole numbers"),
    ],
)
def test_bad_input_is_a_sentence(told, columns, why, trace, monkeypatch, capsys):
    path = trace(SHORT, told, columns)
    found = one(path)
    assert why in found.problem
    assert not found.exact
    assert status(monkeypatch, path) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["absent", "no zip", "cut", "flipped", "folder", "lying header", "bomb"])
def test_a_damaged_npz_is_bad_input(damage, trace, monkeypatch):
    path = trace(SHORT)
    columns = path.with_suffix(".npz")
    data = bytearray(columns.read_bytes())
    columns.unlink()
    if damage == "no zip":
        columns.write_bytes(b"no zip")
    elif damage == "cut":
        columns.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        data[len(data) // 2] ^= 255
        columns.write_bytes(data)
    elif damage == "folder":
        columns.mkdir()
    elif damage in ("lying header", "bomb"):
        with zipfile.ZipFile(columns, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("t", "neuron"):
                with archive.open(f"{name}.npy", "w") as file:
                    rows = 800 if damage == "bomb" else 10**15
                    np.lib.format.write_array_header_1_0(
                        file, {"descr": "<i8", "fortran_order": False, "shape": (rows,)}
                    )
                    file.write(bytes(10**6 if damage == "bomb" else 8))
    assert one(path).problem
    assert status(monkeypatch, path) == 2


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"pynn_params": NaN}', '{"pynn_params": 1e999}', "\udcff"])
def test_damaged_json_is_bad_input(text, trace, monkeypatch):
    path = trace(SHORT)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert one(path).problem
    assert status(monkeypatch, path) == 2


def test_one_bad_file_does_not_hide_a_difference(trace, tmp_path, monkeypatch, capsys):
    trace(IZK_SHORT, columns=lambda c: c["post_V"].__setitem__(100, 5))
    shutil.copy(GOLDEN / f"{SHORT}.json", tmp_path)
    (tmp_path / "notes.json").write_text('{"author": "somebody"}')
    assert status(monkeypatch, tmp_path) == 2
    out, err = capsys.readouterr()
    assert re.search(r"DIFFERS .*IZK.*: step 25, neuron 0, post_V: recorded 5, emulated -?\d+\n", out)
    assert "unknown " in out
    assert f"{SHORT}.json" in err
    assert out.endswith("1 with a difference, 1 not readable, 1 of a kind not known\n")


def test_exit_status_and_quiet(trace, tmp_path, monkeypatch, capsys):
    path = trace(SHORT)
    assert status(monkeypatch, path) == 0
    assert capsys.readouterr().out.startswith("exact ")
    assert status(monkeypatch, "--quiet", path.with_suffix(".npz"), tmp_path) == 0
    assert capsys.readouterr().out == "1 exact\n"
    trace(SHORT, columns=lambda c: c["rec_V"].__setitem__(9, 0))
    assert status(monkeypatch, "--quiet", path) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert status(monkeypatch, tmp_path / "nowhere") == 2
    (tmp_path / "empty").mkdir()
    assert status(monkeypatch, tmp_path / "empty") == 2
    (tmp_path / "empty" / "other.json").write_text("[1, 2]")
    assert status(monkeypatch, tmp_path / "empty") == 2


def test_names_from_others_do_not_reach_the_terminal_raw(trace, monkeypatch, capsys):
    status(monkeypatch, trace(SHORT, lambda d: d.update({"\x1b[2J\ud800": 1})))
    assert "\x1b" not in capsys.readouterr().err


def test_an_npz_without_its_json_is_refused(tmp_path):
    shutil.copy(GOLDEN / f"{SHORT}.npz", tmp_path)
    with pytest.raises(nh.BadInput, match=r"NAME\.json and NAME\.npz"):
        nh.verify(tmp_path / f"{SHORT}.npz")


def test_the_table_of_kinds():
    assert all(callable(kind.recognizes) and callable(kind.verify) for kind in VERIFIERS.values())
    assert not any(kind.recognizes({}) for kind in VERIFIERS.values())


def test_the_script_of_the_how_to(tmp_path, monkeypatch):
    """A whole emulated board, recorded through PyNN as the page says, is exact: chip and replay are one machine."""
    code = re.search(r"<!-- recording-script -->\n```python\n(.*?)```", HOW_TO.read_text(), re.DOTALL).group(1)
    script = tmp_path / "record.py"
    script.write_text(code.replace("import pyNN.spiNNaker as sim", "import neurohw.pynn as sim"))
    monkeypatch.chdir(tmp_path)
    run_script(script, device="spinnaker-spin5")
    found = one(tmp_path / "first.json")
    assert found.exact, str(found)
    with np.load(tmp_path / "first.npz") as columns:
        assert columns["spike"].sum() > 20
