"""The site's queues, kinds of channel and channels keep the catalogue's own rules: read as mppctl reads them, judged by the
catalogue's domain. Knows no store and no service.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from mpp_catalog import domain, messages
from mppctl.sitefiles import SiteFiles, load

SITES = Path(__file__).parents[3] / "sites"


@pytest.fixture(scope="module", params=sorted(p.parent.name for p in SITES.glob("*/site.yaml")))
def files(request: pytest.FixtureRequest) -> SiteFiles:
    (found,) = load(SITES / request.param)
    return found


def test_every_agency_service_and_kind_is_one_that_the_catalogue_takes(files: SiteFiles) -> None:
    assert files.site
    messages.to_site(files.site).check()
    for agency in files.agencies:
        messages.to_agency(agency).check()
    for offering in files.offerings:
        messages.to_offering(offering).check()
    for kind in files.kinds:
        messages.to_channel_kind(kind).check()


def test_every_channel_fits_its_kind_and_offers_what_its_agency_has(files: SiteFiles) -> None:
    kinds = {kind.name: messages.to_channel_kind(kind) for kind in files.kinds}
    agencies = {agency.name for agency in files.agencies}
    holders = {offering.name: offering.agency for offering in files.offerings}
    for message in files.channels:
        channel = messages.to_channel(message)
        channel.check()
        kinds[channel.kind].check_settings(channel.settings)
        assert channel.agency in agencies
        for offering in channel.offerings:
            assert holders[offering] == channel.agency


def test_the_reference_site_shows_each_kind_of_policy_and_every_kind_of_channel_of_the_domain() -> None:
    (malang,) = load(SITES / "malang")
    agencies = [messages.to_agency(agency) for agency in malang.agencies]
    assert {a.queue.priority.kind for a in agencies if a.queue and a.queue.priority} == {"ratio", "strict", "ageing"}
    umkm = [c.id for a in agencies if a.queue and a.queue.priority for c in a.queue.priority.classes if c.id == "umkm"]
    assert umkm
    assert any(a.queue and a.queue.appointments for a in agencies)
    kinds = {domain.site_of(k.name) and k.name.rsplit("/", 1)[1] for k in malang.kinds}
    assert kinds == {"counter", "kiosk", "online", "drive_thru", "home_visit", "room"}
    assert {"kiosk", "room", "home_visit"} <= {c.kind.rsplit("/", 1)[1] for c in malang.channels}
