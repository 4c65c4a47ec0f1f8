"""What a profile leaves unsure is said when a gateway loads it, once."""

import pytest

from kgce.collectors.profile import load_profile
from kgce.collectors.profile_notices import tell_what_is_unsure


def test_each_remark_is_logged_once_for_all_devices_of_a_profile(caplog: pytest.LogCaptureFixture) -> None:
    names = ["danfoss-ecl-120", "danfoss-ecl-120", "eastron-sdm630", "tuf-2000m"]
    tell_what_is_unsure([(name, load_profile(name)) for name in names])
    assert caplog.messages == [
        (
            "profile danfoss-ecl-120: unverified, compare with the device's display: "
            "temperature_s1, temperature_s2, temperature_s3, temperature_s4, temperature_s5 and 4 more"
        ),
        "profile tuf-2000m: unverified, compare with the device's display: heat_power, operating_hours",
        "profile tuf-2000m: ratio totaliser_multiplier is not configured, 1 is assumed",
    ]


def test_nothing_is_said_of_a_profile_that_is_sure(caplog: pytest.LogCaptureFixture) -> None:
    tell_what_is_unsure([("eastron-sdm630", load_profile("eastron-sdm630"))])
    assert caplog.messages == []
