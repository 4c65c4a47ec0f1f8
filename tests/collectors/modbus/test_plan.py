"""Read planning: few requests, no value split, no hole crossed, no limit of the device exceeded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgce.collectors.modbus.block import block_of
from kgce.collectors.modbus.plan import Read, halves, plan_reads
from kgce.collectors.profile import Profile, load_profile, parse_profile, profile_names
from kgce.domain.errors import ProfileError

POINT = """
[[point]]
name = "{name}"
register = {{ table = "{table}", address = {address}, type = "{type}" }}
kind = "{kind}"
confidence = "high"
{more}
"""


def made(*points: dict, **device: object) -> Profile:
    fields = "\n".join(f"{key} = {str(value).lower()}" for key, value in device.items())
    text = f'[device]\nbrand = "B"\nmodel = "M"\nmeasurement = "m"\nprotocol = "modbus"\nconfidence = "high"\nsource = "test"\n{fields}\n'
    usual = {"table": "holding", "type": "float32", "kind": "gauge", "more": ""}
    return parse_profile(text + "".join(POINT.format(**{**usual, **point}) for point in points), "made")


def value(name: str, address: int, **more: object) -> dict:
    return {"name": f"other_value_{name}", "address": address, **more}


def spans(reads: tuple[Read, ...]) -> list[tuple[int, int]]:
    return [(read.address, read.count) for read in reads]


@pytest.mark.hazard(24, 27)
@pytest.mark.parametrize("name", profile_names())
def test_no_request_of_a_shipped_profile_splits_a_value_or_exceeds_its_cap(name: str) -> None:
    """Some SDM630 accept at most 50 registers per read (devices.md 1.1, openWB core PR#2890)."""
    profile = load_profile(name)
    reads = plan_reads(profile)
    planned = [point.name for read in reads for point in read.points]
    assert sorted(planned) == sorted(point.name for point in profile.point if point.poll)
    for read in reads:
        assert 0 < read.words <= profile.device.max_registers
        for point in read.points:
            assert 0 <= read.first_word(point) <= read.words - point.register_.words
        assert len(block_of(profile, read).raw([0] * read.words)) == len(read.points)


def test_the_sdm630_is_read_in_four_requests() -> None:
    """Its points lie at 0-35, 52-79, 234-239, 342-357 (registers.csv); a cap of 50 and gaps of 10."""
    assert spans(plan_reads(load_profile("eastron-sdm630"))) == [(0, 36), (52, 28), (234, 6), (342, 16)]


@given(st.data())
@pytest.mark.hazard(24, 25, 27)
def test_any_map_is_read_whole_within_its_limits_and_around_its_holes(data: st.DataObject) -> None:
    words = {"uint16": 1, "float32": 2, "int64": 4}
    points, address = [], 0
    for place in range(data.draw(st.integers(1, 40))):
        kind = data.draw(st.sampled_from(sorted(words)))
        address += data.draw(st.integers(0, 15))
        points.append(value(str(place), address, type=kind))
        address += words[kind]
    cap, gap = data.draw(st.integers(4, 125)), data.draw(st.integers(0, 30))
    profile = made(*points, max_registers=cap, max_gap=gap)
    taken = {
        at
        for point in profile.point
        for at in range(point.register_.address, point.register_.address + point.register_.words)
    }
    holes = data.draw(st.frozensets(st.integers(0, address))) - taken
    reads = plan_reads(profile, holes=holes)
    assert sorted(point.name for read in reads for point in read.points) == sorted(
        point.name for point in profile.point
    )
    for read in reads:
        covered = set(range(read.address, read.address + read.count))
        assert read.count <= cap
        assert not covered & holes
        for point in read.points:
            assert set(range(point.register_.address, point.register_.address + point.register_.words)) <= covered


@pytest.mark.hazard(25)
def test_small_gaps_are_bridged_and_wide_ones_are_not() -> None:
    profile = made(value("a", 0), value("b", 12), value("c", 25))
    assert spans(plan_reads(profile)) == [(0, 14), (25, 2)]


@pytest.mark.hazard(25)
def test_a_known_hole_is_never_crossed() -> None:
    profile = made(value("a", 0), value("b", 4))
    assert spans(plan_reads(profile)) == [(0, 6)]
    assert spans(plan_reads(profile, holes={3})) == [(0, 2), (4, 2)]
    assert spans(plan_reads(profile, holes={("holding", 2)})) == [(0, 2), (4, 2)]
    assert spans(plan_reads(profile, holes={("input", 2)})) == [(0, 6)]


@pytest.mark.hazard(25)
def test_a_hole_of_the_profile_is_never_crossed() -> None:
    text = (
        load_text([value("a", 0), value("b", 4)]) + '\n[[hole]]\ntable = "holding"\nfirst = 2\nlast = 3\nwhy = "test"\n'
    )
    assert spans(plan_reads(parse_profile(text, "made"))) == [(0, 2), (4, 2)]


def load_text(points: list[dict]) -> str:
    head = '[device]\nbrand = "B"\nmodel = "M"\nmeasurement = "m"\nprotocol = "modbus"\nconfidence = "high"\nsource = "test"\n'
    usual = {"table": "holding", "type": "float32", "kind": "gauge", "more": ""}
    return head + "".join(POINT.format(**{**usual, **point}) for point in points)


@pytest.mark.hazard(25)
def test_a_register_that_is_cleared_by_reading_is_read_only_when_asked_for() -> None:
    profile = made(value("a", 0), value("peak", 2, more="read_to_clear = true\npoll = false"), value("b", 4))
    assert spans(plan_reads(profile)) == [(0, 2), (4, 2)]
    assert spans(plan_reads(profile, profile.point)) == [(0, 6)]


@pytest.mark.hazard(26)
def test_a_device_of_one_value_per_request_is_asked_so() -> None:
    """KEBA (devices.md 1.5): every request is one uint32, of two registers."""
    reads = plan_reads(load_profile("keba-p30"))
    assert all(len(read.points) == 1 and read.count == 2 for read in reads)


@pytest.mark.hazard(27)
def test_the_parts_of_one_value_are_read_in_one_request() -> None:
    """TUF-2000M: whole number at 8, fraction at 10; a cap between them moves both, halving leaves both."""
    profile = load_profile("tuf-2000m")
    narrow = profile.model_copy(update={"device": profile.device.model_copy(update={"max_registers": 10})})
    [read] = [read for read in plan_reads(narrow) if any(point.name == "water_volume" for point in read.points)]
    assert {"water_volume", "water_volume_fraction"} <= {point.name for point in read.points}
    while any(point.name == "water_volume" for point in read.points):
        parts = halves(read)
        if not parts:
            assert [point.name for point in read.points] == ["water_volume", "water_volume_fraction"]
            return
        [read] = [part for part in parts if any(point.name == "water_volume" for point in part.points)]
    pytest.fail("the value was lost while halving")


@pytest.mark.hazard(27)
def test_points_that_belong_together_share_a_request() -> None:
    together = {"more": 'together = "t"'}
    profile = made(value("a", 0, **together), value("b", 30), value("c", 50, **together))
    assert any(
        {"other_value_a", "other_value_c"} <= {point.name for point in read.points} for read in plan_reads(profile)
    )


def test_points_that_cannot_share_a_request_are_refused() -> None:
    together = {"more": 'together = "t"'}
    with pytest.raises(ProfileError, match="other_value_a: longer than max_registers 40"):
        made(value("a", 0, **together), value("c", 50, **together), max_registers=40)


def test_coils_have_a_limit_of_their_own() -> None:
    coils = [value(str(at), at * 5, table="coil", type="bool") for at in range(500)]
    reads = plan_reads(made(*coils))
    assert spans(reads) == [(0, 1996), (2000, 496)]
    assert all(read.is_bits for read in reads)


@pytest.mark.hazard(28)
def test_an_enron_register_number_answers_with_two_words() -> None:
    """Plum MacBAT 5: 7003 is a whole float; 7003 to 7008 are six numbers and twelve words (vector dec-enron-width)."""
    profile = load_profile("plum-macbat-5")
    wanted = [point for point in profile.point if 7003 <= point.register_.address <= 7008]
    [read] = plan_reads(profile, wanted)
    assert (read.address, read.count, read.words) == (7003, 6, 12)
    answer = [0x42C8, 0x0000] + [0] * 10
    assert block_of(profile, read).raw(answer)[0] == 100.0


def test_short_values_of_an_enron_device_are_one_word_each() -> None:
    profile = made(value("a", 3001, type="uint16"), value("b", 3002, type="uint16"), value("c", 3003), enron=True)
    reads = plan_reads(profile)
    assert [(read.address, read.count, read.words) for read in reads] == [(3001, 2, 2), (3003, 1, 2)]


def test_halves_hold_the_same_points() -> None:
    read = plan_reads(load_profile("eastron-sdm630"))[0]
    assert [point for half in halves(read) for point in half.points] == list(read.points)
    while len(read.points) > 1:
        read = halves(read)[0]
    assert halves(read) == (read,)
