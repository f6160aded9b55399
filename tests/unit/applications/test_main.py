"""The one setting of the service is checked when the process starts, and the error names it."""

from __future__ import annotations

import pytest
from mpp_applications.main import at_risk_percent
from mpp_chassis.settings import BadSettings


def test_at_risk_percent_is_read() -> None:
    assert at_risk_percent({}) == 80
    assert at_risk_percent({"MPP_APPLICATIONS_AT_RISK_PERCENT": "50"}) == 50


@pytest.mark.parametrize("text", ["0", "100", "-1", "80%", ""])
def test_a_bad_setting_is_named(text: str) -> None:
    with pytest.raises(BadSettings, match="MPP_APPLICATIONS_AT_RISK_PERCENT"):
        at_risk_percent({"MPP_APPLICATIONS_AT_RISK_PERCENT": text})
