"""Workers killed at random, many times over: nobody is lost, and a kill costs few copies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kill_campaign import campaign
from kill_house import House

pytest_plugins = ["kill_fixtures"]
pytestmark = pytest.mark.kill

CONNECTIONS = 4


@pytest.mark.parametrize("workers", [1, 3])
def test_kills_at_random_keep_every_promise(
    house: House, database_url: str, workers: int, kills: int | None, tell: Callable[[str], None]
) -> None:
    result = campaign(
        house,
        database_url,
        readers=150 if kills else 40,
        connections=CONNECTIONS,
        workers=workers,
        kills=(kills or 6) // 2,
        seed=20261123,
    )
    tell(f"{house.kind(database_url):10}  kills at random, workers={workers}  {result}")
    assert result.kept, result
    assert result.kills == (kills or 6) // 2
    assert house.roll() == 0
