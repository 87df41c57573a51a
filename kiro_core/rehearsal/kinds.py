"""Which kind of agent the command line asks for: a profile, with features added and taken away."""

from __future__ import annotations

from argparse import Namespace
from importlib import import_module

from kiro_core.rehearsal import plain
from kiro_core.rehearsal.features import OPTIONS
from kiro_core.rehearsal.profile import Choice, Profile

PLAIN = Profile(
    info={"name": "rehearsal", "title": "Rehearsal agent", "version": "1"},
    choices=(
        Choice("model", "Model", "model", {"rehearsal-1": "rehearsal-1", "rehearsal-2": "rehearsal-2"}),
        Choice("pace", "Pace", "thought_level", {"usual": "Usual", "slow": "Slow"}),
        Choice("loud", "Loud", "model_config"),
    ),
)


def profile_of(options: Namespace) -> Profile:
    """The profile that the options name, changed as they say."""
    profile = PLAIN
    if options.like:
        profile = import_module(f"kiro_core.rehearsal.likes.{options.like}").PROFILE
    elif options.memory:
        profile = profile._replace(features=profile.features | {"load", "resume"})
    if options.modes:
        profile = _with_modes(profile, options.modes)
    without = [*options.without_, OPTIONS] if options.no_config_options else options.without_
    return profile._replace(features=profile.features.union(*options.with_).difference(*without))


def _with_modes(profile: Profile, modes: list[str]) -> Profile:
    """Offer these in place of the profile's own."""
    mode = Choice("mode", "Mode", "mode", {name: name for name in modes})
    others = [choice for choice in profile.choices if choice.id != "mode"]
    features = profile.features | {"modes"}
    return profile._replace(features=features, choices=(mode, *others), choices_in=plain.no_choices)
