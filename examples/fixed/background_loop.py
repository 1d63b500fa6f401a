"""The other way round: the loop runs in the thread, and the main thread stops it."""

import asyncio
import faulthandler
import threading
import time


class BackgroundLoop:
    """Runs coroutines for code that has no event loop of its own."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def start(self):
        self._thread.start()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def result_of(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


async def fetch():
    return 42


def main():
    background = BackgroundLoop()
    background.start()
    print("fetched", background.result_of(fetch()))
    time.sleep(0.1)  # other work
    background.stop()
    print("stopped")


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    main()
