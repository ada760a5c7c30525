"""Run tasks in worker processes, in order, with few results waiting."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from scripts.errors import UsageProblem
from scripts.incoming import read
from scripts.sanitise import Task, TaskResult

# How much of the files the workers may read before somebody asks for it.
BYTES_AHEAD = 1 << 30


@contextmanager
def read_tasks(tasks: Sequence[Task], processes: int) -> Iterator[Iterator[TaskResult]]:
    """Yield the results of `read` for each task, in order; one process means this one.

    Raises:
        UsageProblem: a worker process ended without an answer.
    """
    if processes < 2 or len(tasks) < 2:
        yield map(read, tasks)
        return
    pool = ProcessPoolExecutor(
        min(processes, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_die_with_parent,
    )
    try:
        yield _in_order(pool, tasks)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, tasks: Sequence[Task]) -> Iterator[TaskResult]:
    """Keep the workers busy without filling the disk with what nobody reads yet."""
    waiting: deque[tuple[int, Future[TaskResult]]] = deque()
    try:
        for task in tasks:
            with _interrupts_blocked():
                waiting.append((task.expected_bytes, pool.submit(read, task)))
            while sum(expected for expected, _ in waiting) > BYTES_AHEAD:
                yield waiting.popleft()[1].result()
        while waiting:
            yield waiting.popleft()[1].result()
    except BrokenProcessPool:
        raise UsageProblem(
            "A worker process was ended from outside, for lack of memory perhaps."
            " Nothing was loaded; try again."
        ) from None


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Put Ctrl-C off. Workers that are started in here never see it: it is for the parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _die_with_parent() -> None:
    """End this worker when its parent is killed; else it would wait for work for ever."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
