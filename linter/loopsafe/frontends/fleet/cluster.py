"""The same on a cluster, by Dask: it hands projects out, again where a worker is lost, and shows how far it is.

A worker runs each project as it is run here, in a process of its own with its limits. So a project that takes all
memory costs no worker, and what is lost with a worker is done again elsewhere, by the engine's own count of tries.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

from loopsafe.frontends.fleet.alone import run_alone
from loopsafe.frontends.fleet.outcomes import Outcome, Settings, as_json, identity, read_outcome
from loopsafe.frontends.fleet.targets import Target
from loopsafe.frontends.terminal import CannotWork

# Of what goes wrong around a project, not in it: a worker without room on its disk, or with another loopsafe.
_RETRIES = 3
_WAIT_FOR_SCHEDULER = 30
_TURN = 0.1
_PRELOAD = "loopsafe.frontends.fleet.preload"
_DASHBOARD = "127.0.0.1:8787"


class OtherVersion(Exception):
    """A worker has another loopsafe or Python than who asks it."""


def run_on_cluster(
    targets: Sequence[Target], settings: Settings, address: str, jobs: int, tell: Callable[[str], object]
) -> Iterator[tuple[Target, Outcome]]:
    """The outcomes of the targets as they come, from the cluster of a scheduler or, without address, one made here.

    `tell` hears where the dashboard is.

    Raises:
        CannotWork: there is no scheduler, or none any more.
    """
    distributed: Any = import_module("distributed")
    with _client(distributed, address, jobs) as client:
        tell(f"dashboard: {client.dashboard_link}")
        who = identity()
        # Not by what they are given: the same project may be asked for again on another day.
        futures = {
            client.submit(work, target, settings, who, retries=_RETRIES, pure=False): target for target in targets
        }
        while futures:
            for future in [future for future in futures if future.done()]:
                target = futures.pop(future)
                yield target, _outcome(target, future)
                # Else the scheduler would keep the results of all.
                future.release()
            # Nothing of the engine's, in which Ctrl-C may be lost.
            time.sleep(_TURN)


def work(target: Target, settings: Settings, who: Mapping[str, Any]) -> str:
    """What a worker does: check a project. The outcome, as JSON.

    Raises:
        OtherVersion: it would not be the same as with whoever asks.
    """
    own = identity()
    if own != who:
        raise OtherVersion(f"a worker has {_told(own)}, and not {_told(who)} with the same files")
    return as_json(run_alone(target, settings))


def _told(who: Mapping[str, Any]) -> str:
    return f"loopsafe {who['loopsafe']} on Python {who['python']}"


def _outcome(target: Target, future: Any) -> Outcome:  # noqa: ANN401
    if future.status == "finished":
        return read_outcome(json.loads(future.result()))
    if future.status != "error":
        raise CannotWork(f"the cluster has given up {target.name}, as it does when its scheduler has ended")
    return Outcome(target.name, "failed", " ".join(str(future.exception()).split()))


@contextlib.contextmanager
def _client(distributed: Any, address: str, jobs: int) -> Iterator[Any]:  # noqa: ANN401
    # It says at length what is done about a worker that is lost.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    if address:
        try:
            client = distributed.Client(address, timeout=_WAIT_FOR_SCHEDULER, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CannotWork(f"--scheduler {address}: there is no answer: {error}") from error
        with client:
            yield client
        return
    # New workers are new Pythons, which look into their working directory first: not one of a project.
    with _elsewhere() as folder, import_module("dask").config.set({"temporary-directory": folder}):
        cluster = distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            memory_limit=None,
            dashboard_address=_DASHBOARD,
            local_directory=folder,
            preload=[_PRELOAD],
            silence_logs=logging.CRITICAL,
        )
        with cluster, distributed.Client(cluster, set_as_default=False) as client:
            yield client


@contextlib.contextmanager
def _elsewhere() -> Iterator[str]:
    """An empty folder, which is the working directory meanwhile."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="loopsafe-fleet-", ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(here)
