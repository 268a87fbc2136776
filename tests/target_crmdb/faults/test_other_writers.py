"""Somebody who is no run of ours writes into a stream's table at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from tests.target_crmdb.faults.conftest import is_waiting_for_a_lock
from tests.target_crmdb.faults.servers import wait_for

if TYPE_CHECKING:
    from tests.target_crmdb.conftest import Loader, Singer
    from tests.target_crmdb.faults.conftest import Starter


def test_a_row_that_somebody_inserts_in_the_same_moment_is_updated(
    load: Loader, start: Starter, singer: Singer
) -> None:
    """T05: the key is there only when the insert comes; it is neither rejected nor lost, nor are its neighbours."""
    schema = singer.schema({"name": singer.text})
    load(schema)
    with psycopg.connect(load.database.url) as somebody:
        somebody.execute("INSERT INTO crm_test.contacts (id, name) VALUES ('2', 'theirs')")
        run = start(schema, *(singer.record({"id": one, "name": "ours"}) for one in "123"), batch_size_rows=3)
        wait_for(lambda: is_waiting_for_a_lock(load))
        somebody.commit()
    assert 0 == run.finish(singer.state("end")), run.log
    assert [(one, "ours") for one in "123"] == load.table("id, name")
    assert {"seen": 3, "created": 2, "updated": 1} == load.outcomes()
