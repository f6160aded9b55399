"""Reports that more was asked than the tariff: whom they are about, what is compared, where they go, what they tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mpp.catalog.v1 import offering_pb2
from mpp.complaints.v1 import complaint_pb2, events_pb2
from mpp.complaints.v1 import complaints_service_pb2 as rpc
from mpp_chassis.aggregates import Stored
from mpp_complaints import domain, messages, overcharge, policy
from mpp_complaints.domain import Class, Limits, Reader, Terms, Visibility
from mpp_complaints.messages import Sight
from mpp_complaints.store import from_state, to_state
from mpp_complaints.views import Ticket

SITE = "sites/malang"
DUKCAPIL, SAMSAT, INSPECTORATE = (f"{SITE}/agencies/{a}" for a in ("dukcapil", "samsat", "inspektorat"))
TICKET, KTP = f"{SITE}/queues/dukcapil/tickets/aaaaaaaaaa", f"{SITE}/offerings/ktp-el"
NOW, DAY = datetime(2026, 3, 2, 3, tzinfo=UTC), timedelta(days=1)
TERMS = Terms(
    NOW + 3 * DAY, NOW + 5 * DAY, NOW + 10 * DAY, NOW + 60 * DAY, dict.fromkeys(Class, NOW + 84 * DAY), Limits()
)


class Known:
    """In the place of the projections: a ticket, an offering, agencies."""

    def __init__(self, ticket: Ticket | None = None, of: str = "", agencies: tuple[str, ...] = ()) -> None:
        self._ticket, self._of, self._agencies = ticket, of, agencies

    def ticket(self, name: str) -> Ticket | None:
        return self._ticket

    def agency(self, name: str) -> str:
        return self._of

    def known(self, name: str) -> bool:
        return name in self._agencies


def about(request: dict[str, str], ticket: Ticket | None = None, of: str = "") -> overcharge.About:
    here: Any = Known(ticket, of)
    return overcharge.about(rpc.ReportOverchargeRequest(parent=SITE, asked_idr=1, **request), here, here)


def test_a_served_ticket_says_everything() -> None:
    assert about({"ticket": TICKET}, Ticket(DUKCAPIL, KTP)) == overcharge.About(DUKCAPIL, KTP)


def test_what_is_not_known_here_must_be_named_and_nothing_may_contradict() -> None:
    with pytest.raises(domain.AgencyNeeded):
        about({"ticket": TICKET})
    assert about({"ticket": TICKET, "agency": DUKCAPIL}) == overcharge.About(DUKCAPIL, "")
    assert about({"application": f"{SITE}/applications/aaaaaaaaaa", "offering": KTP}, of=DUKCAPIL).agency == DUKCAPIL
    for wrong in ({"ticket": TICKET, "agency": SAMSAT}, {"ticket": TICKET, "offering": KTP}):
        with pytest.raises(domain.InvalidField) as caught:
            about(wrong, Ticket(DUKCAPIL, ""), of=SAMSAT if "offering" in wrong else "")
        assert caught.value.field == "agency"
    with pytest.raises(domain.InvalidField) as caught:
        about({"agency": DUKCAPIL})
    assert caught.value.field == "ticket"


def test_only_one_published_amount_is_compared() -> None:
    free, fixed = offering_pb2.Fee(amount_idr=0, basis="UU 24/2013"), offering_pb2.Fee(amount_idr=50_000)
    many = offering_pb2.Fee(tariffs=[offering_pb2.Tariff(amount_idr=900_000)])
    assert overcharge.overcharge(1, KTP, free).excess_idr == 1
    assert overcharge.overcharge(50_001, KTP, fixed).excess_idr == 1
    with pytest.raises(domain.NotAboveFee) as caught:
        overcharge.overcharge(50_000, KTP, fixed)
    assert caught.value.metadata == {"official_idr": "50000"}
    for fee in (many, None):
        report = overcharge.overcharge(1, KTP, fee)
        assert (report.official_idr, report.excess_idr) == (None, None)
    with pytest.raises(domain.InvalidField):
        domain.Overcharge(0)


def test_it_goes_to_the_inspectorate_or_to_the_site_manager() -> None:
    rules = policy.default()

    def to(accused: str, *agencies: str) -> str:
        here: Any = Known(agencies=agencies)
        return overcharge.handler(SITE, accused, rules, here)

    assert to(DUKCAPIL, DUKCAPIL, INSPECTORATE) == INSPECTORATE
    assert to(DUKCAPIL, DUKCAPIL) == "", "this site has none"
    assert to(INSPECTORATE, INSPECTORATE) == "", "nobody inspects oneself"


def filed(routed_to: str = INSPECTORATE, visibility: Visibility = Visibility.ANONYMOUS) -> domain.Complaint:
    fee = offering_pb2.Fee(amount_idr=0, basis="UU 24/2013")
    new = domain.NewComplaint(
        name=f"{SITE}/complaints/aaaaaaaaaa",
        agency=DUKCAPIL,
        subject=overcharge.SUBJECT,
        sealed_words="sealed",
        visibility=visibility,
        classified=Class.SUPERVISORY,
        ticket=TICKET,
        owner="sub:ani",
        sealed_phone="sealed-phone",
        routed_to=routed_to,
        overcharge=overcharge.overcharge(150_000, KTP, fee),
    )
    return domain.file(new, TERMS, NOW, "citizen:ani")


def test_its_legal_maximum_is_kept_although_its_class_has_more() -> None:
    verified = filed().verify(None, TERMS, NOW, "agency_admin:inspector")
    assert verified.settle_by == NOW + 60 * DAY


def test_nothing_of_the_person_and_nothing_of_the_accused_is_public() -> None:
    (event,) = messages.events(filed())
    message = event.message
    assert isinstance(message, events_pb2.ComplaintFiled)
    assert (message.agency, message.about_agency) == (INSPECTORATE, DUKCAPIL)
    assert message.kind == complaint_pb2.Complaint.KIND_OVERCHARGE
    personal = {f.name for f in message.DESCRIPTOR.fields if f.GetOptions().Extensions[_personal()]}
    assert {"about_agency", "ticket", "application", "sealed_phone"} <= personal
    for name in personal:
        message.ClearField(name)
    assert not {"dukcapil", "ani", TICKET} & set(str(message).replace('"', " ").replace("/", " ").split())
    moved = filed().verify(None, TERMS, NOW, "agency_admin:inspector")
    assert "dukcapil" not in str(messages.events(moved)[0].message)


def _personal() -> Any:
    from mpp.options.v1 import options_pb2

    return options_pb2.personal


def test_the_inspectorate_reads_the_sums_and_not_who_reports() -> None:
    report = filed()

    def seen(reader: Reader) -> complaint_pb2.Complaint:
        return messages.reply(report, Sight(report.words_for(reader), report.person_for(reader)), NOW)

    inspector = seen(Reader.AGENCY_ADMIN)
    assert (inspector.overcharge.asked_idr, inspector.overcharge.excess_idr) == (150_000, 150_000)
    assert inspector.overcharge.official_fee.basis == "UU 24/2013"
    assert (inspector.ticket, inspector.history[0].actor, inspector.handled_by) == ("", "citizen", INSPECTORATE)
    assert not seen(Reader.OFFICER).HasField("overcharge")
    assert seen(Reader.REPORTER).ticket == TICKET
    told = filed(visibility=Visibility.CONFIDENTIAL)
    assert [told.person_for(r) for r in (Reader.AGENCY_ADMIN, Reader.SITE_MANAGER, Reader.OFFICER)] == [
        True,
        True,
        False,
    ]
    assert filed(visibility=Visibility.PUBLIC).visibility is Visibility.ANONYMOUS


@pytest.mark.parametrize("routed_to", [INSPECTORATE, ""])
def test_the_store_finds_it_for_the_one_who_handles_it(routed_to: str) -> None:
    report = filed(routed_to)
    state = to_state(report)
    assert state["agency"] == routed_to
    assert from_state(Stored(report.name, SITE, 1, state)) == report
    old = {k: v for k, v in to_state(filed()).items() if k not in ("about", "overcharge")} | {"agency": SAMSAT}
    before = from_state(Stored(report.name, SITE, 1, old))
    assert (before.agency, before.handled_by, before.overcharge) == (SAMSAT, SAMSAT, None)
