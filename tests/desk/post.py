"""Letters for tests: put into an inbox as another session would, and seen as an agent and clients are shown them."""

import json

from kiro_core.crew.letters import body_of
from kiro_core.journal import prompt_text
from kiro_core.types import Letter, SessionId
from kiro_files import FilesOptions, open_store

INBOX = "_kiro.dev/session/inbox_notification"


async def put(store, session, id_, text="hello", **more):
    """Put a letter into an inbox, and nothing else."""
    letter = Letter(id_, text=text, **{"sender": "s-ada", "name": "Ada", **more})
    return await store.put(SessionId(session), id_, body_of(letter))


async def send(office, session, id_, text="hello", **more):
    """The same from a session of this desk."""
    return await put(office.desk._backends.store, session, id_, text, **more)


async def pending(session):
    """What is not settled, by the ids."""
    async with open_store(FilesOptions()) as store, store.open(SessionId(session)) as db:
        return [message.id for message in await db.pending()]


def inbox(office, session):
    return office.desk.live[session].inbox


async def arrived(office, session, *ids):
    """Wait until these letters are unread."""
    box = inbox(office, session)
    while not {letter.id for letter in box.unread} >= set(ids):
        await box.changed.wait()


async def recorded(office, session, kind, count):
    """Wait until so many of a kind are on record."""
    live = office.desk.live[session]
    while True:
        head = live.db.head
        if len(found := await office.entries(session, kind)) >= count:
            return found
        await live.journal.grown(head)


async def ended(office, session, count):
    """Wait until so many turns have ended; what each came to."""
    found = await recorded(office, session, "turn_ended", count)
    return [item.value.get("stopReason") or item.value["state"] for item in found]


async def prompts(office, session):
    """The texts of all prompts that were accepted."""
    return [prompt_text(item.frame) for item in await office.entries(session, "prompt")]


def counts(client):
    """What the client was told of what came: sender names and how many wait."""
    return [(frame.params["senders"], frame.params["messageCount"]) for frame in client.frames if frame.method == INBOX]


def told(client, session):
    """The blocks of each prompt that a scripted agent with `SAYS` was sent."""
    return [json.loads(line) for line in client.text(session).splitlines() if line.startswith('["')]


SAYS = """
texts = [block['text'] for block in got['session/prompt']['prompt']]
tell(json.dumps(texts) + '\\n')
reason = 'end_turn'
if texts[-1] == 'wait':
    line = sys.stdin.readline()
    texts[-1] = 'die' if '_x/die' in line else 'waited'
    reason = 'cancelled' if 'cancel' in line else 'end_turn'
if texts[-1] == 'die':
    os._exit(3)
answers['session/prompt'] = {'stopReason': reason}
"""
"""Code of a scripted agent that says what it was sent; at "wait" it waits for another message."""
