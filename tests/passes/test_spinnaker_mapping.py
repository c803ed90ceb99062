"""Mapping on SpiNNaker against what the tool chain makes of the same networks, number by number."""

import csv
import time

import pytest

from neurohw import workbench
from neurohw.device import load_device
from neurohw.errors import DoesNotFit
from neurohw.passes.spinnaker.sdram import bytes_of_populations
from neurohw.study.export import export_program
from tests.spinnaker_references import CASES, mapped, network, routed

CORES = 0x3FFFFC0
COMPRESSED = [name for name, case in CASES.items() if "compressed" in case]


def rows(tables):
    return {f"{x},{y}": [[e.key, e.mask, e.route] for e in table] for (x, y), table in tables.items()}


@pytest.mark.parametrize("name", CASES)
def test_every_core_sits_where_the_tool_chain_puts_it(name):
    program = mapped(name, "as_needed")
    ours = [
        [
            part.population,
            int(number >= len(program.slices)),
            part.first,
            part.last - 1,
            part.site.x,
            part.site.y,
            part.site.unit,
        ]
        for number, part in enumerate((*program.slices, *program.extensions))
    ]
    assert sorted(ours) == sorted(row[:7] for row in CASES[name]["placement"])


@pytest.mark.parametrize("name", CASES)
def test_keys_and_masks(name):
    program = mapped(name, "as_needed")
    parts, keys, masks = (*program.slices, *program.extensions), program.routing.keys, program.routing.masks
    ours = [
        [part.population, int(number >= len(program.slices)), part.first, part.last - 1, keys[number], masks[number]]
        for number, part in enumerate(parts)
        if keys[number] >= 0
    ]
    assert ours == CASES[name]["keys"]
    silent = {p.population for p, key in zip(parts, keys, strict=True) if key < 0}
    assert silent == set(program.network.populations) - {p.source for p in program.network.projections.values()}


@pytest.mark.parametrize(
    ("name", "compress"), [(n, "as_needed") for n in CASES] + [(n, "as_far_as_possible") for n in COMPRESSED]
)
def test_every_entry_of_every_routing_table_in_order(name, compress):
    program, case = mapped(name, compress), CASES[name]
    expected = case["compressed" if compress == "as_far_as_possible" else "tables"]
    assert rows(program.routing.tables) == {chip: [row[:3] for row in table] for chip, table in expected.items()}
    if compress == "as_needed":
        for chip, table in expected.items():
            ours = program.routing.tables[tuple(map(int, chip.split(",")))]
            assert [e.defaultable for e in ours] == [bool(row[3]) and not row[2] & CORES for row in table], (
                "the released tool chain also marks entries with cores, which no router would do by default"
            )


@pytest.mark.parametrize("name", CASES)
def test_sdram(name):
    ours, case = bytes_of_populations(mapped(name, "as_needed")), CASES[name]
    models = {population: model for population, _, model in case["network"]["populations"]}
    fed = {target for _, target in case["network"]["edges"]}
    number = {population: k for k, population in enumerate(models)}
    for population, extension, *_, used in case["placement"]:
        if extension:
            assert used == 520
        elif models[population] == "IF_cond_exp":
            assert 0.88 * used < ours[population] < used, "conductance cores need more than the fitted constants"
        else:
            extra = 0 if number[population] in fed or models[population] != "IF_curr_exp" else 8
            assert ours[population] == used + extra


def test_tables_are_compressed_where_a_router_needs_it():
    case, spin5 = CASES["va10000_64"], load_device("spinnaker-spin5")
    made = network(case)
    program = routed(made, spin5.with_(router_entries=24), neurons_per_core=64)
    for chip, table in rows(program.routing.tables).items():
        kind = "compressed" if len(case["tables"][chip]) > 24 else "tables"
        assert table == [row[:3] for row in case[kind][chip]]
    assert any("compressed to" in note for note in program.report.notes)
    with pytest.raises(
        DoesNotFit, match=r"the router of chip \(\d, \d\) needs 20 entries even when compressed, and holds 19"
    ):
        routed(made, spin5.with_(router_entries=19), neurons_per_core=64)


def test_the_report_says_what_is_used():
    program = mapped("net10x400_delay100", "as_needed")
    used = {r.name: (r.used, r.available) for r in program.report.resources}
    assert used["cores"] == (40, 759)
    assert used["delay extension cores"] == (40, 719)
    assert used["chips"] == (6, 48)
    assert used["system and dead cores"] == (97, 856), "a monitor and a system core a chip, and the gatherer"
    assert used["router entries on the fullest chip"] == (26, 1023)
    assert 0 < used["SDRAM of the fullest chip (MiB)"][0] < 123469792 / 2**20
    assert any("serve cores that ignore the spikes" in note for note in program.report.notes)


def test_tables_and_extensions_are_exported(tmp_path):
    case = CASES["net10x400_delay100"]
    program = workbench.map_network(network(case), "spinnaker-spin5", {"neurons_per_core": 128})
    export_program(program, tmp_path)
    with (tmp_path / "routing_tables.csv").open() as file:
        lines = list(csv.DictReader(file))
    for (x, y), table in program.routing.tables.items():
        mine = [line for line in lines if (line["x"], line["y"]) == (str(x), str(y))]
        assert [int(line["key"], 16) for line in mine] == [e.key for e in table]
        assert [tuple(map(int, line["links"].split())) for line in mine] == [e.links for e in table]
        assert [tuple(map(int, line["cores"].split())) for line in mine] == [e.cores for e in table]
    with (tmp_path / "placement.csv").open() as file:
        placement = list(csv.DictReader(file))
    assert sum(line["extension"] == "1" for line in placement) == 40
    assert [int(line["key"], 16) for line in placement] == program.routing.keys.tolist()


@pytest.mark.parametrize(("name", "seconds"), [("va2500_256", 1.0), ("va10000_64", 3.0)])
def test_mapping_is_quick(name, seconds):
    """Far above what it takes (0.02 and 0.1 s), so that it fails for an algorithm and not for a busy computer."""
    begin, made = time.process_time(), network(CASES[name])
    routed(made, neurons_per_core=CASES[name]["neurons_per_core"])
    assert time.process_time() - begin < seconds
