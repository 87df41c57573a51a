"""The contract of stores cannot be weakened in silence, and a failure says which promise is broken."""

import pytest

from kiro_core.testing import StoreContract

pytest_plugins = ["pytester"]

BROKEN = '''
    """A plugin that nobody has packaged yet."""
    import sys
    from contextlib import asynccontextmanager
    from kiro_core import Provider, hookimpl
    from kiro_core.testing import MemoryStore, StoreContract
    from kiro_core.types import Page

    class Wrong(MemoryStore):
        async def list(self, query, cursor=None, limit=50):
            return Page(["not a session"])

    @asynccontextmanager
    async def open_wrong(options):
        yield Wrong()

    @hookimpl
    def kiro_stores():
        yield Provider("wrong", open_wrong, backends=frozenset({"asyncio"}))

    class TestWrong(StoreContract):
        provider = "wrong"
        plugin = sys.modules[__name__]
'''


def test_a_promise_cannot_be_redefined():
    with pytest.raises(TypeError, match="redefines test_leaving_frees_the_session"):

        class Weaker(StoreContract):
            def test_leaving_frees_the_session(self):
                pass

    class Soft:
        def test_leaving_frees_the_session(self):
            pass

    with pytest.raises(TypeError, match="redefines test_leaving_frees_the_session"):

        class Softer(Soft, StoreContract):
            pass


@pytest.mark.parametrize(
    ("promise", "why"),
    [
        ("store.nothing", "waives store.nothing, which the contract does not have"),
        ("test_leaving_frees_the_session", "which the contract does not have"),
        ("store.lease.one-owner", "waives store.lease.one-owner, which is core"),
    ],
)
def test_a_promise_that_is_core_or_does_not_exist_cannot_be_waived(promise, why):
    with pytest.raises(TypeError, match=why):

        class Waiving(StoreContract):
            waived = {promise: "no reason"}  # noqa: RUF012 - as authors write it


def test_a_waived_promise_is_reported_as_a_skip_with_its_id_and_reason(pytester):
    pytester.makepyfile("""
        from kiro_core.testing import StoreContract
        import pytest

        class TestWaiving(StoreContract):
            provider = "files"
            waived = {"store.lease.error": "it is never freed"}

            @pytest.fixture
            def options(self, tmp_path):
                return {"root": tmp_path}
    """)
    outcome = pytester.runpytest_subprocess("-rs", "-k", "frees_the_session")
    outcome.assert_outcomes(skipped=2, passed=4)
    outcome.stdout.fnmatch_lines(["*store.lease.error is waived: it is never freed*"])


def test_a_failed_promise_explains_itself(pytester):
    pytester.makepyfile(BROKEN)
    outcome = pytester.runpytest_subprocess("-rs", "-k", "lists_nothing")
    outcome.assert_outcomes(failed=1, skipped=1)
    outcome.stdout.fnmatch_lines(
        [
            "*Left contains one more item: 'not a session'*",
            "store.catalogue.empty: A new store lists nothing, on one page.",
            "*wrong does not run on trio*",
        ]
    )


def test_a_provider_that_cannot_be_found_is_told_in_the_words_of_the_registry(pytester):
    pytester.makepyfile("""
        from kiro_core.testing import StoreContract

        class TestMisspelt(StoreContract):
            provider = "flies"
    """)
    outcome = pytester.runpytest_subprocess("-k", "lists_nothing")
    outcome.assert_outcomes(errors=2)
    outcome.stdout.fnmatch_lines(["No store is called 'flies'; did you mean 'files'?", "Available: files*"])


def test_options_that_cannot_be_used_are_told_in_the_words_of_the_registry(pytester):
    pytester.makepyfile("""
        from kiro_core.testing import StoreContract
        import pytest

        class TestMisspelt(StoreContract):
            provider = "files"

            @pytest.fixture
            def options(self, tmp_path):
                return {"rooot": tmp_path}
    """)
    outcome = pytester.runpytest_subprocess("-k", "lists_nothing")
    outcome.assert_outcomes(errors=2)
    outcome.stdout.fnmatch_lines(["Store 'files': there is no key 'rooot'; did you mean 'root'?"])
