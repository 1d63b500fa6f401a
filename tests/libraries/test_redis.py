"""redis' subscriptions, on a redis that is played by fakeredis."""

from __future__ import annotations

from tests.libraries.measure import LIMIT, Claim, Probe, claims, library

library("redis")
fakeredis = library("fakeredis")


@claims("runs", "redis.client.PubSub.subscribe", "redis.client.PubSub.psubscribe")
async def test_subscription(claim: Claim) -> None:
    probe, client = Probe(), fakeredis.FakeRedis()
    subscription = client.pubsub()
    getattr(subscription, claim.member)(channel=probe)
    thread = subscription.run_in_thread(0.01)
    client.publish("channel", "1")
    await probe.called()
    thread.stop()
    thread.join(LIMIT)
    assert "run_in_thread" in claim.row.only_if_called
    claim.check(probe)


@claims("runs", "redis.client.PubSub.run_in_thread")
async def test_exception(claim: Claim) -> None:
    probe, client = Probe(), fakeredis.FakeRedis()
    subscription = client.pubsub()
    subscription.subscribe(channel=lambda message: 1 / 0)
    thread = subscription.run_in_thread(0.01, False, probe)
    client.publish("channel", "1")
    await probe.called()
    thread.stop()
    thread.join(LIMIT)
    claim.check(probe)
