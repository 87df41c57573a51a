"""What a session's log says of its conversation, and what may be asked of it after a kill."""


def said(update):
    """What an update of the agent says, comparable with its record; None for what the desk itself shows."""
    kind = update["sessionUpdate"]
    if kind == "agent_message_chunk":
        return update["content"]["text"]
    call, status = update.get("toolCallId", ""), update.get("status")
    # Calls of its own, and what a terminal prints meanwhile.
    by_desk = not call or call.startswith("kiro-core-") or status is None
    return None if by_desk else (kind, call, status)


class Conversation:
    """The conversation in the records of a log."""

    def __init__(self, lines):
        bodies = [line.body for line in lines]
        updates = [body["data"]["params"]["update"] for body in bodies if body["kind"] == "update"]
        self.said = _only_said(updates)
        self.prompts = [body["turn"] for body in bodies if body["kind"] == "prompt"]
        self.begun = [body["turn"] for body in bodies if body["kind"] == "turn_begun"]
        self.ends = {}
        for body in bodies:
            if body["kind"] == "turn_ended":
                self.ends.setdefault(body["turn"], []).append(body["data"])

    @property
    def interrupted(self):
        """The turns that had begun and did not end."""
        return [turn for turn in self.begun if turn not in self.ends]

    def lacks(self, shown):
        """What was shown and is not on record, in order and exactly once."""
        told = _only_said(shown)
        if self.said[: len(told)] == told:
            return []
        at = next(
            (at for at, pair in enumerate(zip(told, self.said, strict=False)) if pair[0] != pair[1]), len(self.said)
        )
        return [f"of {len(told)} updates shown, number {at} is {told[at : at + 2]}, on record {self.said[at : at + 2]}"]

    def unanswered(self, answers):
        """Turns whose end was told and is not on record."""
        return [
            f"the end of turn {number} was told, and is not on record" for number in answers if not self._over(number)
        ]

    def _over(self, number):
        return number < len(self.prompts) and self.prompts[number] in self.ends

    def unnamed(self, interrupted):
        """The turns of `interrupted` that were not named, once, as turns whose outcome nobody knows."""
        named = [turn for turn in interrupted if [end.get("state") for end in self.ends.get(turn, [])] == ["unknown"]]
        return [
            f"turn {turn} was interrupted, and its end is {self.ends.get(turn)}"
            for turn in interrupted
            if turn not in named
        ]

    @property
    def doubled(self):
        """The turns that ended more than once."""
        return [f"turn {turn} has the ends {ends}" for turn, ends in self.ends.items() if len(ends) > 1]


def _only_said(updates):
    return [words for update in updates if (words := said(update)) is not None]
