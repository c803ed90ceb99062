"""The yardstick: what is the same lies inside, what is shifted lies outside, what cannot be judged is not."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neurohw.errors import BadInput
from neurohw.recording import Recording
from neurohw.study.compare import compare
from neurohw.study.statistics import STATISTICS

CHEAP = ("rates", "cv_isi", "correlation")


def test_another_draw_of_the_reference_lies_inside_and_a_shift_outside(make):
    references = [make(k) for k in range(5)]
    found = compare(
        references, {"same": [make(50 + k) for k in range(5)], "fast": [make(90 + k, 1.5) for k in range(5)]}
    )
    rows = {(r.device, r.population, r.statistic): r for r in found.rows}
    assert found.state("same") == "inside"
    assert rows["fast", "e", "rates"].verdict == rows["fast", "i", "rates"].verdict == "outside"
    assert rows["fast", "e", "cv_isi"].verdict == "inside"
    assert rows["fast", "e", "rates"].effect.low > 0
    assert rows["fast", "e", "rates"].mean == pytest.approx(1.5 * rows["fast", "e", "rates"].mean_reference, rel=0.1)
    assert found.verdict.startswith("same cannot be told from one more trial of the reference; fast differs")
    assert "outside the spread of 5 reference trials: " in found.verdicts["fast"]


def test_false_alarms_stay_near_the_stated_level(make):
    alarms = rows = devices = 0
    for repeat in range(12):
        references = [make(1000 * repeat + k, sizes={"e": 60}) for k in range(4)]
        found = compare(references, [make(1000 * repeat + 500 + k, sizes={"e": 60}) for k in range(4)], CHEAP)
        alarms += sum(row.verdict == "outside" for row in found.rows)
        rows += len(found.rows)
        devices += found.state("chip") == "outside"
    assert alarms <= 0.05 * rows + 4 * np.sqrt(0.05 * 0.95 * rows)
    assert devices <= 2


def test_the_spread_of_the_reference_widens_the_limit(make):
    steady = compare([make(k) for k in range(5)], [make(60 + k, 1.3) for k in range(5)], ["rates"])
    shaky = compare([make(k, 0.7 + 0.15 * k) for k in range(5)], [make(60 + k, 1.3) for k in range(5)], ["rates"])
    assert {row.verdict for row in steady.rows} == {"outside"}
    assert {row.verdict for row in shaky.rows} == {"inside"}


def test_one_trial_gives_numbers_but_no_verdict(make):
    found = compare(make(1), make(2, 2.0), ["rates", "van_rossum"])
    assert {row.verdict for row in found.rows} == {"no yardstick"}
    assert found.rows[0].yardstick is None
    assert found.rows[0].effect.d > 0.5
    assert found.verdict == "No verdict: a yardstick needs 3 reference trials, here: 1."
    assert "no yardstick with a single trial of the reference" in found.verdicts["chip"]


def test_a_silent_chip_is_outside_and_nothing_crashes(make):
    silent = replace(make(0), spikes={name: (np.empty(0), np.empty(0, np.int64)) for name in ("e", "i")})
    found = compare([make(k) for k in range(3)], {"dead": [silent] * 3}, tuple(STATISTICS))
    assert {row.verdict for row in found.rows if row.statistic != "evenness"} == {"outside"}  # that one needs rivals
    cv = next(row for row in found.rows if row.statistic == "cv_isi")
    assert (cv.mean, cv.distance, cv.effect.d) == (None, 1.0, None)
    json.loads(found.to_json())


def test_silence_on_both_sides_is_no_data(trains):
    found = compare([trains([[], []])] * 3, [trains([[], []])] * 3, ("cv_isi", "correlation"))
    assert {row.verdict for row in found.rows} == {"no data"}
    assert found.verdict == "No verdict: there are too few spikes to compare."
    assert "no data" in found.verdicts["chip"]


def test_one_neuron_is_compared_by_difference(trains):
    references = [trains([[1.0] * k]) for k in (9, 10, 11)]
    found = compare(references, {"near": [trains([[1.0] * 10])] * 3, "far": [trains([[1.0] * 50])] * 3}, ["rates"])
    near, far = found.rows
    assert (near.distance_kind, near.verdict, far.verdict) == ("difference", "inside", "outside")
    assert near.p is None


def test_a_deterministic_reference_leaves_no_room(make):
    found = compare([make(1)] * 3, {"same": [make(1)] * 3, "other": [make(2)] * 3}, ["rates"])
    assert [found.state(device) for device in found.devices] == ["inside", "outside"]
    assert found.coincidences["same"]["e"].share == 1.0


def test_json_holds_no_nan_and_all_rows(make):
    found = compare([make(k) for k in range(3)], {"a": make(9)}, tuple(STATISTICS), discard="100 ms")
    text = found.to_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    data = json.loads(text)
    assert len(data["rows"]) == 2 * len(STATISTICS)
    assert data["discard_ms"] == 100.0
    assert data["trials"] == {"reference": 3, "a": 1}
    assert data["rows"][0]["yardstick"]["pairs"] == 3


def test_as_text_it_is_the_verdict_and_a_line_for_each_row(make):
    found = compare([make(k) for k in range(3)], [make(60, 2.0)], CHEAP)
    first, _, *lines = str(found).splitlines()
    assert first == found.verdict
    assert len(lines) == len(found.rows)
    for line, row in zip(lines, found.rows, strict=True):
        assert line.split()[:3] == [row.device, row.population, row.statistic]
        assert line.endswith(row.verdict)


def test_the_device_is_named_by_the_manifest(make):
    assert compare(make(1), [make(2, manifest={"device": "pcm"})], ["rates"]).devices == ("pcm",)


@pytest.mark.parametrize(
    ("recordings", "options", "message"),
    [
        ([], {}, "at least one of each"),
        ("long", {}, "lasts 2000 ms, but the reference 1000 ms"),
        ("large", {}, "'e' has 121 neurons, but 120 in the reference"),
        ("same", {"measure": ["speed"]}, "no statistic 'speed'"),
        ("same", {"measure": []}, "at least one of each"),
        ("same", {"populations": ["x"]}, "'x' was not recorded by everybody; these were: e, i"),
        ("same", {"discard": 1000.0}, "not inside the recording"),
        ("none", {}, "no population that everybody recorded"),
        ("reference", {}, "give the reference as references"),
    ],
)
def test_what_does_not_fit_together_is_refused(make, recordings, options, message):
    given = {
        "same": make(2),
        "long": make(2, duration=2000.0),
        "large": make(2, sizes={"e": 121}),
        "none": Recording({}, {}, 1000.0, 0.1),
        "reference": {"reference": [make(2)]},
    }
    with pytest.raises(BadInput, match=message):
        compare(make(1), given[recordings] if recordings else recordings, **options)


def test_a_device_is_allowed_the_rows_that_chance_puts_outside(make):
    found = compare([make(k) for k in range(5)], {"a": [make(20 + k) for k in range(5)]}, CHEAP)
    assert {row.verdict for row in found.rows} == {"inside"}
    first, *rest = found.rows
    near = replace(first, distance=1.1 * first.yardstick.limit, verdict="outside")
    far = replace(first, distance=1.1 * first.yardstick.family_limit, verdict="outside")
    assert near.distance < first.yardstick.family_limit
    one, two, three = (replace(found, rows=rows) for rows in ((near, *rest), (far, *rest), (near, near, near, *rest)))
    assert [each.state("a") for each in (one, two, three)] == ["inside", "outside", "outside"]
    assert "1 of 6 statistics lies outside" in one.verdicts["a"]
    assert "no more and no further than chance puts there" in one.verdicts["a"]
