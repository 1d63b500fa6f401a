"""cffi, with a thread that C starts."""

from __future__ import annotations

import os

import pytest

from tests.libraries.measure import Claim, Probe, claims, library

cffi = library("cffi")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no pthread_create")
@claims("decorators", "cffi.FFI.callback")
async def test_callback(claim: Claim) -> None:
    probe, ffi = Probe(), cffi.FFI()
    ffi.cdef("int pthread_create(unsigned long *, void *, void *(*)(void *), void *);")
    ffi.cdef("int pthread_join(unsigned long, void **);")

    @ffi.callback("void *(void *)")
    def start(_: object) -> object:
        probe()
        return ffi.NULL

    library_of_c, thread = ffi.dlopen(None), ffi.new("unsigned long *")
    library_of_c.pthread_create(thread, ffi.NULL, start, ffi.NULL)
    await probe.called()
    library_of_c.pthread_join(thread[0], ffi.NULL)
    claim.check(probe)
