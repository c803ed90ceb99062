"""The report: escaped, self-contained, complete also where there is little to say."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from neurohw.report import Loss, Report, Resource
from neurohw.study import pictures
from neurohw.study.compare import compare
from neurohw.study.html_report import DeviceSection, Floorplan, render, write_report

EVIL = "<script>alert('x')</script> & \"$\\bad"


class Checker(HTMLParser):
    """Counts open tags and collects what would be run or fetched."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.links = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for key, value in attributes if key in ("src", "href")]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def report_of(make, population, device, trials=3):
    sizes = {population: 60}
    references = [make(k, sizes=sizes) for k in range(trials)]
    recordings = [make(40 + k, 1.4, sizes=sizes) for k in range(trials)]
    comparison = compare(references, {device: recordings}, ["rates", "cv_isi", "synchrony"])
    program = Report().add(
        Resource(f"cores {device}", 3, 18), Resource("time", 1, float("inf")), Resource("none", 0, 0),
        Loss("weights clipped", 3, 10, population, EVIL, EVIL), EVIL, energy=(0.2, "J"),
    )  # fmt: skip
    plan = Floorplan([(0, 0, EVIL, 0.5, population), (1, 0, "", 0.0, "")], "hexagonal", device)
    section = DeviceSection(device, EVIL, EVIL, program, Report(), [EVIL, EVIL], plan, references, recordings)
    return comparison, [section]


@pytest.mark.parametrize("trials", [1, 3])
def test_hostile_names_are_escaped_and_nothing_is_fetched(make, trials):
    text = render(*report_of(make, EVIL, EVIL, trials), {"command": EVIL, "seeds": {"trial": [1, 2]}}, EVIL)
    checker = Checker()
    checker.feed(text)
    assert not checker.open
    assert "script" not in checker.tags
    assert "<script" not in text
    assert all(link.startswith(("data:image/", "#device-")) for link in checker.links)
    assert "@import" not in text
    assert "url(" not in text
    assert len(text) < 3_000_000


def test_the_report_says_what_it_must(make, tmp_path):
    comparison, sections = report_of(make, "exc", "chip")
    path = tmp_path / "report.html"
    write_report(path, comparison, sections, {"network": {"seed": 1}, "versions": {"numpy": "2"}}, "Title")
    text = path.read_text()
    for part in (comparison.verdict, "seed 1", "weights clipped", "Diagnosis", "Floorplan", "0.2 J", "unlimited"):
        assert part in text
    manifest = re.search("<pre>(.*?)</pre>", text, re.S)[1].replace("&#34;", '"')
    assert json.loads(manifest)["network"] == {"seed": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_fails_leaves_the_old_one(make, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr(pictures, "encode", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(path, *report_of(make, "e", "chip"), {})
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_without_anything_still_has_a_section(make):
    comparison = compare(make(1), {"a": make(2)}, ["rates"])
    text = render(comparison, [DeviceSection("a"), DeviceSection("unrun", summary="does not fit")], {})
    assert "does not fit" in text
    assert "everything is on the chip" in text


def test_many_populations_are_summed_up(make):
    sizes = {f"L{k}": 12 for k in range(14)}
    comparison = compare([make(k, sizes=sizes) for k in range(3)], {"a": make(9, sizes=sizes)}, ["rates"])
    assert "1 of 1" in render(comparison, [DeviceSection("a")], {})


def test_pictures_are_the_same_bytes_each_time(make):
    comparison = compare([make(k) for k in range(3)], {"a": make(9)}, ["rates"])
    for kind in ("svg", "png"):
        one, two = (pictures.encode(pictures.distributions(comparison, "a"), kind) for _ in range(2))
        assert one == two


def test_pictures_of_nothing(trains):
    silent = trains([[]])
    comparison = compare(silent, {"a": silent}, ["rates", "cv_isi"])
    for figure in (
        pictures.rasters(silent, silent),
        pictures.distributions(comparison, "a"),
        pictures.effects(comparison, "a"),
        pictures.floorplan([]),
        pictures.losses({}),
        pictures.losses({"a": Report().add(Loss("spikes dropped", 1, 4, "", ""))}),
    ):
        assert pictures.encode(figure).startswith(b"<?xml")


def test_a_name_in_any_script_is_drawn(make):
    sizes = {"中文 $x": 20}
    pictures.encode(pictures.rasters(make(1, sizes=sizes), make(2, sizes=sizes)), "png")


def test_bins_follow_the_grain_of_counts():
    edges = pictures._edges(np.repeat(np.arange(0, 40, 2.0), 50), 500)
    widths = np.diff(edges)
    assert np.allclose(widths % 2, 0)
    assert np.allclose(widths, widths[0])
