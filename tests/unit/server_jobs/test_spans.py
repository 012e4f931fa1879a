"""The spans of a ranking belong to the trace of the call that asked for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from transferscore_server.jobs.spans import RankingSpans

from tests.unit.server_jobs.front import front, ranking

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


@pytest.fixture
def finished(monkeypatch):
    """The spans that have ended, of a tracer of the test's own."""
    trace = pytest.importorskip("opentelemetry.trace")
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter.get_finished_spans


def test_a_rankings_spans_go_from_the_call_to_each_candidate(tmp_path, finished):
    labels = {"traceparent": f"00-{TRACE}-{CALLER}-01"}

    async def traced():
        async with front(tmp_path) as (scheduler, _):
            new = ranking("r", "odd:a", f"features:{tmp_path}/none.npz")
            await scheduler.submit(replace(new, labels=labels))
            await scheduler.wait(new.name, 60)

    asyncio.run(traced())
    good, bad, whole = finished()
    assert [span.name for span in (good, bad, whole)] == ["candidate", "candidate", "ranking"]
    assert {f"{span.context.trace_id:032x}" for span in (good, bad, whole)} == {TRACE}
    assert f"{whole.parent.span_id:016x}" == CALLER
    assert {span.parent.span_id for span in (good, bad)} == {whole.context.span_id}
    assert good.attributes["model"] == "odd:a"
    assert whole.attributes == {"ranking": "projects/p/rankings/r", "device": "cpu"}
    assert (good.status.is_ok, bad.status.is_ok) == (True, False)
    assert bad.status.description == "EncoderError"


def test_a_caller_without_a_trace_makes_no_spans(finished):
    spans = RankingSpans({"note": "no trace"}, "projects/p/rankings/r", "cpu")
    spans.began("a")
    spans.close("FAILED")
    assert finished() == ()
