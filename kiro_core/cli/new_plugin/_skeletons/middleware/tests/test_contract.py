from kiro_core.testing import MiddlewareContract


class TestExample(MiddlewareContract):
    provider = "example"
