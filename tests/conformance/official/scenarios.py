"""Every scenario that the pinned suites have for servers: a new one is a failure until it is in here and passes."""

from typing import NamedTuple

from official.suite import NEXT, STABLE

_BOTH = """
    completion-complete json-schema-2020-12 prompts-get-embedded-resource prompts-get-simple prompts-get-with-args
    prompts-get-with-image resources-read-binary resources-read-text resources-templates-read tools-call-audio
    tools-call-embedded-resource tools-call-error tools-call-image tools-call-mixed-content tools-call-simple-text
    tools-call-with-progress
"""
_BOTH_PLAIN = """
    dns-rebinding-protection prompts-list resources-list server-sse-multiple-streams tools-list
"""
_HANDSHAKE = """
    elicitation-sep1034-defaults elicitation-sep1330-enums logging-set-level resources-subscribe resources-unsubscribe
    server-sse-polling tools-call-elicitation tools-call-sampling tools-call-with-logging
"""
_HANDSHAKE_PLAIN = "ping server-initialize"
_STATELESS = """
    http-custom-header-server-validation input-required-result-basic-elicitation
    input-required-result-basic-list-roots input-required-result-basic-sampling
    input-required-result-capability-check input-required-result-ignore-extra-params
    input-required-result-missing-input-response input-required-result-multi-round
    input-required-result-multiple-input-requests input-required-result-non-tool-request
    input-required-result-request-state input-required-result-result-type input-required-result-tampered-state
    input-required-result-validate-input server-stateless
"""
_STATELESS_PLAIN = """
    caching http-header-validation input-required-result-unsupported-methods sep-2164-resource-not-found
"""

PLAIN_HANDSHAKE = {*_BOTH_PLAIN.split(), *_HANDSHAKE_PLAIN.split()}
"""What says nothing of fixtures, so that any server should pass it."""
HANDSHAKE = {*_BOTH.split(), *_HANDSHAKE.split(), *PLAIN_HANDSHAKE}
PLAIN_STATELESS = {*_BOTH_PLAIN.split(), *_STATELESS_PLAIN.split()}
STATELESS = {*_BOTH.split(), *_STATELESS.split(), *PLAIN_STATELESS}
_EXTENSIONS = """
    sep-2640-skills-directory sep-2640-skills-enumeration sep-2640-skills-manifest
    tasks-capability-negotiation tasks-dispatch-and-envelope tasks-lifecycle tasks-mrtr-composition tasks-mrtr-input
    tasks-request-headers tasks-request-state-removal tasks-required-task-error tasks-status-notifications
    tasks-wire-fields
"""
EXTENSIONS = set(_EXTENSIONS.split())
"""What no server needs, and the SDK lacks; the suite leaves it out where a revision of the protocol is named."""

_RESUMABLE = {
    ("server-sse-polling", "server-sse-priming-event", "WARNING"),
    ("server-sse-polling", "server-sse-retry-field", "WARNING"),
}
"""Recommended where a client can have a stream again that broke off; our server stores none."""


class Run(NamedTuple):
    """One run of a suite: with the fixtures all `scenarios` pass but for what is `known`, and without them `plain`."""

    version: str
    options: tuple[str, ...]
    scenarios: set[str]
    plain: set[str]
    known: set[tuple[str, str, str]]
    checks: int


LATER = {"server-session-lifecycle"}
"""Of the handshake era, and in the newer suite only."""

RUNS = {
    "stable": Run(STABLE, (), HANDSHAKE, PLAIN_HANDSHAKE, _RESUMABLE, 44),
    "next-handshake": Run(
        NEXT, ("--spec-version", "2025-11-25"), HANDSHAKE | LATER, PLAIN_HANDSHAKE | LATER, _RESUMABLE, 81
    ),
    "next-stateless": Run(NEXT, ("--spec-version", "2026-07-28"), STATELESS, PLAIN_STATELESS, set(), 152),
}
