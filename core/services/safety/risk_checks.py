"""Reads the risk control's results: orders let through and refused, check by check."""

from __future__ import annotations

from datetime import datetime

from core.domain.risk_result import Check as Check
from core.domain.risk_result import CheckName as CheckName
from core.services.reporting.paging import Page, number_of, page_of
from db.repositories.risk_checks import CheckCount as CheckCount
from db.repositories.risk_checks import RiskCheck as RiskCheck
from db.repositories.risk_checks import RiskCheckRepository


class Risk:
    """Reads risk checks. Raises Misconfigured for a place that no page ended at, Unavailable where the database does
    not answer.
    """

    def __init__(self, risk_checks: RiskCheckRepository) -> None:
        self._risk_checks = risk_checks

    def checks(
        self,
        account: str,
        *,
        part: str | None = None,
        check: CheckName | None = None,
        passed: bool | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> Page[RiskCheck]:
        """Return one line for each order that was let through and for each refusal, newest first."""
        before = number_of(after)
        rows = self._risk_checks.find(account, part=part, check=check, passed=passed, before=before, limit=limit + 1)
        return page_of([((row.at, str(row.number)), row) for row in rows], limit)

    def counts(self, account: str, since: datetime) -> list[CheckCount]:
        """Return how often each check was made and has refused since then; a refusal counts at each look that
        found it.
        """
        return self._risk_checks.counts(account, since)
