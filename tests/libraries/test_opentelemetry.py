"""OpenTelemetry's exporters and gauges."""

from __future__ import annotations

import asyncio

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library

sdk_metrics = library("opentelemetry.sdk.metrics")
metrics_export = library("opentelemetry.sdk.metrics.export")
sdk_trace = library("opentelemetry.sdk.trace")
trace_export = library("opentelemetry.sdk.trace.export")


@claims("overrides", "opentelemetry.sdk.trace.export.SpanExporter.export")
async def test_spans(claim: Claim) -> None:
    probe = Probe(trace_export.SpanExportResult.SUCCESS)
    exporter = type("Exporter", (trace_export.SpanExporter,), {claim.member: claim.handler(probe)})()
    provider = sdk_trace.TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(trace_export.BatchSpanProcessor(exporter, schedule_delay_millis=10))
    provider.get_tracer("measured").start_span("measured").end()
    await probe.called()
    await asyncio.to_thread(provider.shutdown)
    claim.check(probe)


def meter_provider(exporter: object) -> object:
    reader = metrics_export.PeriodicExportingMetricReader(exporter, export_interval_millis=10)
    return sdk_metrics.MeterProvider([reader], shutdown_on_exit=False)


@claims("overrides", "opentelemetry.sdk.metrics.export.MetricExporter.export")
async def test_metrics(claim: Claim) -> None:
    probe = Probe(metrics_export.MetricExportResult.SUCCESS)
    exporter = type("Exporter", (metrics_export.ConsoleMetricExporter,), {claim.member: claim.handler(probe)})()
    provider = meter_provider(exporter)
    provider.get_meter("measured").create_counter("measured").add(1)  # type: ignore[attr-defined]
    await probe.called()
    await asyncio.to_thread(provider.shutdown, LIMIT * 1000)  # type: ignore[attr-defined]
    claim.check(probe)


@claims("runs", "opentelemetry.metrics.Meter.*")
async def test_gauges(claim: Claim) -> None:
    probe = Probe(())
    with open("/dev/null", "w", encoding="utf-8") as nowhere:
        provider = meter_provider(metrics_export.ConsoleMetricExporter(out=nowhere))
        getattr(provider.get_meter("measured"), claim.member)("measured", [probe])  # type: ignore[attr-defined]
        await probe.called()
        await asyncio.to_thread(provider.shutdown)  # type: ignore[attr-defined]
    claim.check(probe)
