"""What no error tells, on emulated platforms: a token that will end, and a permission that the platform lies about."""

from __future__ import annotations

from datetime import timedelta

from reviewdesk.desk.coverage import watch
from tests.flows.street import Street


def looks(shop: Street) -> int:
    return sum("debug_token" in each.path for each in list(shop.emulator("facebook").requests))


async def test_the_end_of_a_token_is_told_three_times_and_costs_one_look_a_day(street) -> None:
    shop: Street = street("facebook", "heureka")
    shop.emulator("facebook").data_access_days = 16
    began, told = shop.clock(), []
    await shop.poll()
    for _ in range(4 * 16):
        for each in await watch(shop.config, shop.store):
            left = began + timedelta(days=16) - shop.clock()
            told.append((each.source, round(left / timedelta(days=1)), "Until" in each.sentence))
        shop.clock.forward(hours=6)
    assert told == [("facebook", days, True) for days in (14, 7, 1)]
    assert looks(shop) <= 17, "once a day, and once more on the last"
    (facebook,) = [each for each in shop.store.sources.states() if each.id == "facebook"]
    assert len(facebook.notices) == 1, "what was told last still holds"
    shop.emulator("facebook").data_access_days = 90
    shop.clock.forward(days=1)
    assert await watch(shop.config, shop.store) == []
    assert shop.store.coverage.notices("facebook") == ()


async def test_a_source_that_is_switched_off_or_parked_is_not_looked_at(street) -> None:
    shop: Street = street("facebook")
    await shop.poll()
    shop.store.sources.switch("facebook", on=False)
    assert (await watch(shop.config, shop.store), looks(shop)) == ([], 0)


def test_cron_is_told_of_an_end_once_and_coverage_tells_it_as_long_as_it_holds(street) -> None:
    shop: Street = street("facebook")
    shop.emulator("facebook").data_access_days = 5
    code, out, err = shop.run("poll", "--now", "--quiet")
    assert (code, out, err.count("\n")) == (0, "", 1)
    assert err.startswith("facebook: Access to data lasts ")
    assert shop.run("poll", "--now", "--quiet") == (0, "", "")
    assert looks(shop) == 1
    for command in ("coverage", "sources"):
        assert "Access to data lasts" in shop.run(command)[1]
