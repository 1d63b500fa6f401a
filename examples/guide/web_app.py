import asyncio

from fastapi import FastAPI

app = FastAPI()
jobs: asyncio.Queue[str] = asyncio.Queue()


@app.post("/jobs/{name}")
def add(name: str):
    jobs.put_nowait(name)


@app.get("/jobs/next")
async def take():
    return await jobs.get()
