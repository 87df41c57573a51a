"""What a store promises of epochs: each acquisition has its own, and who is no owner any more writes nothing."""

from __future__ import annotations

import pytest

from kiro_core.errors import Fenced
from kiro_core.ports import SessionDb, SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import records, session


class FencingPromises:
    """Epochs and late writers."""

    @promise("store.lease.epochs", core=True)
    async def test_the_epoch_grows_with_every_owner_even_if_nothing_is_written(self, store: SessionStore) -> None:
        """Each acquisition has a higher epoch than all before it, also where nothing was written in between."""
        info = session()
        async with store.create(info) as db:
            epochs = [db.epoch]
        for _ in range(3):
            async with store.open(info.id) as db:
                epochs.append(db.epoch)
        assert epochs[0] >= 1
        assert epochs == sorted(set(epochs))

    @promise("store.lease.record-epochs")
    async def test_every_record_carries_the_epoch_of_its_writer(self, store: SessionStore) -> None:
        """A record says under which epoch it was written."""
        info = session()
        async with store.create(info) as first:
            await first.append([b"{}", b"{}"])
        async with store.open(info.id) as second:
            await second.append([b"{}"])
        assert [record.epoch for record in await records(store, info.id)] == [first.epoch, first.epoch, second.epoch]

    @promise("store.lease.fenced", core=True)
    async def test_an_owner_that_left_can_do_nothing(self, store: SessionStore) -> None:
        """Behind the block every verb of the `SessionDb` raises `Fenced` and does nothing, whoever is the owner."""
        info = session()
        async with store.create(info) as db:
            await db.append([b"{}"])
        await self._is_fenced(db)
        async with store.open(info.id):
            await self._is_fenced(db)
        assert len(await records(store, info.id)) == 1

    @staticmethod
    async def _is_fenced(db: SessionDb) -> None:
        with pytest.raises(Fenced):
            await db.append([b"{}"])
        with pytest.raises(Fenced):
            await db.commit()
        with pytest.raises(Fenced):
            await db.tail(1)
        with pytest.raises(Fenced):
            await db.put_info(db.info)
