"""gRPC to use cases and views. Knows the requests' shapes and each error's status; never a store."""

from __future__ import annotations

import grpc
from mpp.catalog.v1 import agency_pb2, channel_pb2, offering_pb2, site_pb2
from mpp.catalog.v1 import catalog_service_pb2 as pb
from mpp_chassis.call import Call

from mpp_catalog import domain, retiring, usecases, views
from mpp_catalog.usecases import App

ERRORS: dict[type[Exception], grpc.StatusCode] = {
    domain.InvalidField: grpc.StatusCode.INVALID_ARGUMENT,
    domain.EtagMismatch: grpc.StatusCode.FAILED_PRECONDITION,
    domain.QueueClaimed: grpc.StatusCode.FAILED_PRECONDITION,
    domain.ChannelUnfit: grpc.StatusCode.FAILED_PRECONDITION,
    domain.StillOpen: grpc.StatusCode.FAILED_PRECONDITION,
    domain.StillNeeded: grpc.StatusCode.FAILED_PRECONDITION,
}


class CatalogApi:
    """mpp.catalog.v1.CatalogService."""

    def __init__(self, app: App) -> None:
        self._app = app

    def GetSite(self, request: pb.GetSiteRequest, call: Call) -> site_pb2.Site:
        return views.get_site(self._app, request.name)

    def ApplySite(self, request: pb.ApplySiteRequest, call: Call) -> site_pb2.Site:
        return usecases.apply_site(self._app, request, call)

    def GetAgency(self, request: pb.GetAgencyRequest, call: Call) -> agency_pb2.Agency:
        return views.get_agency(self._app, request.name)

    def ListAgencies(self, request: pb.ListAgenciesRequest, call: Call) -> pb.ListAgenciesResponse:
        return views.list_agencies(self._app, request)

    def ApplyAgency(self, request: pb.ApplyAgencyRequest, call: Call) -> agency_pb2.Agency:
        return usecases.apply_agency(self._app, request, call)

    def GetOffering(self, request: pb.GetOfferingRequest, call: Call) -> offering_pb2.Offering:
        return views.get_offering(self._app, request.name)

    def ListOfferings(self, request: pb.ListOfferingsRequest, call: Call) -> pb.ListOfferingsResponse:
        return views.list_offerings(self._app, request)

    def SearchOfferings(self, request: pb.SearchOfferingsRequest, call: Call) -> pb.SearchOfferingsResponse:
        return views.search_offerings(self._app, request)

    def ApplyOffering(self, request: pb.ApplyOfferingRequest, call: Call) -> offering_pb2.Offering:
        return usecases.apply_offering(self._app, request, call)

    def DeleteAgency(self, request: pb.DeleteAgencyRequest, call: Call) -> pb.DeleteAgencyResponse:
        return retiring.delete_agency(self._app, request, call)

    def DeleteOffering(self, request: pb.DeleteOfferingRequest, call: Call) -> pb.DeleteOfferingResponse:
        return retiring.delete_offering(self._app, request, call)

    def GetChannelKind(self, request: pb.GetChannelKindRequest, call: Call) -> channel_pb2.ChannelKind:
        return views.get_channel_kind(self._app, request.name)

    def ListChannelKinds(self, request: pb.ListChannelKindsRequest, call: Call) -> pb.ListChannelKindsResponse:
        return views.list_channel_kinds(self._app, request)

    def ApplyChannelKind(self, request: pb.ApplyChannelKindRequest, call: Call) -> channel_pb2.ChannelKind:
        return usecases.apply_channel_kind(self._app, request, call)

    def DeleteChannelKind(self, request: pb.DeleteChannelKindRequest, call: Call) -> pb.DeleteChannelKindResponse:
        return retiring.delete_channel_kind(self._app, request, call)

    def DeleteSite(self, request: pb.DeleteSiteRequest, call: Call) -> pb.DeleteSiteResponse:
        return retiring.delete_site(self._app, request, call)

    def GetOpenWork(self, request: pb.GetOpenWorkRequest, call: Call) -> pb.OpenWork:
        return retiring.open_work(self._app, request, call)

    def GetChannel(self, request: pb.GetChannelRequest, call: Call) -> channel_pb2.Channel:
        return views.get_channel(self._app, request.name)

    def ListChannels(self, request: pb.ListChannelsRequest, call: Call) -> pb.ListChannelsResponse:
        return views.list_channels(self._app, request)

    def ApplyChannel(self, request: pb.ApplyChannelRequest, call: Call) -> channel_pb2.Channel:
        return usecases.apply_channel(self._app, request, call)

    def DeleteChannel(self, request: pb.DeleteChannelRequest, call: Call) -> pb.DeleteChannelResponse:
        return retiring.delete_channel(self._app, request, call)
