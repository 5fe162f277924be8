"""Serves `/metrics` for Prometheus: everything of `core.services.metrics.series`, read at the moment it is asked for.

Open on this machine, and to nobody else without a token that may read. Where the database does not answer it says so
with 503, and never with numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from core.api.limits import STRANGER_RATE, TOKEN_RATE, Limiter
from core.api.problems import Problem
from core.api.tokens import CallerLimits, address, caller_of, check
from core.domain.errors import PerpdeckError
from core.domain.token import Scope as May
from core.services.access.login import loopback
from core.services.metrics.series import ALL, Labels, Samples, Series, SeriesKind, Spread
from core.wiring import Services, get_services

PATH = "/metrics"
MEDIA = "text/plain; version=0.0.4; charset=utf-8"
PASSED_ON = ("x-forwarded-for", "forwarded", "x-real-ip", "via")  #: whoever sends these speaks for somebody else


def route(
    version: str,
    services: Callable[[], Services] = get_services,
    monotonic: Callable[[], float] = time.monotonic,
) -> Route:
    """Return the route. `services` is called at each request, since the services start after it."""
    limits = CallerLimits(Limiter(TOKEN_RATE, monotonic), Limiter(STRANGER_RATE, monotonic))
    process = ProcessCollector(registry=None)

    def answer(scope: Scope) -> Response:
        if not _from_here(scope):
            check(caller_of(scope, services, limits), May.READ)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Exposition(services().metrics.read(), version))
        registry.register(process)
        return Response(generate_latest(registry), headers={"content-type": MEDIA, "cache-control": "no-store"})

    async def metrics(request: Request) -> Response:
        try:
            return await run_in_threadpool(answer, request.scope)
        except Problem as problem:
            return problem.response()
        except PerpdeckError as error:
            return Problem(503, str(error), headers={"retry-after": "5"}).response()

    return Route(PATH, metrics, methods=["GET"])


class Exposition(Collector):
    """Collects the samples for the Prometheus exposition format."""

    def __init__(self, samples: Samples, version: str) -> None:
        self._samples, self._version = samples, version

    def collect(self) -> Iterator[Metric]:
        self._samples.add("perpdeck_info", (self._version,))
        for series in ALL:
            if series.kind is SeriesKind.HISTOGRAM:
                yield _histogram(series, self._samples.spreads.get(series.name, {}))
            else:
                yield _numbers(series, self._samples)


def _numbers(series: Series, samples: Samples) -> Metric:
    made = Metric(series.name.removesuffix("_total"), _help(series), str(series.kind))
    for labels, value in sorted(samples.numbers.get(series.name, {}).items()):
        made.add_sample(series.name, dict(zip(series.labels, labels, strict=True)), float(value))
    return made


def _histogram(series: Series, spreads: dict[Labels, Spread]) -> Metric:
    """Return a histogram with its sum also where values may be negative: then it is no counter, and `rate` of it is a
    mean.
    """
    made = Metric(series.name, _help(series), "histogram")
    bounds = [
        floatToGoString(bound)  # type: ignore[no-untyped-call]
        for bound in (*series.bounds, float("inf"))
    ]
    for labels, spread in sorted(spreads.items(), key=lambda item: item[0]):
        named, counts = dict(zip(series.labels, labels, strict=True)), spread.cumulative()
        for bound, reached in zip(bounds, counts, strict=True):
            made.add_sample(f"{series.name}_bucket", {**named, "le": bound}, reached)
        made.add_sample(f"{series.name}_count", named, counts[-1])
        made.add_sample(f"{series.name}_sum", named, float(spread.total))
    return made


def _help(series: Series) -> str:
    return f"{series.words}. {series.unit}."


def _from_here(scope: Scope) -> bool:
    """Return whether this very machine asks for itself: not through a proxy, and not by a page of a browser under
    another name.
    """
    headers = Headers(scope=scope)
    if any(name in headers for name in PASSED_ON) or not loopback(address(scope)):
        return False
    try:
        return loopback(urlsplit(f"//{headers.get('host', '')}").hostname)
    except ValueError:
        return False
