"""influxdb-client's batches, to a server that takes them or not."""

from __future__ import annotations

import asyncio
import http.server

from tests.libraries.measure import Claim, Probe, claims, library
from tests.libraries.servers import HOST, serving

influxdb_client = library("influxdb_client")
write_api = library("influxdb_client.client.write_api")


class Taker(http.server.BaseHTTPRequestHandler):
    """Takes what is written to the bucket `good`."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(204 if "good" in self.path else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()


@claims("runs", "influxdb_client.InfluxDBClient.write_api")
async def test_batch(claim: Claim) -> None:
    options = write_api.WriteOptions(batch_size=1, flush_interval=10)
    with serving(http.server.ThreadingHTTPServer((HOST, 0), Taker)) as port:
        client = influxdb_client.InfluxDBClient(f"http://{HOST}:{port}", "token", org="org")
        for bucket, callback in (("good", "success_callback"), ("bad", "error_callback")):
            probe = Probe()
            writer = client.write_api(options, **{callback: probe})
            writer.write(bucket, record="measured value=1")
            await probe.called()
            await asyncio.to_thread(writer.close)
            claim.check(probe)
        client.close()
