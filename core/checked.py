"""What `costopt check` found; contract.md fixes its JSON, ``costopt.check/1``.

Every output of a check reads these values; nothing in them has been cleaned for display.
"""

from dataclasses import dataclass
from typing import Literal

from .report import Finding, Report

SCHEMA = "costopt.check/1"
BASE, HEAD = "baseline", "head"
"""Names of the two versions of a prompt among the variants of a check's report."""

Depth = Literal["static", "replay", "measured"]
"""``static``: no answers. ``replay``: stored answers only. ``measured``: models were asked."""
Status = Literal["modified", "renamed", "added", "deleted"]
Outcome = Literal["passed", "failed", "inconclusive", "skipped"]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One limit that a change has to keep, and whether it does.

    Attributes:
        prompt: The prompt's name; ``None`` where the gate is about more than one prompt.
        gate: The limit's key in the configuration, such as ``max_input_tokens``; ``quality`` for
            the margin, ``finding`` for a code of ``fail_on``, ``lock`` for the ratchet,
            ``feature`` for a feature's monthly sum.
        limit: The limit, in the gate's own unit; ``None`` where there is none to name.
        base: The value at the base, ``None`` where unknown or there was none.
        head: The value at the head, ``None`` where unknown.
        outcome: ``inconclusive`` where there is not enough data, ``skipped`` where this depth
            cannot tell; neither says no.
        message: A sentence for a person, with units.
        unit: Of limit, base and head: ``tokens``, ``usd``, ``fraction``, ``s``, ``points``,
            ``nats``, or ``None`` for plain numbers and words.
        target: The target whose numbers these are; ``None`` where it is about none.
        path: The file that a reader should look at.
        line: The line of it, from 1; ``None`` where it is about the whole file.
    """

    prompt: str | None
    gate: str
    outcome: Outcome
    message: str
    limit: float | str | None = None
    base: float | str | None = None
    head: float | str | None = None
    unit: str | None = None
    target: str | None = None
    path: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def passed(self) -> bool:
        """Whether it lets the change through; ``inconclusive`` does not."""
        return self.outcome in ("passed", "skipped")


@dataclass(frozen=True, kw_only=True)
class PromptChange:
    """A prompt that differs between base and head.

    Attributes:
        name: Its name at the head, at the base where it was deleted.
        path: Its path at the head, at the base where it was deleted.
        status: What happened to it.
        old_path: Its path at the base, where that is another.
        why: What changed, in words: "text", "settings", "eval set", "configuration".
        rows: The eval rows that both versions were filled with, in words; ``None`` without any.
        diff: A unified diff of the file, line by line, without ends of lines.
        new_findings: Findings of the head that the base does not have.
        gone_findings: Findings of the base that the head does not have.
        notes: What else is to be known about it.
    """

    name: str
    path: str
    status: Status
    old_path: str | None = None
    why: tuple[str, ...] = ()
    rows: str | None = None
    diff: tuple[str, ...] = ()
    new_findings: tuple[Finding, ...] = ()
    gone_findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """The whole of a check.

    Attributes:
        base: The revision as it was asked for, such as ``origin/main``.
        base_commit: The commit that it is: where head left the base's branch.
        head: What was checked, in words: ``working tree`` or a commit.
        depth: How deep it could look.
        depth_reason: Why not deeper, in a sentence; ``None`` at ``measured``.
        exit: The exit status of the command: 0, 1 or 3.
        gates: Every gate, the failed ones too.
        changes: Every prompt that changed.
        unchanged: How many prompts did not.
        report: The changed prompts of the head. The variant ``baseline`` is the base's version and
            ``head`` the head's, at each target and on the same rows. An added prompt has only
            ``baseline``, which is its own text; a deleted one is not in it.
        notes: What else is to be known.
    """

    base: str
    base_commit: str
    head: str
    depth: Depth
    depth_reason: str | None
    exit: int
    gates: tuple[Gate, ...]
    changes: tuple[PromptChange, ...]
    unchanged: int
    report: Report
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no gate says no."""
        return all(gate.passed for gate in self.gates)
