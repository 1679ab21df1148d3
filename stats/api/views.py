"""The API of figures: lists as JSON or CSV, pages, single figures and bulk changes."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from .. import writing
from ..cleaning import RowErrors, clean_figures
from ..history import Revision
from ..models import Stat
from ..writing import Author
from .description import list_parameters
from .list_query import ListQuery, parse_list_query
from .pagination import DEFAULT_LIMIT, is_paginated, paginate
from .parsers import ExactJSONParser
from .permissions import required_permissions
from .preconditions import (
    conditional,
    conditional_without_etag,
    etag_of,
    etag_of_list,
    evaluate,
    is_conditional,
)
from .serializers import (
    MAX_BULK_FIGURES,
    BulkAnswerSerializer,
    BulkSerializer,
    StatListSerializer,
    StatSerializer,
)
from .stream import CsvRenderer, csv_response, json_response


class StatViewSet(GenericViewSet[Stat]):
    """The figures: the value of a KPI in a month."""

    queryset = Stat.objects.all()
    serializer_class = StatSerializer
    parser_classes = (ExactJSONParser,)
    lookup_value_regex = "[0-9]{1,18}"
    pagination_class = None

    def get_permissions(self) -> list[Any]:
        return required_permissions(self.action)

    def get_renderers(self) -> list[BaseRenderer]:
        csv = [CsvRenderer()] if self.action == "list" else []
        return [*super().get_renderers(), *csv]

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        finalized = super().finalize_response(request, response, *args, **kwargs)
        renderer = getattr(finalized, "accepted_renderer", None)
        if isinstance(renderer, CsvRenderer):
            finalized.content_type = JSONRenderer.media_type
        finalized.setdefault("Cache-Control", "private, no-cache")
        return finalized

    @extend_schema(
        description="Figures by period and KPI, unless `ordering` says otherwise. All of them, or a"
        " page with `limit` or `cursor`.",
        parameters=[
            *list_parameters(),
            OpenApiParameter(
                "Content-Disposition",
                location=OpenApiParameter.HEADER,
                description="The file name of a CSV file.",
                response=[200],
            ),
        ],
        responses={
            (200, "application/json"): StatListSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    @conditional
    def list(self, request: Request) -> HttpResponseBase:
        query = parse_list_query(request.query_params)
        # First, and from the same database: an entity tag must not be newer than the figures.
        revision = Revision.current(query.figures.db)
        etag = etag_of_list(revision, request)
        response: HttpResponseBase
        if evaluate(request, etag):
            response = HttpResponse(status=status.HTTP_304_NOT_MODIFIED)
        elif isinstance(request.accepted_renderer, JSONRenderer) and not is_paginated(request):
            response = json_response(query.figures, revision)
        else:
            response = self._list_response(request, query)
        response["ETag"] = etag
        return response

    def _list_response(self, request: Request, query: ListQuery) -> HttpResponseBase:
        if isinstance(request.accepted_renderer, CsvRenderer):
            if is_paginated(request):
                name = "limit" if "limit" in request.query_params else "cursor"
                raise ValidationError({name: ["A CSV has no pages. Remove this parameter."]})
            return csv_response(query.figures)
        if is_paginated(request):
            page = paginate(query.figures, query.ordering, request)
            data = self.get_serializer(page.stats, many=True).data
            return Response({"data": data, "next": page.next, "previous": page.previous})
        # The browsable API shows only the first figures.
        data = self.get_serializer(query.figures[:DEFAULT_LIMIT], many=True).data
        return Response({"data": data})

    @extend_schema(description="The figure and its ETag.")
    @conditional
    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        stat = self.get_object()
        if evaluate(request, etag_of(stat)):
            headers = {"ETag": etag_of(stat)}
            return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        return self._stat_response(stat)

    @extend_schema(
        description="A KPI has at most one figure for each month. Conditions refer to the list.",
        responses={201: StatSerializer},
        parameters=[
            OpenApiParameter(
                "Location",
                OpenApiTypes.URI,
                OpenApiParameter.HEADER,
                description="The URL of the new figure.",
                response=[201],
            )
        ],
    )
    @conditional
    def create(self, request: Request) -> Response:
        if is_conditional(request):
            evaluate(request, etag_of_list(Revision.current("default"), request))
        values = self._values(request)
        try:
            with transaction.atomic():
                if is_conditional(request):  # again, with the lock that excludes other writers
                    step = Revision.grow("default")
                    former = Revision.current("default") - step
                    evaluate(request, etag_of_list(former, request))
                stat = writing.add(values, self._author(request))
        except DjangoValidationError as error:
            raise ValidationError(error.message_dict) from error
        response = self._stat_response(stat, status.HTTP_201_CREATED)
        response["Location"] = self.reverse_action("detail", [stat.pk])
        return response

    @extend_schema(
        description="Send `If-Match` with the ETag that you read, or the last writer wins."
    )
    @conditional
    def update(self, request: Request, pk: str) -> Response:
        return self._change(request, pk)

    @extend_schema(
        description="Only the members that you send are changed. Send `If-Match` with the ETag that"
        " you read, or the last writer wins."
    )
    @conditional
    def partial_update(self, request: Request, pk: str) -> Response:
        return self._change(request, pk, partial=True)

    @extend_schema(description="With `If-Match`, only the version that you read is deleted.")
    @conditional_without_etag
    def destroy(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            stat = writing.lock(pk)
            if stat is None:
                raise NotFound
            evaluate(request, etag_of(stat))
            writing.delete(Stat.objects.filter(pk=pk), self._author(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Add or change many figures",
        description="A figure of the same KPI and month is changed, any other is added. If one is "
        "invalid, none is stored, and `fields.rows` names each invalid one by its position from 1.",
        request=BulkSerializer,
        responses=BulkAnswerSerializer,
    )
    @action(detail=False, methods=["post"], name="Add or change many figures")
    @conditional_without_etag
    def bulk(self, request: Request) -> Response:
        evaluate(request, None)
        body = request.data
        if isinstance(body, dict) and set(body) == {"data"}:
            body = body["data"]
        if not isinstance(body, list):
            raise ParseError('Send {"data": […]} with a list of figures.')
        if len(body) > MAX_BULK_FIGURES:
            raise ParseError(
                f"data: This request has {len(body)} figures. Send at most {MAX_BULK_FIGURES} at"
                " once."
            )
        try:
            figures = clean_figures(enumerate(body, start=1))
        except RowErrors as error:
            fields = {str(number): errors for number, errors in error.errors_by_row.items()}
            raise ValidationError({"rows": fields}) from error
        result = writing.upsert_all(figures, self._author(request))
        return Response(BulkAnswerSerializer(result).data)

    def _stat_response(self, stat: Stat, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(
            self.get_serializer(stat).data, status=status_code, headers={"ETag": etag_of(stat)}
        )

    def _values(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _change(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        if is_conditional(request):  # before the body is read (RFC 9110 section 13.2.1)
            evaluate(request, etag_of(self.get_object()))
        values = self._values(request, partial=partial)

        def check(stat: Stat) -> None:  # again, with the figure locked
            evaluate(request, etag_of(stat))

        try:
            stat = writing.change(pk, values, self._author(request), check=check)
        except Stat.DoesNotExist as error:
            raise NotFound from error
        except DjangoValidationError as error:
            raise ValidationError(error.message_dict) from error
        return self._stat_response(stat)

    @staticmethod
    def _author(request: Request) -> Author:
        if getattr(request.user, "is_machine", False):
            return Author(None, str(request.user))
        actor = getattr(request.auth, "actor", None)
        return Author(request.user, f"API, by {actor}" if actor else "API")
