"""Conversations over several programs: Procrastinate brings each to one worker, in order, on PostgreSQL.

A job is deferred in the transaction that stores the message, so there is no message without its job. Rows stay the
truth: a job that got lost costs seconds, because the turn loop's sweep looks for what nobody answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence

import procrastinate
import structlog
from procrastinate.jobs import Job
from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from core.intake.receive import Stored
from core.intake.turns import Conversation, conversation_of
from storage.database import Database

log = structlog.get_logger("nghedan.jobs")

_QUEUE, _TASK = "conversations", "converse"
_HEARTBEAT_S, _DEAD_AFTER_S = 2.0, 8.0
_POLL_S = 1.0
_LOCK_KEY = 7_261_123

Converse = Callable[[Conversation], Awaitable[None]]


class ConversationJobs:
    """One program's side of the shared queue: it defers, works, or both."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # It logs every job with its arguments; a failed turn is logged by the turn loop.
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        conninfo = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=4)
        )

    def defer(self, session: Session, stored: Sequence[Stored]) -> None:
        """Queue a job for every new message that waits, in the caller's transaction."""
        jobs = [_job(one) for one in stored if one.waiting]
        if jobs:
            connection = session.connection().connection.driver_connection
            self._app.job_manager.batch_defer_jobs(jobs, connection=connection)

    async def work(self, converse: Converse, *, name: str, concurrency: int) -> None:
        """Answer conversations until cancelled; locks of workers that died are freed within seconds."""

        @self._app.task(name=_TASK, queue=_QUEUE)
        async def run(inbound_id: int) -> None:
            conversation = await asyncio.to_thread(self._conversation, inbound_id)
            if conversation is not None:
                await converse(conversation)

        async with self._app.open_async():
            cleaning = asyncio.create_task(self._free_locks_of_the_dead())
            try:
                await self._app.run_worker_async(
                    queues=[_QUEUE],
                    name=name,
                    concurrency=concurrency,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    fetch_job_polling_interval=_POLL_S,
                    update_heartbeat_interval=_HEARTBEAT_S,
                    stalled_worker_timeout=_DEAD_AFTER_S,
                    shutdown_graceful_timeout=3.0,
                )
            finally:
                cleaning.cancel()

    def _conversation(self, inbound_id: int) -> Conversation | None:
        with self._database.read() as session:
            return conversation_of(session, inbound_id)

    async def _free_locks_of_the_dead(self) -> None:
        manager = self._app.job_manager
        while True:
            await asyncio.sleep(_DEAD_AFTER_S / 2)
            for job in await manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=_DEAD_AFTER_S):
                assert job.id is not None
                await manager.retry_job_by_id_async(job.id, retry_at=procrastinate.utils.utcnow())
                log.warning("job of a dead worker queued again", job=job.id)


def _job(stored: Stored) -> Job:
    key = f"{stored.channel}\0{stored.account_id}\0{stored.sender_id}"
    return Job(
        id=None,
        queue=_QUEUE,
        lock=hashlib.sha256(key.encode()).hexdigest()[:24],
        queueing_lock=None,
        task_name=_TASK,
        task_kwargs={"inbound_id": stored.inbound_id},
    )


def workers_alive(session: Session) -> int:
    """Workers that gave a sign of life within seconds."""
    query = (
        "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :s)"
    )
    return int(session.scalar(text(query), {"s": _DEAD_AFTER_S}) or 0)


def ensure_schema(database: Database) -> None:
    """Make Procrastinate's tables of the installed version, in place of another version's.

    Its rows are only hints about ours, so nothing is lost by dropping them.
    """
    with database.write() as session:
        connection = session.connection()
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        if _version(connection) == procrastinate.__version__:
            return
        for statement in connection.execute(text(_DROPS)).scalars().all():
            connection.exec_driver_sql(statement)
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute(SchemaManager.get_schema())
        connection.exec_driver_sql(f"COMMENT ON TABLE procrastinate_jobs IS '{procrastinate.__version__}'")


def _version(connection: Connection) -> str | None:
    query = "SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')"
    version: str | None = connection.execute(text(query)).scalar_one()
    return version


# Tables first: they own their triggers and sequences.
_DROPS = r"""
SELECT statement FROM (
    SELECT 1 AS turn, format('DROP TABLE IF EXISTS %I CASCADE', tablename) AS statement
    FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate\_%'
    UNION ALL
    SELECT 2, format('DROP FUNCTION IF EXISTS %s CASCADE', p.oid::regprocedure)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = current_schema() AND p.proname LIKE 'procrastinate\_%'
    UNION ALL
    SELECT 3, format('DROP TYPE IF EXISTS %I CASCADE', t.typname)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = current_schema() AND t.typname LIKE 'procrastinate\_%' AND t.typtype IN ('e', 'c')
      AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind <> 'c')
) AS drops ORDER BY turn
"""
