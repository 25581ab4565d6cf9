"""What became of alerts: episodes and notices, from the rows that the engine and delivery wrote."""

from __future__ import annotations

from datetime import datetime

from truth.book import Book, Row
from truth.maintenance import maintenance_episode

TABLES = ("alert_episode", "alert_outbox", "alert_delivery", "alert_muting", "alert_ack")


def alert_episode(book: Book) -> list[Row]:
    """Every alert that opened."""
    return [_episode(book, row) for row in book.records["alert_episode"]]


def _episode(book: Book, row: Row) -> Row:
    notices = [n for n in book.records["alert_outbox"] if row["alert_id"] in n["alert_ids"]]
    muted = [m for m in book.records["alert_muting"] if m["alert_id"] == row["alert_id"]]
    silenced = [m for m in muted if m["muted_by"].startswith("silence:")]
    causes = sorted((m["muted_from"], m["muted_by"].removeprefix("alert:"))
                    for m in muted if m["muted_by"].startswith("alert:"))  # fmt: skip
    taken = [n["delivered_at"] for n in notices if n["delivered_at"]]
    acks = sorted(
        (ack["acked_at"], ack["author"])
        for ack in book.records["alert_ack"]
        if ack["alert_id"] == row["alert_id"]
    )
    return {
        **{name: row[name] for name in ("alert_id", "kind", "subject", "severity")},
        "opened_at": row["opened_at"],
        "resolved_at": row["resolved_at"],
        "notice_count": sum(n["merged_into"] is None for n in notices),
        "reminder_count": len({n["poll_id"] for n in notices if n["transition"] == "reminder"}),
        "acked_by": acks[-1][1] if acks else None,
        "silenced_s": round(
            sum(_seconds(m["muted_from"], m["muted_to"] or book.now) for m in silenced)
        ),
        "inhibited_by": causes[-1][1] if causes else None,
        "time_to_notify_s": round(_seconds(row["started_by"], min(taken))) if taken else None,
        "maintenance_id": _maintenance(book, row),
    }


def _maintenance(book: Book, row: Row) -> str | None:
    if row["kind"] != "chain_status":
        return None
    ids = [
        str(m["maintenance_id"])
        for m in maintenance_episode(book)
        if m["chain"] == row["chain"]
        and m["started_by"] <= row["opened_at"]
        and (m["ended_by"] is None or m["ended_by"] > row["opened_at"])
    ]
    return max(ids) if ids else None


def notice_delivery(book: Book) -> list[Row]:
    """Every notice, once for each alert that it is about."""
    outbox = book.records["alert_outbox"]
    taken = {notice["notice_id"]: notice["delivered_at"] for notice in outbox}
    return [
        {
            "alert_id": alert_id,
            "notice_id": notice["notice_id"],
            "channel": notice["channel"],
            "attempts": notice["attempts"],
            "delivered_at": notice["delivered_at"] or taken.get(notice["merged_into"]),
            "last_error": _last_error(book, notice["notice_id"]),
        }
        for notice in outbox
        for alert_id in set(notice["alert_ids"])
    ]


def _last_error(book: Book, notice_id: str) -> str | None:
    failed = [
        (row["attempt"], row["error"])
        for row in book.records["alert_delivery"]
        if row["notice_id"] == notice_id and row["outcome"] != "sent"
    ]
    return max(failed)[1] if failed else None


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()
