"""The Singer SDK's own 16 tests for targets, on every Postgres there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing.config import SuiteConfig
from singer_sdk.testing.runners import TargetTestRunner
from singer_sdk.testing.suites import target_tests

from target_crmdb import TargetCrmdb

if TYPE_CHECKING:
    from singer_sdk.testing.templates import TargetTestTemplate


@pytest.mark.parametrize("test_class", target_tests.tests, ids=lambda test_class: str(test_class.name))
def test_sdk(test_class: type[TargetTestTemplate], database: Any) -> None:
    """Each of the SDK's tests gets a database of its own (its ready-made class would share one)."""
    config = {"sqlalchemy_url": database.sqlalchemy_url, "default_target_schema": "sdk"}
    suite_config = SuiteConfig()
    runner = TargetTestRunner(TargetCrmdb, config=config, suite_config=suite_config)
    test_class().run(config=suite_config, resource=None, runner=runner)
    if runner.input_filepath:
        runner.target_input.close()  # the SDK leaves that to the garbage collector, which warns


def test_the_suite_is_whole() -> None:
    assert 16 == len(target_tests.tests)
