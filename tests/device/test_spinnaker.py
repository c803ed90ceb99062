"""SpiNNaker machines: their chips, cores and links, and device files that describe a machine that cannot be."""

import pytest

from neurohw import data_files
from neurohw.device import load_device
from neurohw.device.spinnaker_fabric import DIRECTIONS
from neurohw.errors import BadInput

SPIN3, SPIN5, THREE = (load_device(f"spinnaker-{name}") for name in ("spin3", "spin5", "machine"))


def test_chips_and_cores():
    for device, chips, boards, cores in ((SPIN3, 4, 1, 63), (SPIN5, 48, 1, 759), (THREE, 144, 3, 3 * 759)):
        machine = device.machine
        assert (len(machine.fabric.boards), machine.n_boards, len(machine.sites())) == (chips, boards, cores)
    assert SPIN5.machine.cores((0, 0)) == list(range(3, 18)), "beside the Ethernet there is a gatherer more"
    assert SPIN5.machine.cores((0, 1)) == list(range(2, 18))
    assert SPIN5.machine.cores((1, 1)) == list(range(2, 17)), "a chip with 17 cores"
    assert THREE.machine.cores((9, 5)) == THREE.machine.cores((5, 9)) == list(range(2, 17)), "and on every board"


@pytest.mark.parametrize(
    ("triads", "wraps", "size"), [((1, 1), True, (12, 12)), ((4, 2), True, (48, 24)), ((2, 1), False, (28, 16))]
)
def test_triads(triads, wraps, size):
    machine = THREE.with_(triads=triads, wraps=wraps).machine
    fabric = machine.fabric
    assert (fabric.width, fabric.height) == size
    assert len(fabric.boards) == 48 * machine.n_boards == 144 * triads[0] * triads[1]
    if wraps:
        assert all(len(ways) == 6 for ways in fabric.links.values())


@pytest.mark.parametrize("device", [SPIN3, SPIN5, THREE, THREE.with_(wraps=True)])
def test_every_link_leads_there_and_back(device):
    fabric = device.machine.fabric
    for chip, ways in fabric.links.items():
        for link, other in ways.items():
            assert fabric.links[other][(link + 3) % 6] == chip
    assert [DIRECTIONS[k] for k in (3, 4, 5)] == [(-x, -y) for x, y in DIRECTIONS[:3]]


def test_what_is_dead_is_not_used():
    machine = SPIN5.with_(dead_chips=((1, 0),), dead_cores=((0, 1, 1), (0, 1, 9)), dead_links=((0, 0, 2),)).machine
    assert (1, 0) not in machine.fabric.boards
    assert machine.cores((0, 1)) == [c for c in range(3, 18) if c != 9], "the system takes the lowest core that works"
    assert 2 not in machine.fabric.links[0, 0]
    assert 5 not in machine.fabric.links[0, 1]
    assert len(machine.sites()) == 759 - 16 - 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dead_links": ((0, 0, 3),)}, r"dead_links: \(0, 0\) has no link 3; it has 0 \(E\), 1 \(NE\), 2 \(N\)"),
        ({"dead_links": ((0, 0, 6),)}, r"\(0, 0\) has no link 6"),
        ({"dead_links": ((7, 0, 0),)}, r"\(7, 0\) has no link 0; there is no such chip"),
        ({"dead_links": ((0, 0, 0), (0, 0, 1), (0, 0, 2))}, r"nothing leads from chip \(0, 0\) to"),
        ({"dead_chips": ((7, 0),)}, r"dead_chips: there is no chip \(7, 0\)"),
        ({"dead_chips": ((0, 0),)}, "the Ethernet chip of its board"),
        ({"dead_cores": ((1, 1, 17),)}, r"dead_cores: chip \(1, 1\) has no core 17"),
        ({"dead_cores": ((0, 0, 0),)}, r"dead_cores: chip \(0, 0\) has no core 0 that can be dead"),
        ({"triads": (2, 2)}, "spin5 is a single board"),
        ({"triads": (0, 2)}, "triads"),
        ({"triads": (2000, 2000)}, "triads"),
        ({"layout": "spin6"}, "layout"),
    ],
)
def test_a_machine_that_cannot_be(changes, message):
    with pytest.raises(BadInput, match=message):
        SPIN5.with_(**changes)


def test_the_same_from_a_file(tmp_path):
    text = data_files.find("devices", "spinnaker-spin5").read_text()
    path = tmp_path / "spinnaker-ours.yaml"
    path.write_text(text.replace("  layout: spin5\n", "  layout: spin5\n  dead_links: [[4, 0, 0]]\n"))
    with pytest.raises(BadInput, match=r"spinnaker-ours.yaml: machine.*dead_links: \(4, 0\) has no link 0"):
        load_device(path)
