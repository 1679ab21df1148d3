"""Figures for programs: read, write, in pages or whole, as JSON or CSV."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
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
from ..filters import ORDERINGS
from ..history import Revision
from ..models import Stat
from ..writing import Author
from .list_query import Question, question_of
from .pagination import DEFAULT_LIMIT, MAX_LIMIT, page_of, wants_pages
from .parsers import ExactJSONParser
from .permissions import needed_for
from .preconditions import etag_of, etag_of_list, evaluate, is_conditional
from .serializers import (
    BulkAnswerSerializer,
    BulkSerializer,
    StatListSerializer,
    StatSerializer,
)
from .stream import csv_answer, json_answer

MOST_ROWS = 10_000  # of one bulk request

_TEXTS = {
    "kpi": "Figures of this KPI; may be repeated.",
    "year": "Figures of this year.",
    "from": "From this month on, like 201901.",
    "to": "Up to this month, like 202006.",
    "search": "KPIs whose name holds this text.",
    "ordering": f"Any of {', '.join(ORDERINGS)}, comma-separated; - before one: descending.",
    "limit": f"A page of so many rows, at most {MAX_LIMIT}; {DEFAULT_LIMIT} with a cursor alone.",
    "cursor": "Where the page begins: follow `next` and `previous`.",
    "format": "`csv` for a table instead of JSON.",
}
LIST_PARAMETERS = [OpenApiParameter(name, description=text) for name, text in _TEXTS.items()]


class CsvRenderer(BaseRenderer):
    """Makes `?format=csv` and `Accept: text/csv` known; the rows are written by `stream`."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        # Only what failed comes here, and that is the same JSON everywhere.
        return JSONRenderer().render(data)


class StatViewSet(GenericViewSet[Stat]):
    """The figures, by KPI and month."""

    queryset = Stat.objects.all()
    serializer_class = StatSerializer
    parser_classes = (ExactJSONParser,)
    lookup_value_regex = "[0-9]{1,18}"
    pagination_class = None

    def get_permissions(self) -> list[Any]:
        return needed_for(self.action, self.request)

    def get_renderers(self) -> list[BaseRenderer]:
        more = [CsvRenderer()] if self.action == "list" else []
        return [*super().get_renderers(), *more]

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        renderer = getattr(answer, "accepted_renderer", None)
        if isinstance(renderer, CsvRenderer):
            answer.content_type = JSONRenderer.media_type
        answer.setdefault("Cache-Control", "private, no-cache")
        return answer

    @extend_schema(responses=StatListSerializer, parameters=LIST_PARAMETERS)
    def list(self, request: Request) -> HttpResponseBase:
        question = question_of(request.query_params)
        if is_conditional(request):
            etag = etag_of_list(Revision.current(), request)
            if evaluate(request, etag):
                return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
        if isinstance(request.accepted_renderer, JSONRenderer) and not wants_pages(request):
            answer, revision = json_answer(question)
        else:  # the revision first: a tag must not be newer than what it is of
            revision, answer = Revision.current(), self._list_answer(request, question)
        answer["ETag"] = etag_of_list(revision, request)
        return answer

    def _list_answer(self, request: Request, question: Question) -> HttpResponseBase:
        if isinstance(request.accepted_renderer, CsvRenderer):
            if wants_pages(request):
                name = "limit" if "limit" in request.query_params else "cursor"
                raise ParseError(f"{name}: A CSV holds every row; leave it out.", code=name)
            return csv_answer(question.figures)
        if wants_pages(request):
            page = page_of(question.figures, question.ordering, request)
            rows = self.get_serializer(page.rows, many=True).data
            return Response({"data": rows, "next": page.next, "previous": page.previous})
        # In the browsable API a person looks: the first ones will do.
        rows = self.get_serializer(question.figures[:DEFAULT_LIMIT], many=True).data
        return Response({"data": rows})

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        stat = self.get_object()
        if evaluate(request, etag_of(stat)):
            headers = {"ETag": etag_of(stat)}
            return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        return self._item(stat)

    @extend_schema(responses={201: StatSerializer})
    def create(self, request: Request) -> Response:
        if is_conditional(request):
            evaluate(request, etag_of_list(Revision.current(), request))
        values = self._values(request)
        try:
            with transaction.atomic():
                if is_conditional(request):  # again, now that no other request can write
                    Revision.grow("default")
                    evaluate(request, etag_of_list(Revision.current() - 1, request))
                stat = writing.add(values, self._author(request))
        except DjangoValidationError as error:
            raise ValidationError(error.message_dict) from error
        answer = self._item(stat, status.HTTP_201_CREATED)
        answer["Location"] = self.reverse_action("detail", [stat.pk])
        return answer

    def update(self, request: Request, pk: str) -> Response:
        return self._changed(request, pk)

    def partial_update(self, request: Request, pk: str) -> Response:
        return self._changed(request, pk, partial=True)

    def destroy(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            stat = writing.lock(pk)
            if stat is None:
                raise NotFound
            evaluate(request, etag_of(stat))
            writing.delete(Stat.objects.filter(pk=pk), self._author(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=BulkSerializer, responses=BulkAnswerSerializer)
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Add or change up to 10,000 figures: all of them, or none and which rows are wrong."""
        evaluate(request, None)
        body = request.data
        if isinstance(body, dict) and set(body) == {"data"}:
            body = body["data"]
        if not isinstance(body, list):
            raise ParseError('Send {"data": […]} with a list of figures.')
        if len(body) > MOST_ROWS:
            raise ParseError(f"data: Send at most {MOST_ROWS} rows at once; these are {len(body)}.")
        try:
            figures = clean_figures(enumerate(body, start=1))
        except RowErrors as error:
            rows = {str(number): errors for number, errors in error.rows.items()}
            raise ValidationError({"rows": rows}) from error
        written = writing.upsert_all(figures, self._author(request))
        return Response(BulkAnswerSerializer(written).data)

    def _item(self, stat: Stat, status_code: int = status.HTTP_200_OK) -> Response:
        return Response(
            self.get_serializer(stat).data, status=status_code, headers={"ETag": etag_of(stat)}
        )

    def _values(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        serializer = self.get_serializer(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _changed(self, request: Request, pk: str, *, partial: bool = False) -> Response:
        if is_conditional(request):  # before the body is read, RFC 9110 section 13.2.1
            evaluate(request, etag_of(self.get_object()))
        values = self._values(request, partial=partial)

        def check(stat: Stat) -> None:  # again, now that no other request can write
            evaluate(request, etag_of(stat))

        try:
            stat = writing.change(pk, values, self._author(request), check=check)
        except Stat.DoesNotExist as error:
            raise NotFound from error
        except DjangoValidationError as error:
            raise ValidationError(error.message_dict) from error
        return self._item(stat)

    @staticmethod
    def _author(request: Request) -> Author:
        if getattr(request.user, "is_machine", False):
            return Author(None, str(request.user))
        return Author(request.user, "API")
