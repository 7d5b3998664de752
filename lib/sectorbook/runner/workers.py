"""Processes that run a series' jobs, a fixed number at a time: forked from a warm parent, or spawned and kept.

All kinds answer to the same calls; the third kind, on other machines, is in `far`. A job is one of our functions by
name with its arguments. What comes back is its result, or, when its process went without one, why.
"""

import importlib
import multiprocessing
import os
import signal
import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from multiprocessing import connection
from pathlib import Path
from typing import Any

from sectorbook.errors import SectorbookError
from sectorbook.runner import warm
from sectorbook.runner.execute import Outcome, salvage
from sectorbook.runner.plan import Task

# Signals that something else sends: SIGKILL (also when memory ran out) and SIGTERM, by number for Windows' sake.
KILL, FROM_OUTSIDE = 9, (9, 15)
CLOSING = "closing"  # in the place of a region in the key of a job that closes one


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class End:
    """A job's end: its result, or why there is none. `lost` when the job's own code is not to blame."""

    result: Any = None
    reason: str | None = None
    lost: bool = False
    cpu: float | None = None


def outcome(chapter: str, end: End, target: Path) -> Outcome:
    """Return how a chapter ended; one whose process went is told from what it left beside `target`."""
    if isinstance(end.result, Outcome):
        return replace(end.result, cpu=end.cpu)
    try:
        cell = salvage(target, end.reason)
    except SectorbookError as problem:
        return Outcome(chapter, 0.0, f"{end.reason}. {problem}", cpu=end.cpu)
    return Outcome(chapter, 0.0, end.reason + ".", cell, end.cpu)


@dataclass
class _Job:
    link: connection.Connection
    ticket: int = 0
    process: Any = None
    stop_at: float | None = None
    reason: str | None = None


def _reason(code: int) -> str:
    if code >= 0:
        return f"The chapter's process ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = ": something stopped it, or memory ran out" if -code == KILL else ""
    return f"The chapter's process was ended by {name}{hint}"


@dataclass
class _Workers:
    """What the kinds on this machine share: time-outs, and jobs by key.

    `surroundings` are variables of the jobs' environment in place of this process's own.
    """

    timeout: float | None = None
    memory_mb: int | None = None
    at_once: int = 1
    surroundings: dict[str, str] = field(default_factory=dict)
    jobs: dict[Hashable, _Job] = field(default_factory=dict)

    def room(self, task: Task | None) -> bool:
        """Return whether one more job may start: a chapter, or for None the closing of a region."""
        return len(self.jobs) < self.at_once

    def _deadline(self) -> float | None:
        return None if self.timeout is None else time.monotonic() + self.timeout

    def _stop_late_ones(self) -> float | None:
        """Kill jobs over time; return the seconds until the next one is due."""
        due = [(job.stop_at - time.monotonic(), job) for job in self.jobs.values() if job.stop_at]
        for left, job in due:
            if left <= 0 and job.reason is None:
                job.reason = f"The chapter was stopped after {self.timeout:g} seconds, the time allowed"
                self._kill(job)
        left = [max(left, 0) for left, job in due if job.reason is None]
        return min(left, default=None)


@dataclass
class Forked(_Workers):
    """Jobs in children forked from a warm parent, each in a process of its own."""

    parent: warm.Warm | None = None

    def prepare(self) -> None:
        """Have the parent begin its imports."""
        self.parent = warm.shared()

    def start(self, key: Hashable, function: str, arguments: tuple) -> None:
        """Begin a job. Raises warm.Lost when no child can be forked."""
        if self.parent is None or self.parent.dead:
            self.prepare()
        ours, theirs = connection.Pipe(duplex=False)
        with theirs:
            ticket = self.parent.fork(
                "call", theirs.fileno(), function=function, arguments=arguments, memory_mb=self.memory_mb,
                environment={**warm.environment(), **self.surroundings},
            )  # fmt: skip
        self.jobs[key] = _Job(ours, ticket, stop_at=self._deadline())

    def wait(self, at_most: float | None = None) -> dict[Hashable, End]:
        """Return the jobs that ended, after waiting until there is one or for `at_most` seconds."""
        until = None if at_most is None else time.monotonic() + at_most
        while True:
            soon = self._stop_late_ones()
            try:
                ends = {key: self.parent.ended(job.ticket) for key, job in self.jobs.items()}
            except warm.Lost:
                return {key: self._lost(key) for key in list(self.jobs)}
            found = {key: self._end(key, end) for key, end in ends.items() if end}
            left = None if until is None else until - time.monotonic()
            if found or (left is not None and left <= 0):
                return found
            # Without the parent's lock: other threads may have jobs with it too.
            connection.wait([self.parent.link], min((t for t in (soon, left) if t is not None), default=None))

    def _lost(self, key: Hashable) -> End:
        self.jobs.pop(key).link.close()
        return End(reason="The chapter's process was lost with the one that started it", lost=True)

    def _end(self, key: Hashable, end: warm.Ended) -> End:
        job = self.jobs.pop(key)
        self.parent.ends.pop(job.ticket)
        self.parent.pids.pop(job.ticket)
        with job.link:
            try:
                if job.link.poll():
                    return End(job.link.recv(), cpu=end.cpu)
            except EOFError:
                pass
        outside = job.reason is None and -end.code in FROM_OUTSIDE
        return End(reason=job.reason or _reason(end.code), lost=outside, cpu=end.cpu)

    def _kill(self, job: _Job) -> None:
        try:
            self.parent.signal(job.ticket, KILL)
        except warm.Lost:
            return

    def close(self) -> None:
        """End everything that still runs."""
        for job in self.jobs.values():
            self._kill(job)
        while self.jobs:
            self.wait()


def _serve(link: connection.Connection, surroundings: dict[str, str]) -> None:
    """Do the jobs that come through `link`, one after the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(surroundings)
    while True:
        try:
            function, arguments = link.recv()
        except EOFError:
            return
        module, _, name = function.partition(":")
        link.send(getattr(importlib.import_module(module), name)(*arguments))


@dataclass
class Spawned(_Workers):
    """Jobs in processes that are started once and take one job after the other. Each chapter has its own kernel."""

    idle: list[_Job] = field(default_factory=list)

    def prepare(self) -> None:
        """Nothing can be done ahead."""

    def start(self, key: Hashable, function: str, arguments: tuple) -> None:
        """Begin a job."""
        if self.idle:
            job = self.idle.pop()
        else:
            ours, theirs = connection.Pipe()
            process = multiprocessing.get_context("spawn").Process(
                target=_serve, args=(theirs, self.surroundings)
            )
            process.start()
            theirs.close()
            job = _Job(ours, process=process)
        job.stop_at = self._deadline()
        job.link.send((function, arguments))
        self.jobs[key] = job

    def wait(self, at_most: float | None = None) -> dict[Hashable, End]:
        """Return the jobs that ended, after waiting until there is one or for `at_most` seconds."""
        until = None if at_most is None else time.monotonic() + at_most
        while True:
            soon = self._stop_late_ones()
            left = None if until is None else max(until - time.monotonic(), 0)
            links = {job.link: key for key, job in self.jobs.items()}
            ready = connection.wait(
                list(links), min((t for t in (soon, left) if t is not None), default=None)
            )
            if ready or left == 0:
                return {links[link]: self._end(links[link]) for link in ready}

    def _end(self, key: Hashable) -> End:
        job = self.jobs.pop(key)
        try:
            result = job.link.recv()
        except (EOFError, OSError):
            job.process.join()
            outside = job.reason is None and -job.process.exitcode in FROM_OUTSIDE
            return End(reason=job.reason or _reason(job.process.exitcode), lost=outside)
        self.idle.append(job)
        return End(result)

    def _kill(self, job: _Job) -> None:
        job.process.kill()

    def close(self) -> None:
        """End everything that still runs."""
        for job in [*self.idle, *self.jobs.values()]:
            job.link.close()
            if job in self.idle:
                job.process.join()
            else:
                job.process.kill()
                job.process.join()


def make(
    timeout: float | None, memory_mb: int | None, at_once: int, surroundings: dict[str, str] | None = None
) -> tuple[Forked | Spawned, str | None]:
    """Return the workers for this machine, and why they are not forked ones (None when they are)."""
    reason = warm.why_not()
    return (Spawned if reason else Forked)(timeout, memory_mb, at_once, surroundings or {}), reason


def chapter_function() -> str:
    """Return the name of the function that runs a chapter on this machine."""
    return "sectorbook.runner.execute:" + ("chapter" if warm.why_not() else "chapter_here")
