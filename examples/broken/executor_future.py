"""A job on a thread pool answers the coroutine that asked through an asyncio future."""

import asyncio
import faulthandler
import time
from concurrent.futures import ThreadPoolExecutor


class Calculator:
    def __init__(self):
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(max_workers=2)

    async def square(self, number):
        answer = self._loop.create_future()
        self._pool.submit(self._compute, number, answer)
        return await answer

    def _compute(self, number: int, answer: asyncio.Future) -> None:
        time.sleep(0.1)  # a long calculation
        answer.set_result(number * number)


async def main():
    calculator = Calculator()
    print("squares", await calculator.square(3), await calculator.square(4))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(2, exit=True)  # a hang ends here and shows where
    asyncio.run(main())
