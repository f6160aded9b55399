"""The catalogue's rules: sites, agencies, public services and their standards, channels and their kinds.

Knows the 14 components of a service standard, what may not clash within a site, and when a resource has
changed. Never knows storage, gRPC, events on a wire, or a clock: everything comes in as an argument.

Field paths in errors are those of the public requests (`agency.queue.counters`): a caller can mend them.
"""

from __future__ import annotations

from mpp_catalog.domain.agency import Agency, AgencyPublished, Facility
from mpp_catalog.domain.channel import Attribute, Channel, ChannelKind, ChannelKindPublished, ChannelPublished
from mpp_catalog.domain.errors import (
    CatalogError,
    ChannelUnfit,
    EtagMismatch,
    InvalidField,
    QueueClaimed,
    StillNeeded,
    StillOpen,
)
from mpp_catalog.domain.offering import (
    COMPONENTS,
    Fee,
    Offering,
    OfferingPublished,
    Requirement,
    ServiceTime,
    Standard,
    Tariff,
)
from mpp_catalog.domain.parts import Closure, Text, site_of
from mpp_catalog.domain.publishing import Dependants, Resource, check_etag, etag, publish, refuse_retiring
from mpp_catalog.domain.queue import (
    AgendaHours,
    AppointmentRules,
    Claim,
    NumberRange,
    PriorityClass,
    PriorityPolicy,
    QueueSpec,
    Quota,
)
from mpp_catalog.domain.site import Holiday, Maintenance, OpeningHours, Site, SitePublished

__all__ = [
    "COMPONENTS",
    "Agency",
    "AgencyPublished",
    "AgendaHours",
    "AppointmentRules",
    "Attribute",
    "CatalogError",
    "Channel",
    "ChannelKind",
    "ChannelKindPublished",
    "ChannelPublished",
    "ChannelUnfit",
    "Claim",
    "Closure",
    "Dependants",
    "EtagMismatch",
    "Facility",
    "Fee",
    "Holiday",
    "InvalidField",
    "Maintenance",
    "NumberRange",
    "Offering",
    "OfferingPublished",
    "OpeningHours",
    "PriorityClass",
    "PriorityPolicy",
    "QueueClaimed",
    "QueueSpec",
    "Quota",
    "Requirement",
    "Resource",
    "ServiceTime",
    "Site",
    "SitePublished",
    "Standard",
    "StillNeeded",
    "StillOpen",
    "Tariff",
    "Text",
    "check_etag",
    "etag",
    "publish",
    "refuse_retiring",
    "site_of",
]
