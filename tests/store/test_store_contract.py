"""The contract of stores cannot be weakened in silence."""

import pytest

from kiro_core.testing import StoreContract

pytest_plugins = ["pytester"]


def test_a_promise_cannot_be_redefined():
    with pytest.raises(TypeError, match="redefines test_leaving_frees_the_session"):

        class Weaker(StoreContract):
            def test_leaving_frees_the_session(self):
                pass


def test_a_promise_that_does_not_exist_cannot_be_waived():
    with pytest.raises(TypeError, match="waives test_of_nothing"):

        class Waiving(StoreContract):
            waived = {"test_of_nothing": "no reason"}  # noqa: RUF012 - as authors write it


def test_a_waived_promise_is_reported_as_a_skip_with_its_reason(pytester):
    pytester.makepyfile("""
        from kiro_core.testing import StoreContract
        from kiro_files import kiro_stores
        import pytest

        class TestWaiving(StoreContract):
            (provider,) = kiro_stores()
            waived = {"test_leaving_frees_the_session": "it is never freed"}

            @pytest.fixture
            def options(self, tmp_path):
                return {"root": tmp_path}
    """)
    outcome = pytester.runpytest_subprocess("-rs", "-k", "frees_the_session")
    outcome.assert_outcomes(skipped=2, passed=4)
    outcome.stdout.fnmatch_lines(["*waived: it is never freed*"])


def test_a_failed_promise_explains_itself(pytester):
    pytester.makepyfile("""
        from contextlib import asynccontextmanager
        from kiro_core import Provider
        from kiro_core.testing import StoreContract
        from kiro_core.types import Page

        class Wrong:
            async def list(self, query, cursor=None, limit=50):
                return Page(["not a session"])

        @asynccontextmanager
        async def open_wrong(options):
            yield Wrong()

        class TestWrong(StoreContract):
            provider = Provider("wrong", open_wrong, backends=frozenset({"asyncio"}))
    """)
    outcome = pytester.runpytest_subprocess("-rs", "-k", "lists_nothing")
    outcome.assert_outcomes(failed=1, skipped=1)
    outcome.stdout.fnmatch_lines(["*Left contains one more item: 'not a session'*", "*wrong does not run on trio*"])
