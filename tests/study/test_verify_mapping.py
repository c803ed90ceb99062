"""The tool chain's own reports of a mapping, held by `verify`: all equal, and any changed number is found and named."""

import json
import sys

import pytest

import neurohw as nh
from neurohw import cli
from neurohw.study import verify_mapping
from tests.spinnaker_references import CASES

LINES = {
    "va2500_256": "va.py 2500", "va10000_64": "va.py 10000 64", "net24x300_q25_apc64": "net.py 24 300 0.25 64 1",
    "net10x400_delay100": "net.py 10 400 0.4 128 4 100.0", "net12x200_delay40": "net.py 12 200 0.3 50 3 40.0",
}  # fmt: skip
MODELS = {"SpikeSourcePoisson": "SpikeSourcePoissonVertex"}
SMALLER = {(1, 1), (1, 3), (3, 1), (3, 3), (3, 5), (5, 2), (5, 4), (5, 6)}
ROWS = {0: (0, 4), 1: (0, 5), 2: (0, 6), 3: (0, 7), 4: (1, 7), 5: (2, 7), 6: (3, 7), 7: (4, 7)}


def label(case, name, extension, first, last):
    sizes = {population: size for population, size, _ in case["network"]["populations"]}
    return f"Delay extension for {name} with {sizes[name]} atoms" if extension else f"{name}({first}:{last})"


def report(name, compressed=False):
    """The file that the tool chain's numbers were taken from."""
    case = CASES[name]
    populations = {population: (size, model) for population, size, model in case["network"]["populations"]}
    order = [(p, 0) for p in populations] + sorted({(p, e) for p, e, *_ in case["placement"] if e})
    shift = min(k for k in range(32) if any(key >> k & 1 for *_, key, _ in firsts(case)))
    zone = 0xFFFFFFFF ^ ((1 << shift) - 1)
    keys, partition = [], []
    for p, extension in order:
        size, model = populations[p]
        vertex = f"{p}_delayed" if extension else p
        slices = sorted((lo, hi) for q, e, lo, hi, *_ in case["placement"] if (q, e) == (p, extension))
        kind = "DelayExtensionVertex" if extension else MODELS.get(model, "PopulationVertex")
        partition += ["", f"**** Vertex: '{vertex}'", f"Model: {kind}", f"Pop size: {size}", "Machine Vertices:"]
        partition += [f"  Slice ({lo}:{hi})    Vertex {label(case, p, extension, lo, hi)}" for lo, hi in slices]
        mine = sorted((lo, hi, key, mask) for q, e, lo, hi, key, mask in case["keys"] if (q, e) == (p, extension))
        if mine:
            keys.append(f"Vertex: {vertex}" + (f" with {size} atoms" if kind == "PopulationVertex" else ""))
            keys.append(f"    Partition: SPIKE, Routing Info: KeyAndMask:{mine[0][2]:#x}:{zone:#x}")
        for lo, hi, key, mask in mine:
            where = f"{label(case, p, extension, lo, hi)}, Slice: ({lo}:{hi})"
            keys.append(f"    Machine Vertex: {where}, Routing Info: KeyAndMask:{key:#x}:{mask:#x}")
    tables, packed = case["tables"], case["compressed"] if compressed else case["tables"]
    cores = [(x, y, p, lo, hi, label(case, n, e, lo, hi), used) for n, e, lo, hi, x, y, p, used in case["placement"]]
    chips = [(x, y) for y, (a, b) in ROWS.items() for x in range(a, b + 1)]
    system = [[0, 0, 1, "SYSTEM:PacketGatherer"], [0, 0, 2, "SYSTEM:ExtraMonitor"]]
    sizes, small = ([len(table) for table in some.values()] for some in (tables, packed))
    return {
        "meta": {"name": name, "cmd": LINES[name], "board": "version=5 virtual"},
        "edges": case["network"]["edges"] if LINES[name].startswith("net") else None,
        "summary": {
            "app_cores": len(cores), "app_chips": len({core[:2] for core in cores}),
            "entries_uncompressed_total": sum(sizes), "entries_uncompressed_max": max(sizes),
            "entries_compressed_total": sum(small), "entries_compressed_max": max(small), "chips_with_table": len(sizes),
        },
        "placements_app": [
            {"x": x, "y": y, "p": p, "lo": lo, "hi": hi, "vertex": vertex} for x, y, p, lo, hi, vertex, _ in cores
        ],
        "placements_system_per_chip": system + [[*chip, 1, "SYSTEM:ExtraMonitor"] for chip in chips if chip != (0, 0)],
        "keys_report": keys, "partition_report": [*partition, ""],
        "sdram_report": [
            f"SDRAM reqs for core ({x},{y},{p}) is {used // 1024} KB ({used} bytes) for Placement(vertex={vertex}, x={x}, "
            f"y={y}, p={p})"
            for x, y, p, _, _, vertex, used in cores
        ],
        "tables_uncompressed": tables, "tables_compressed": packed,
    }  # fmt: skip


def firsts(case):
    """The first key of every zone: their lowest bit set is where zones begin."""
    return [entry for entry in case["keys"] if entry[2] == 0]


def held(tmp_path, data):
    (tmp_path / "mapping.json").write_text(json.dumps(data))
    (found,) = nh.verify(tmp_path / "mapping.json")
    return found


@pytest.mark.parametrize(
    ("name", "compressed"),
    [(n, False) for n in LINES] + [(n, True) for n, case in CASES.items() if "compressed" in case],
)
def test_every_reference_mapping_is_exact(tmp_path, name, compressed):
    found = held(tmp_path, report(name, compressed))
    assert found.exact, str(found)
    assert found.kind == "SpiNNaker mapping"
    assert LINES[name] in found.about


SHORT = "va2500_256"


def flip(data, *path):
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] ^= 1


def replaced(old, new):
    """Change a line of a report."""

    def change(data, report, number):
        assert old in data[report][number]
        data[report][number] = data[report][number].replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: flip(d, "placements_app", 2, "p"), "placements_app"),
        (lambda d: flip(d, "placements_app", 2, "x"), "placements_app, core (0, 0, "),
        (lambda d: flip(d, "placements_app", 2, "lo"), "placements_app, core (0, 0, "),
        (lambda d: flip(d, "placements_app", 2, "hi"), "placements_app, core (0, 0, "),
        (lambda d: d["placements_app"].pop(), "placements_app, core"),
        (lambda d: flip(d, "placements_system_per_chip", 5, 2), "placements_system_per_chip"),
        (lambda d: d["placements_system_per_chip"].pop(), "placements_system_per_chip"),
        (lambda d: replaced("0x1000:", "0x3000:")(d, "keys_report", 3), "keys_report, line 3"),
        (lambda d: replaced("0xffff8000", "0xffff0000")(d, "keys_report", 1), "keys_report, line 1"),
        (lambda d: d["keys_report"].pop(), "keys_report, line"),
        (lambda d: replaced("2000", "2001")(d, "partition_report", 3), "partition_report, line 3"),
        (lambda d: replaced("255", "127")(d, "partition_report", 5), "partition_report, line 5"),
        *((lambda d, k=k: flip(d, "tables_uncompressed", "0,0", 1, k), "tables_uncompressed, chip 0,0, line 1") for k in range(3)),
        (lambda d: d["tables_uncompressed"]["0,0"].pop(), "tables_uncompressed, chip 0,0, line 2"),
        (lambda d: flip(d, "tables_compressed", "0,0", 2, 2), "tables_compressed, chip 0,0"),
        (lambda d: d["tables_compressed"].update({"3,3": [[0, 0, 1, 0]]}), "tables_compressed"),
        *((lambda d, k=k: flip(d, "summary", k), f"summary.{k}") for k in verify_mapping.Summary.model_fields),
        (lambda d: replaced("2028 bytes", "2032 bytes")(d, "sdram_report", -1), "S(0:19)"),
        (lambda d: d["sdram_report"].pop(), "sdram_report"),
        (lambda d: d["meta"].update(cmd="va.py 2600"), "partition_report"),
        (lambda d: d["meta"].update(cmd="va.py 2500 255"), "partition_report"),
    ],
)  # fmt: skip
def test_a_changed_number_is_named(tmp_path, change, named):
    data = json.loads(json.dumps(report(SHORT)))
    data["sdram_report"].sort(key=lambda line: "vertex=S" in line)
    data["placements_app"].sort(key=lambda one: one["p"])
    change(data)
    found = held(tmp_path, data)
    assert not found.exact
    assert named in found.difference.variable, str(found)


def test_whether_a_line_is_defaultable_is_held_where_it_leads_to_no_core(tmp_path):
    data = json.loads(json.dumps(report("net24x300_q25_apc64")))
    lines = [(c, n) for c, table in data["tables_uncompressed"].items() for n, line in enumerate(table) if line[3]]
    chip, number = next((c, n) for c, n in lines if not data["tables_uncompressed"][c][n][2] & verify_mapping.CORES)
    for tables in ("tables_uncompressed", "tables_compressed"):
        data[tables][chip][number][3] = 0
    found = held(tmp_path, data)
    assert f"chip {chip}, line {number}" in str(found.difference)
    assert "defaultable 0, emulated" in str(found.difference)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: d["meta"].update(cmd="va.py many"), "expected 'va.py N"),
        (lambda d: d["meta"].update(cmd=""), "expected 'va.py N"),
        (lambda d: d["meta"].update(cmd="va.py 2500000000"), "expected 'va.py N"),
        (lambda d: d["meta"].update(cmd="net.py 3 10 0.1 64 1"), "with `edges`"),
        (lambda d: d.pop("summary"), "summary: missing"),
        (lambda d: d["sdram_report"].append("much"), "sdram_report: 'much' cannot be read"),
        (lambda d: d["tables_uncompressed"]["0,0"].append([1, 2]), "tables_uncompressed"),
        (lambda d: d["meta"].update(cmd="va.py 8000 8"), "cores"),
    ],
)
def test_bad_input_is_a_sentence(tmp_path, change, why):
    data = json.loads(json.dumps(report(SHORT)))
    change(data)
    found = held(tmp_path, data)
    assert why in found.problem


def test_exit_status(tmp_path, monkeypatch, capsys):
    data = json.loads(json.dumps(report(SHORT)))
    for wanted in (0, 1):
        (tmp_path / "mapping.json").write_text(json.dumps(data))
        monkeypatch.setattr(sys, "argv", ["neurohw", "verify", str(tmp_path)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert (stopped.value.code or 0) == wanted
        data["tables_uncompressed"]["0,0"][0][1] -= 0x1000
    assert "DIFFERS" in capsys.readouterr().out
