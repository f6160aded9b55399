"""A report that more was asked than the tariff says (pungli): made in one call from a ticket or an application.

Knows the request, the catalogue's fees and where such a report goes. Never knows the store of complaints or gRPC. What
it promises the reporter: the agency that it is about handles nothing of it, reads nothing of it and hears nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mpp.catalog.v1 import offering_pb2
from mpp.complaints.v1 import complaints_service_pb2

from mpp_complaints import domain
from mpp_complaints.policy import Policy
from mpp_complaints.views import Agencies, Offerings, Waits

SUBJECT = "Diminta bayar lebih dari tarif resmi / asked for more than the published fee"


@dataclass(frozen=True, slots=True)
class About:
    """Whom a report is about, and for what; `offering` may be empty."""

    agency: str
    offering: str


def about(request: complaints_service_pb2.ReportOverchargeRequest, waits: Waits, offerings: Offerings) -> About:
    """From the request, the ticket that a counter served, or the offering: in this order, and none may contradict another.

    Raises domain.AgencyNeeded, domain.InvalidField (ticket, agency, offering).
    """
    if not request.ticket and not request.application:
        raise domain.InvalidField("ticket", "name the ticket or the application that it is about")
    ticket = waits.ticket(request.ticket) if request.ticket else None
    offering = request.offering or (ticket.offering if ticket else "")
    known = [ticket.agency if ticket else "", offerings.agency(offering) if offering else ""]
    agency = request.agency or next(filter(None, known), "")
    if not agency:
        raise domain.AgencyNeeded("the ticket is not known here yet: name the agency", field="agency")
    if any(k and k != agency for k in known):
        raise domain.InvalidField("agency", "is not the one of the ticket or the offering")
    return About(agency, offering)


def overcharge(asked_idr: int, offering: str, fee: offering_pb2.Fee | None) -> domain.Overcharge:
    """With the fee as it is published now. Raises domain.NotAboveFee.

    Of several tariffs, or a formula, no amount is compared: which one is due is not known here.
    """
    if fee is None:
        return domain.Overcharge(asked_idr, offering=offering)
    published = fee.SerializeToString(deterministic=True)
    if fee.HasField("amount_idr"):
        return domain.Overcharge(asked_idr, fee.amount_idr, published, offering)
    return domain.Overcharge(asked_idr, None, published, offering)


def handler(site: str, accused: str, policy: Policy, agencies: Agencies) -> str:
    """The site's inspectorate; "" (the site manager) where it has none, or where it is the one that is accused."""
    inspectorate = policy.overcharge.inspectorate(site)
    name = f"{site}/agencies/{inspectorate}" if inspectorate else ""
    return name if name and name != accused and agencies.known(name) else ""
